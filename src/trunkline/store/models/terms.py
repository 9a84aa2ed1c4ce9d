"""What runs for a time: paid terms and Auto-recharge."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Term(models.Model):
    """A paid period of something: calling channels, a bundle's minutes, an Online Number (SPEC R3.2, R5.1, R7.1).

    It is open until `ended_at` is set. One that `renews` is followed by the next at `ends_at`; one that does not ends there. A change ends it
    early and opens the next. What it cost is posted under `term/<id>`, what was refunded under `term/<id>/refund`.
    """

    class Kind(models.TextChoices):
        CHANNELS = "channels"
        BUNDLE = "bundle"
        NUMBER = "number"

    class End(models.TextChoices):
        RENEWED = "renewed"
        CHANGED = "changed"
        CANCELLED = "cancelled", "it was cancelled before, and has run out"
        LAPSED = "lapsed", "its renewal could not be paid"
        DELETED = "deleted", "what it was for was deleted"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="terms")
    profile = models.ForeignKey("store.Profile", null=True, on_delete=models.PROTECT, related_name="terms")
    product = models.ForeignKey("store.BundleProduct", null=True, on_delete=models.PROTECT, related_name="+")
    number = models.ForeignKey("store.Number", null=True, on_delete=models.PROTECT, related_name="terms")
    minutes = models.OneToOneField(
        "store.Account", null=True, on_delete=models.PROTECT, related_name="+", help_text="a bundle's purse, in seconds"
    )
    quantity = models.PositiveIntegerField(default=1)
    granted_seconds = models.BigIntegerField(default=0, help_text="what a bundle began with")
    price_micros = models.BigIntegerField(help_text="paid for the whole of it")
    refunded_micros = models.BigIntegerField(default=0)
    complimentary = models.BooleanField(default=False, help_text="granted by the operator: its renewals cost nothing")
    renews = models.BooleanField(default=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=12, choices=End.choices, blank=True)
    previous = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="next")
    reference = models.CharField(max_length=40, blank=True, help_text="the buyer's name for the purchase: it is made once")
    anchored_at = models.DateTimeField(null=True, help_text="a number's: when its first month began; months keep that day")
    unpaid_since = models.DateTimeField(null=True, help_text="its renewal was tried, and could not be paid")

    class Meta:
        constraints = [
            models.CheckConstraint(name="term_period", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(name="term_money", condition=Q(price_micros__gte=F("refunded_micros"), refunded_micros__gte=0)),
            models.CheckConstraint(name="term_quantity", condition=Q(quantity__gte=1)),
            models.CheckConstraint(
                name="term_end_has_a_reason", condition=Q(ended_at__isnull=True, end="") | (Q(ended_at__isnull=False) & ~Q(end=""))
            ),
            models.CheckConstraint(
                name="term_is_of_something",
                condition=Q(kind="channels", profile__isnull=False, product__isnull=True, number__isnull=True)
                | Q(kind="bundle", profile__isnull=False, product__isnull=False, number__isnull=True, minutes__isnull=False)
                | Q(kind="number", product__isnull=True, number__isnull=False),
            ),
            models.UniqueConstraint(name="term_one_of_channels", fields=["profile"], condition=Q(kind="channels", ended_at__isnull=True)),
            models.UniqueConstraint(
                name="term_one_of_bundle", fields=["profile", "product"], condition=Q(kind="bundle", ended_at__isnull=True)
            ),
            models.UniqueConstraint(name="term_one_of_number", fields=["number"], condition=Q(kind="number", ended_at__isnull=True)),
            models.UniqueConstraint(name="term_reference_once", fields=["manager", "reference"], condition=~Q(reference="")),
        ]
        indexes = [models.Index(name="term_open_by_end", fields=["ends_at"], condition=Q(ended_at__isnull=True))]


class RechargeRule(models.Model):
    """Auto-recharge of one purse (SPEC R4.2): a profile's from its Manager's Credit, a Manager's from a payment method."""

    account = models.OneToOneField("store.Account", on_delete=models.PROTECT, related_name="recharge")
    enabled = models.BooleanField(default=True)
    threshold_micros = models.BigIntegerField(help_text="recharged when less is free")
    amount_micros = models.BigIntegerField()
    monthly_limit_micros = models.BigIntegerField(null=True, help_text="of a calendar month in the Manager's time zone; empty: none")
    method = models.ForeignKey("store.PaymentMethod", null=True, on_delete=models.PROTECT, related_name="+", help_text="a Manager's")
    month = models.DateField(null=True, help_text="the month that `recharged_micros` is of: its first day")
    recharged_micros = models.BigIntegerField(default=0)
    day = models.DateField(null=True, help_text="the day that `day_recharges` are of")
    day_recharges = models.PositiveIntegerField(default=0)
    recharges = models.PositiveIntegerField(default=0, help_text="so far; the next one's number in its key")
    pending_micros = models.BigIntegerField(default=0, help_text="a payment of this amount is under way: the number `recharges`")
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    next_try_at = models.DateTimeField(null=True, help_text="not before, after a failure")
    last_failure = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="recharge_amounts", condition=Q(threshold_micros__gte=0, amount_micros__gt=0, recharged_micros__gte=0)
            ),
            models.CheckConstraint(name="recharge_limit", condition=Q(monthly_limit_micros__isnull=True) | Q(monthly_limit_micros__gte=0)),
        ]
