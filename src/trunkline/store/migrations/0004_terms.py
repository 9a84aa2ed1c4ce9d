"""What a term must remember; and channels that were granted before there were terms become complimentary ones."""

from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone


def grant_terms(apps, schema_editor):
    now = timezone.now()
    Profile, Term = apps.get_model("store", "Profile"), apps.get_model("store", "Term")
    Term.objects.bulk_create(
        Term(
            kind="channels",
            manager_id=profile.manager_id,
            profile=profile,
            quantity=profile.channels,
            price_micros=0,
            complimentary=True,
            starts_at=now,
            ends_at=now + timedelta(days=30),
        )
        for profile in Profile.objects.filter(channels__gt=0).exclude(state="deleted")
    )
    Profile.objects.filter(state="deleted").update(channels=0)


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0003_money_over_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="term",
            name="anchored_at",
            field=models.DateTimeField(help_text="a number's: when its first month began; months keep that day", null=True),
        ),
        migrations.AddField(
            model_name="term",
            name="reference",
            field=models.CharField(blank=True, default="", help_text="the buyer's name for the purchase: it is made once", max_length=40),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="term",
            name="unpaid_since",
            field=models.DateTimeField(help_text="its renewal was tried, and could not be paid", null=True),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference", ""), _negated=True), fields=("manager", "reference"), name="term_reference_once"
            ),
        ),
        migrations.RunPython(grant_terms, migrations.RunPython.noop),
    ]
