"""A call can be ended through the queue of changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0011_api")]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="what",
            field=models.CharField(
                choices=[
                    ("profile", "Profile"),
                    ("source", "Source"),
                    ("prices", "Prices"),
                    ("carriers", "Carriers"),
                    ("numbers", "Numbers"),
                    ("manager", "Manager"),
                    ("hang_up", "a call is to end"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="change",
            name="ident",
            field=models.CharField(help_text="profile id, `ip:port`, number, call reference, or empty for all", max_length=80),
        ),
    ]
