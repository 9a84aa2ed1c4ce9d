"""A webhook's secret can be replaced while the one before still signs; its newest deliveries are found by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0012_hang_up")]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="former_secret_sealed",
            field=models.TextField(blank=True, default="", help_text="the one before: deliveries are signed with it, too"),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="former_secret_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["endpoint", "-id"], name="webhook_newest"),
        ),
    ]
