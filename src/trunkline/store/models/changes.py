"""What was changed: for caches, and for people."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Change(models.Model):
    """Something that call control and the edge may have cached has changed, or is to be done. Written in the transaction of its use case."""

    class What(models.TextChoices):
        PROFILE = "profile"
        SOURCE = "source"
        PRICES = "prices"
        CARRIERS = "carriers"
        NUMBERS = "numbers"
        MANAGER = "manager"
        HANG_UP = "hang_up", "a call is to end"

    what = models.CharField(max_length=12, choices=What.choices)
    ident = models.CharField(max_length=80, help_text="profile id, `ip:port`, number, call reference, or empty for all")
    sip_user = models.CharField(max_length=14, blank=True)
    at = models.DateTimeField()


class AuditEntry(models.Model):
    """Who changed what, when, from where, before and after."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    source = models.CharField(max_length=80, blank=True)
    action = models.CharField(max_length=48)
    target = models.CharField(max_length=80)
    manager = models.ForeignKey("store.Manager", null=True, on_delete=models.PROTECT, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)


class ClockOffset(models.Model):
    """The virtual clock of a test system: how far it is ahead of the real one. One row, with id 1."""

    offset_us = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="clock_only_forward", condition=Q(offset_us__gte=0))]
