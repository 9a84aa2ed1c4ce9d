"""What call control writes: registrations, calls, records."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q


class CallRefField(models.BigIntegerField):  # type: ignore[type-arg] # it can't be subscripted at run time
    """A call reference as primary key; on SQLite the row id itself, which saves an index on the hot path."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class Registration(models.Model):
    """Where a profile's PBX is registered now. Written by call control from the edge's journal."""

    profile = models.OneToOneField("store.Profile", primary_key=True, on_delete=models.CASCADE)
    contact = models.CharField(max_length=512)
    source = models.CharField(max_length=80, help_text="udp:192.0.2.1:5060")
    socket = models.CharField(max_length=80)
    behind_nat = models.BooleanField()
    user_agent = models.CharField(max_length=200)
    call_id = models.CharField(max_length=200)
    cseq = models.BigIntegerField()
    since_us = models.BigIntegerField()
    refreshed_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    displaced_contact = models.CharField(max_length=512, blank=True, help_text="the device that this one took over from")
    displaced_us = models.BigIntegerField(null=True)
    srtp_offered = models.BooleanField(null=True, help_text="by the last call that this device made; null: it has made none")


class LiveCall(models.Model):
    """A call between admission and its end: its hold, its channels, its next increment. One row is one channel on each profile it names."""

    class State(models.TextChoices):
        ADMITTED = "admitted"
        ANSWERED = "answered"

    call_ref = CallRefField(primary_key=True)
    edge_key = models.CharField(max_length=32)
    edge = models.CharField(max_length=32)
    state = models.CharField(max_length=8, choices=State.choices)
    direction = models.CharField(max_length=8)
    caller_profile = models.ForeignKey("store.Profile", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    callee_profile = models.ForeignKey("store.Profile", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    purse = models.ForeignKey("store.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    minutes = models.ForeignKey("store.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    revenue = models.ForeignKey("store.Account", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    held = models.BigIntegerField(default=0, help_text="open hold on the purse")
    paid = models.BigIntegerField(default=0, help_text="posted so far")
    increments = models.PositiveIntegerField(default=0, help_text="postings so far; the next one's number in its key")
    minutes_held_seconds = models.BigIntegerField(db_default=0, help_text="open hold on the bundle's minutes")
    minutes_paid_seconds = models.BigIntegerField(db_default=0, help_text="posted from the bundle's minutes")
    minutes_increments = models.PositiveIntegerField(db_default=0, help_text="postings from the bundle's minutes so far")
    admitted_us = models.BigIntegerField()
    answered_us = models.BigIntegerField(null=True)
    paid_until_us = models.BigIntegerField(null=True)
    facts = models.TextField(help_text="JSON: what the record will say, the rate, the routes, the trace, the legs")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="live_call_edge_key_once", fields=["edge_key"]),
            models.CheckConstraint(name="live_call_held_not_negative", condition=Q(held__gte=0)),
        ]


class CallRecord(models.Model):
    """One attempt, connected or not (CDR). Append-only."""

    call_ref = CallRefField(primary_key=True)
    manager = models.ForeignKey("store.Manager", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    profile = models.ForeignKey("store.Profile", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    peer_profile = models.ForeignKey("store.Profile", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    direction = models.CharField(max_length=8, help_text="outgoing, incoming, internal")
    caller = models.CharField(max_length=64)
    caller_shown = models.CharField(max_length=64)
    dialled = models.CharField(max_length=64)
    callee = models.CharField(max_length=16, blank=True, help_text="E.164 digits")
    destination = models.CharField(max_length=120, blank=True)
    carrier = models.ForeignKey("store.Carrier", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    started_us = models.BigIntegerField()
    ringing_us = models.BigIntegerField(null=True)
    answered_us = models.BigIntegerField(null=True)
    ended_us = models.BigIntegerField()
    duration_seconds = models.PositiveIntegerField(default=0)
    billed_seconds = models.PositiveIntegerField(default=0)
    rate_per_minute_micros = models.BigIntegerField(null=True)
    connection_fee_micros = models.BigIntegerField(null=True)
    cost_micros = models.BigIntegerField(default=0)
    bundle_seconds = models.PositiveIntegerField(db_default=0, help_text="of the billed seconds: paid by a bundle's minutes")
    paid_by = models.CharField(
        max_length=8, blank=True, db_default="", help_text="profile, manager, bundle, both (bundle, then manager), empty: free"
    )
    prefix = models.CharField(max_length=15, blank=True, db_default="", help_text="the price's")
    country = models.CharField(max_length=2, blank=True, db_default="", help_text="of the number called")
    first_increment_seconds = models.PositiveIntegerField(null=True)
    next_increment_seconds = models.PositiveIntegerField(null=True)
    q850_cause = models.PositiveIntegerField(null=True)
    sip_call_id = models.CharField(max_length=200, blank=True, db_default="")
    source = models.CharField(max_length=80, blank=True, db_default="", help_text="udp:192.0.2.1:5060")
    user_agent = models.CharField(max_length=120, blank=True, db_default="")
    currency = models.CharField(max_length=3, blank=True)
    result = models.CharField(max_length=12, help_text="answered, busy, no_answer, cancelled, failed, refused, lost")
    sip_status = models.PositiveIntegerField(default=0)
    refusal = models.CharField(max_length=24, blank=True)
    ended_by = models.CharField(max_length=8, blank=True)
    trace = models.TextField(help_text="JSON: the decision, step by step, and what the SIP side saw")

    class Meta:
        indexes = [
            models.Index(name="record_by_profile", fields=["profile", "call_ref"]),
            models.Index(name="record_by_manager", fields=["manager", "call_ref"]),
            models.Index(name="record_by_peer", fields=["peer_profile", "call_ref"], condition=Q(peer_profile__isnull=False)),
        ]


class JournalPosition(models.Model):
    """How far call control has read a journal file of the edge; stored in the transaction that stores what it read."""

    edge = models.CharField(max_length=32)
    file = models.CharField(max_length=64)
    offset_bytes = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="journal_position_once", fields=["edge", "file"])]


class Sums(models.Model):
    """Of call records over a quarter of an hour (UTC, by start): months in any time zone add up from them.

    Written in the transaction that writes the records; the audit compares.
    """

    starts_us = models.BigIntegerField()
    direction = models.CharField(max_length=8)
    attempts = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    duration_seconds = models.BigIntegerField(default=0)
    billed_seconds = models.BigIntegerField(default=0)
    bundle_seconds = models.BigIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class UsageBucket(Sums):
    """Of a profile."""

    profile = models.ForeignKey("store.Profile", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(name="usage_bucket_once", fields=["profile", "starts_us", "direction"])]


class ManagerUsage(Sums):
    """Of all profiles of a Manager: a hundred of them that call a little have a hundred times as many buckets."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(name="manager_usage_once", fields=["manager", "starts_us", "direction"])]
