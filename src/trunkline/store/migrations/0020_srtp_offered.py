from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0019_barring")]
    operations = [
        migrations.AddField(
            model_name="registration",
            name="srtp_offered",
            field=models.BooleanField(help_text="by the last call that this device made; null: it has made none", null=True),
        ),
    ]
