"""Auto-recharge remembers its day, and the payment that is under way."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0006_statement_heads")]
    operations = [
        migrations.AddField(
            model_name="rechargerule",
            name="day",
            field=models.DateField(null=True, help_text="the day that `day_recharges` are of"),
        ),
        migrations.AddField(model_name="rechargerule", name="day_recharges", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(
            model_name="rechargerule",
            name="pending_micros",
            field=models.BigIntegerField(default=0, help_text="a payment of this amount is under way: the number `recharges`"),
        ),
    ]
