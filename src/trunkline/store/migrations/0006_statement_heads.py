"""A closed month never changes: its head says where it ended, and is never changed itself."""

from django.db import migrations, models

from trunkline.store.append_only import protect_in_migration


class Migration(migrations.Migration):
    dependencies = [("store", "0005_refunds")]
    operations = [
        migrations.AddField(
            model_name="statementhead",
            name="last_posting",
            field=models.BigIntegerField(db_default=0, help_text="id of the last of them; 0: none"),
        ),
        migrations.RunPython(protect_in_migration, migrations.RunPython.noop),
    ]
