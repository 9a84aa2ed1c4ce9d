"""What customers are told about disturbances and planned work."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0013_webhook_secrets")]

    operations = [
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=120)),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("all", "The whole service"),
                            ("calls", "Calls"),
                            ("registrations", "Registrations"),
                            ("web", "Web pages and API"),
                            ("payments", "Payments and renewals"),
                        ],
                        max_length=16,
                    ),
                ),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("part__in", ("all", "calls", "registrations", "web", "payments"))), name="incident_part"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__isnull", True), ("ends_at__gte", models.F("begins_at")), _connector="OR"),
                        name="incident_ends_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IncidentNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("looking", "Looking for the cause"),
                            ("mending", "Cause known, being mended"),
                            ("watching", "Mended, being watched"),
                            ("over", "Over"),
                        ],
                        max_length=16,
                    ),
                ),
                ("text", models.CharField(max_length=1000)),
                ("by", models.CharField(max_length=80)),
                (
                    "incident",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="store.incident"),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("planned", "looking", "mending", "watching", "over"))), name="incident_note_state"
                    )
                ],
            },
        ),
    ]
