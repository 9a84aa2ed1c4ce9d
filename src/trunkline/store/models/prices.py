"""What things cost."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class PriceList(models.Model):
    """What calls cost, in one currency."""

    name = models.CharField(max_length=80, unique=True)
    currency = models.CharField(max_length=3)
    echo_number = models.CharField(max_length=16, blank=True, help_text="E.164 digits; free echo test")
    version = models.PositiveIntegerField(default=1, help_text="counts imports")
    channel_price_micros = models.BigIntegerField(null=True, help_text="one calling channel for 30 days; empty: not sold")
    recharge_threshold_micros = models.BigIntegerField(default=0, help_text="recommended for a profile's Auto-recharge")
    recharge_amount_micros = models.BigIntegerField(default=0, help_text="recommended for a profile's Auto-recharge")
    manager_recharge_threshold_micros = models.BigIntegerField(default=0, help_text="recommended for a Manager's Auto-recharge")
    manager_recharge_amount_micros = models.BigIntegerField(default=0, help_text="recommended for a Manager's Auto-recharge")


class Price(models.Model):
    """A price for all numbers that begin with `prefix` (E.164 digits), from `effective_from` until `effective_until` (half-open)."""

    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="prices", db_index=False)
    prefix = models.CharField(max_length=15)
    destination = models.CharField(max_length=120)
    rate_per_minute_micros = models.BigIntegerField()
    connection_fee_micros = models.BigIntegerField(default=0)
    first_increment_seconds = models.PositiveIntegerField(default=60)
    next_increment_seconds = models.PositiveIntegerField(default=60)
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="price_once", fields=["price_list", "prefix", "effective_from"]),
            models.UniqueConstraint(name="price_one_open", fields=["price_list", "prefix"], condition=Q(effective_until__isnull=True)),
            models.CheckConstraint(
                name="price_period", condition=Q(effective_until__isnull=True) | Q(effective_until__gt=F("effective_from"))
            ),
            models.CheckConstraint(name="price_not_negative", condition=Q(rate_per_minute_micros__gte=0, connection_fee_micros__gte=0)),
            models.CheckConstraint(
                name="price_increments_positive",
                condition=Q(first_increment_seconds__gte=1, next_increment_seconds__gte=1),
            ),
        ]


class BundleProduct(models.Model):
    """Minutes to one destination set for 30 days (SPEC R5.1)."""

    price_list = models.ForeignKey(PriceList, on_delete=models.PROTECT, related_name="bundles")
    code = models.CharField(max_length=32, help_text="us-5000")
    name = models.CharField(max_length=80)
    minutes = models.PositiveIntegerField()
    price_micros = models.BigIntegerField()
    country = models.CharField(max_length=2, help_text="the destination set: numbers that lie in it")
    excluded_prefixes = models.CharField(max_length=32, blank=True, help_text="a list in trunkline.domain.destinations, by name")
    excluded_types = models.JSONField(default=list, help_text="number types that are not in the set: premium, ...")
    sold = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="bundle_product_once", fields=["price_list", "code"]),
            models.CheckConstraint(name="bundle_product_sound", condition=Q(minutes__gte=1, price_micros__gte=0)),
        ]
