import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("store", "0004_terms")]
    operations = [
        migrations.AddField(
            model_name="payment",
            name="asked_at",
            field=models.DateTimeField(help_text="the provider was last asked how it stands", null=True),
        ),
        migrations.AlterField(
            model_name="payment",
            name="action_url",
            field=models.CharField(blank=True, help_text="where the payer goes on", max_length=2000),
        ),
        migrations.CreateModel(
            name="PurchaseLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("kind", models.CharField(help_text="card, booked", max_length=8)),
                ("verified", models.BooleanField()),
                ("each_micros", models.BigIntegerField(help_text="of one payment", null=True)),
                ("month_micros", models.BigIntegerField(help_text="of 30 days", null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("currency", "kind", "verified"), name="purchase_limit_once")],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=120, unique=True)),
                ("provider_reference", models.CharField(blank=True, max_length=120)),
                ("amount_micros", models.BigIntegerField()),
                ("taken_micros", models.BigIntegerField(help_text="of it: from the Manager's Credit")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "the provider was asked, or is to be asked again"),
                            ("done", "Done"),
                            ("failed", "the provider would not; the Credit came back"),
                        ],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("failure", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "payment",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="store.payment"),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(amount_micros__gt=0, taken_micros__gte=0, amount_micros__gte=F("taken_micros")), name="refund_amounts"
                    ),
                    models.UniqueConstraint(
                        condition=~Q(provider_reference=""), fields=("payment", "provider_reference"), name="refund_provider_reference_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider_reference", models.CharField(max_length=120)),
                ("amount_micros", models.BigIntegerField()),
                ("taken_micros", models.BigIntegerField(help_text="of it: from the Manager's Credit; the rest is the operator's loss")),
                ("counted_micros", models.BigIntegerField(help_text="of it: in the payment's disputed_micros")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "the money came back"), ("lost", "Lost")], default="open", max_length=8
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "payment",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="store.payment"),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(amount_micros__gt=0, taken_micros__gte=0, amount_micros__gte=F("taken_micros")), name="dispute_amounts"
                    ),
                    models.UniqueConstraint(fields=("payment", "provider_reference"), name="dispute_once"),
                ],
            },
        ),
    ]
