"""The hints of fraud that were found last: the clock looks for them, the console shows them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0017_statement_wording")]

    operations = [
        migrations.CreateModel(
            name="FraudLook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("found", models.JSONField(default=list, help_text="each: profile id, what, how much, since when (ISO 8601)")),
            ],
        ),
    ]
