"""Payments that were booked by the operator before there were rows of payments get theirs, from their postings."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import migrations

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_payments(apps: Any, schema_editor: Any) -> None:
    """As `usecases.credit.book_payment` writes them; those that have one are left alone."""
    posting, payment = apps.get_model("store", "Posting"), apps.get_model("store", "Payment")
    known = set(payment.objects.filter(provider="booked").values_list("reference", flat=True))
    booked = posting.objects.filter(kind="payment", key__regex=r"^payment/[0-9]+/.").values_list(
        "key", "amount", "credit__currency", "posted_us"
    )
    for key, amount, currency, posted_us in booked.order_by("id").iterator():
        _, manager_id, reference = key.split("/", 2)
        if (name := f"m{manager_id}.booked.{reference}") in known:
            continue
        at = EPOCH + timedelta(microseconds=posted_us)
        payment.objects.create(
            manager_id=int(manager_id),
            reference=name,
            provider="booked",
            amount_micros=amount,
            currency=currency,
            why="booked",
            state="succeeded",
            created_at=at,
            settled_at=at,
        )


class Migration(migrations.Migration):
    dependencies = [("store", "0015_manager_usage")]
    operations = [migrations.RunPython(write_payments, migrations.RunPython.noop)]
