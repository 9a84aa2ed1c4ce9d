"""Who was told that call records are personal data, and when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0008_usage")]
    operations = [
        migrations.AddField(
            model_name="membership",
            name="records_acknowledged_at",
            field=models.DateTimeField(help_text="was told that call records are personal data, and agreed (SPEC R9.2)", null=True),
        ),
    ]
