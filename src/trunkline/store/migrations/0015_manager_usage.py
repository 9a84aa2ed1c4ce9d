"""The sums of a whole Manager, too; and postings beside those of calls are found without going through calls."""

import django.db.models.deletion
from django.db import migrations, models

# As `trunkline.store.buckets.USAGE_OF_MANAGERS` was when this was written.
COUNT = """
    INSERT INTO store_managerusage (
        manager_id, starts_us, direction, attempts, answered, duration_seconds, billed_seconds, bundle_seconds, cost_micros
    )
    SELECT p.manager_id, b.starts_us, b.direction, sum(b.attempts), sum(b.answered), sum(b.duration_seconds), sum(b.billed_seconds),
           sum(b.bundle_seconds), sum(b.cost_micros)
    FROM store_usagebucket b JOIN store_profile p ON p.id = b.profile_id GROUP BY p.manager_id, b.starts_us, b.direction
"""
CALLS = ("call", "call_back", "minutes", "minutes_back")


class Migration(migrations.Migration):
    dependencies = [("store", "0014_incidents")]
    operations = [
        migrations.CreateModel(
            name="ManagerUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_us", models.BigIntegerField()),
                ("direction", models.CharField(max_length=8)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("answered", models.PositiveIntegerField(default=0)),
                ("duration_seconds", models.BigIntegerField(default=0)),
                ("billed_seconds", models.BigIntegerField(default=0)),
                ("bundle_seconds", models.BigIntegerField(default=0)),
                ("cost_micros", models.BigIntegerField(default=0)),
                (
                    "manager",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="store.manager"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("manager", "starts_us", "direction"), name="manager_usage_once")],
            },
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(condition=~models.Q(kind__in=CALLS), fields=["debit", "id"], name="posting_debit_beside"),
        ),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(condition=~models.Q(kind__in=CALLS), fields=["credit", "id"], name="posting_credit_beside"),
        ),
    ]
