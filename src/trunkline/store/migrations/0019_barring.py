"""A SIP Profile has destinations that it does not call, calls abroad or not, and a pace of its own choice."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0018_fraud_look")]

    operations = [
        migrations.AddField(
            model_name="profile",
            name="barred_destinations",
            field=models.JSONField(default=list, help_text="barred countries, NG, and beginnings of numbers, +4470"),
        ),
        migrations.AddField(
            model_name="profile",
            name="calls_abroad",
            field=models.BooleanField(default=True, help_text="to other countries than the Manager's"),
        ),
        migrations.AddField(
            model_name="profile",
            name="own_calls_per_second",
            field=models.PositiveIntegerField(help_text="the company's own, lower limit; empty: none", null=True),
        ),
        migrations.AlterField(
            model_name="profile",
            name="calls_per_second",
            field=models.PositiveIntegerField(default=20, help_text="what the operator allows"),
        ),
    ]
