"""Calls between two profiles are found from both sides; records from before there were usage buckets are counted."""

from django.db import migrations, models

# As `trunkline.store.buckets.USAGE_OF_RECORDS` was when this was written.
COUNT = """
    INSERT INTO store_usagebucket (
        profile_id, starts_us, direction, attempts, answered, duration_seconds, billed_seconds, bundle_seconds, cost_micros
    )
    SELECT profile_id, starts_us, direction, count(*), sum(answered), sum(duration_seconds), sum(billed_seconds), sum(bundle_seconds),
           sum(cost_micros)
    FROM (
        SELECT profile_id, started_us - started_us % 900000000 AS starts_us, direction,
               CASE result WHEN 'answered' THEN 1 ELSE 0 END AS answered, duration_seconds, billed_seconds, bundle_seconds, cost_micros
        FROM store_callrecord WHERE profile_id IS NOT NULL
        UNION ALL
        SELECT peer_profile_id, started_us - started_us % 900000000, 'incoming', CASE result WHEN 'answered' THEN 1 ELSE 0 END,
               duration_seconds, 0, 0, 0
        FROM store_callrecord WHERE peer_profile_id IS NOT NULL
    ) records GROUP BY profile_id, starts_us, direction
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0007_people")]
    operations = [
        migrations.AddIndex(
            model_name="callrecord",
            index=models.Index(
                condition=models.Q(("peer_profile__isnull", False)), fields=["peer_profile", "call_ref"], name="record_by_peer"
            ),
        ),
        migrations.RunSQL("DELETE FROM store_usagebucket", migrations.RunSQL.noop),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
