"""Money from outside: payment methods, payments, what went back, and what providers tell about them."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class PaymentMethod(models.Model):
    """Something to pay with that a provider keeps for a Manager. We hold its name there, never a card's number."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="payment_methods")
    provider = models.CharField(max_length=16)
    token = models.CharField(max_length=120, help_text="the provider's name for it")
    label = models.CharField(max_length=80, help_text="Visa ending in 4242")
    expires_on = models.DateField(null=True)
    is_default = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="payment_method_once", fields=["provider", "token"]),
            models.UniqueConstraint(
                name="payment_method_one_default", fields=["manager"], condition=Q(is_default=True, removed_at__isnull=True)
            ),
        ]


class Payment(models.Model):
    """One payment, from the wish to the money. `reference` is ours and names it to the provider as well: it is made once."""

    class State(models.TextChoices):
        CREATED = "created"
        ACTION_NEEDED = "action_needed", "the payer must authenticate"
        PROCESSING = "processing"
        SUCCEEDED = "succeeded", "the money is the Manager's Credit"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Why(models.TextChoices):
        TOP_UP = "top_up"
        AUTO_RECHARGE = "auto_recharge"
        BOOKED = "booked", "by the operator"

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="payments")
    reference = models.CharField(max_length=64, unique=True)
    provider = models.CharField(max_length=16)
    provider_reference = models.CharField(max_length=120, blank=True)
    method = models.ForeignKey(PaymentMethod, null=True, on_delete=models.PROTECT, related_name="+")
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    why = models.CharField(max_length=16, choices=Why.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.CREATED)
    failure = models.CharField(max_length=200, blank=True)
    action_url = models.CharField(max_length=2000, blank=True, help_text="where the payer goes on")
    refunded_micros = models.BigIntegerField(default=0)
    disputed_micros = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, help_text="the provider was last asked how it stands")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payment_provider_reference_once", fields=["provider", "provider_reference"], condition=~Q(provider_reference="")
            ),
            models.CheckConstraint(name="payment_amount_positive", condition=Q(amount_micros__gt=0)),
            models.CheckConstraint(
                name="payment_returned",
                condition=Q(refunded_micros__gte=0, disputed_micros__gte=0, amount_micros__gte=F("refunded_micros") + F("disputed_micros")),
            ),
        ]
        indexes = [models.Index(name="payment_by_manager", fields=["manager", "created_at"])]


class Refund(models.Model):
    """Money of a payment that went back to the payer. What the Manager's Credit could not give is the operator's loss.

    Written and posted before the provider is asked, so that the same Credit is never both spent and sent back.
    """

    class State(models.TextChoices):
        PENDING = "pending", "the provider was asked, or is to be asked again"
        DONE = "done"
        FAILED = "failed", "the provider would not; the Credit came back"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    reference = models.CharField(max_length=120, unique=True)
    provider_reference = models.CharField(max_length=120, blank=True)
    amount_micros = models.BigIntegerField()
    taken_micros = models.BigIntegerField(help_text="of it: from the Manager's Credit")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=200, blank=True)
    failure = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="refund_amounts", condition=Q(amount_micros__gt=0, taken_micros__gte=0, amount_micros__gte=F("taken_micros"))
            ),
            models.UniqueConstraint(
                name="refund_provider_reference_once", fields=["payment", "provider_reference"], condition=~Q(provider_reference="")
            ),
        ]


class Dispute(models.Model):
    """A payer has asked the bank for the money back. While it is open, and when it is lost, the money is gone."""

    class State(models.TextChoices):
        OPEN = "open"
        WON = "won", "the money came back"
        LOST = "lost"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider_reference = models.CharField(max_length=120)
    amount_micros = models.BigIntegerField()
    taken_micros = models.BigIntegerField(help_text="of it: from the Manager's Credit; the rest is the operator's loss")
    counted_micros = models.BigIntegerField(help_text="of it: in the payment's disputed_micros")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="dispute_amounts", condition=Q(amount_micros__gt=0, taken_micros__gte=0, amount_micros__gte=F("taken_micros"))
            ),
            models.UniqueConstraint(name="dispute_once", fields=["payment", "provider_reference"]),
        ]


class PurchaseLimit(models.Model):
    """What the operator has set in place of the default limits of `trunkline.domain.payments`. Empty: no limit."""

    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=8, help_text="card, booked")
    verified = models.BooleanField()
    each_micros = models.BigIntegerField(null=True, help_text="of one payment")
    month_micros = models.BigIntegerField(null=True, help_text="of 30 days")

    class Meta:
        constraints = [models.UniqueConstraint(name="purchase_limit_once", fields=["currency", "kind", "verified"])]


class ProviderEvent(models.Model):
    """A provider's webhook, once: the same event again finds its row and does nothing."""

    provider = models.CharField(max_length=16)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=64)
    payload = models.JSONField()
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, help_text="empty: waits for what it is about, or could not be applied")
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="provider_event_once", fields=["provider", "event_id"])]
