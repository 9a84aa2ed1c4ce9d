"""Money from outside: payment methods, payments, and what providers tell about them."""
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
    action_url = models.CharField(max_length=400, blank=True, help_text="where the payer goes on")
    refunded_micros = models.BigIntegerField(default=0)
    disputed_micros = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
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
