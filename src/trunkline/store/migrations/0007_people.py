"""People, memberships, invitations; and the table of the web's cache."""

import django.db.models.deletion
import django.db.models.functions.text
from django.apps import apps
from django.db import migrations, models

# In the web process other applications refer to the person model; they only know to wait for the store's first migration.
REFER_TO_PEOPLE = [("account", "0001_initial"), ("mfa", "0001_initial"), ("usersessions", "0001_initial")]


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0006_recharge"),
    ]

    run_before = REFER_TO_PEOPLE if apps.is_installed("allauth.account") else []

    operations = [
        migrations.CreateModel(
            name="CacheEntry",
            fields=[
                ("cache_key", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("value", models.TextField()),
                ("expires", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "web_cache",
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("account", models.CharField(help_text="the name to sign in with: `Architects.Admin`", max_length=64)),
                ("email", models.EmailField(help_text="the address to write to, and to sign in with once it is verified", max_length=254)),
                (
                    "staff",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not of the operator"),
                            ("support", "Support: sees everything, changes nothing"),
                            ("operator", "Operator: everything"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("email_verified_at", models.DateTimeField(null=True)),
                ("is_active", models.BooleanField(default=True, help_text="may sign in")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(django.db.models.functions.text.Lower("account"), name="person_account_once"),
                    models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="person_email_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("administrator", "Administrator"),
                            ("billing", "Billing"),
                            ("reports", "Reports only"),
                            ("read_only", "Read only"),
                        ],
                        max_length=16,
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "invited_by",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="store.person"),
                ),
                ("manager", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="store.manager")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("manager"),
                        django.db.models.functions.text.Lower("email"),
                        condition=models.Q(("accepted_at__isnull", True), ("withdrawn_at__isnull", True)),
                        name="invitation_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["administrator", "billing", "reports", "read_only"])), name="invitation_role"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("administrator", "Administrator"),
                            ("billing", "Billing"),
                            ("reports", "Reports only"),
                            ("read_only", "Read only"),
                        ],
                        max_length=16,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("manager", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="store.manager")),
                ("person", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="store.person")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "manager"), name="membership_once"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["administrator", "billing", "reports", "read_only"])), name="membership_role"
                    ),
                ],
            },
        ),
    ]
