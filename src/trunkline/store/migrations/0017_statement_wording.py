"""Months that are closed keep the words in which they were closed: those of the first wording."""

from django.db import migrations, models

from trunkline.store.append_only import protect_in_migration


class Migration(migrations.Migration):
    dependencies = [("store", "0016_booked_payments")]
    operations = [
        migrations.AddField(
            model_name="statementhead",
            name="wording",
            field=models.SmallIntegerField(
                db_default=1, help_text="its rows' words, which the head covers; see trunkline.domain.statement_words"
            ),
        ),
        migrations.RunPython(protect_in_migration, migrations.RunPython.noop),
    ]
