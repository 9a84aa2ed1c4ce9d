"""Postings, call records and the audit log are never changed and never deleted."""

from django.db import migrations

from trunkline.store.append_only import protect_in_migration


class Migration(migrations.Migration):
    dependencies = [("store", "0001_tables")]
    operations = [migrations.RunPython(protect_in_migration, migrations.RunPython.noop)]
