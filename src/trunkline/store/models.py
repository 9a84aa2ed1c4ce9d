"""The tables.

Conventions
- Money is `BIGINT` micro-units (1 USD = 1,000,000) beside a currency; minutes of a bundle are whole seconds in the same ledger (`SEC`).
- Moments are aware UTC `*_at`. The tables that call control writes on the hot path (`LiveCall`, `CallRecord`, `Registration`) keep
  moments as integer microseconds since the epoch (`*_us`): they are compared and added there, never shown there.
- Rules that must never break are database constraints as well.
- The hot tables carry only the indexes that are read: no automatic one per foreign key, no `LIKE` index beside a unique key.

Lock order (PostgreSQL row locks; SQLite takes its one write lock at BEGIN): ledger accounts by ascending id, then channel use by ascending
profile id, then everything else. See `trunkline.store.locks`.
"""
# ruff: noqa: DJ008, RUF012 - no page of Django's own shows a row; `Meta` has lists because Django wants them

from __future__ import annotations

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q


class CallRefField(models.BigIntegerField):  # type: ignore[type-arg] # it can't be subscripted at run time
    """A call reference as primary key; on SQLite the row id itself, which saves an index on the hot path."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class Account(models.Model):
    """A ledger account. `balance` = credits - debits of its postings; `held` = sum of the open holds on it."""

    class Kind(models.TextChoices):
        FUNDING = "funding", "money in from outside"
        MANAGER = "manager", "a Manager's Credit"
        PROFILE = "profile", "a SIP Profile's Credit"
        REVENUE = "revenue", "the operator's income"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, help_text="ISO 4217, or SEC for seconds of a bundle")
    guarded = models.BooleanField(help_text="a purse: balance - held may never go below zero")
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="account_held_not_negative", condition=Q(held__gte=0)),
            models.CheckConstraint(name="account_purse_not_negative", condition=Q(guarded=False) | Q(balance__gte=F("held"))),
            models.UniqueConstraint(
                name="account_one_per_currency", fields=["kind", "currency"], condition=Q(kind__in=["funding", "revenue"])
            ),
        ]


class Posting(models.Model):
    """One movement: `amount` leaves `debit` and enters `credit`. Never changed, never deleted; corrections are new postings.

    `key` says what the posting is about (`call/<ref>/<n>`, `allocate/<id>`, ...): the same thing can't be posted twice.
    """

    key = models.CharField(max_length=80)
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.BigIntegerField()
    kind = models.CharField(max_length=24)
    call_ref = models.BigIntegerField(null=True)
    note = models.CharField(max_length=200, blank=True)
    posted_us = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="posting_key_once", fields=["key"]),
            models.CheckConstraint(name="posting_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="posting_two_accounts", condition=~Q(debit=F("credit"))),
        ]
        indexes = [
            # with the amount in them the audit reads indexes only, in order: 10 million postings in seconds
            models.Index(name="posting_by_debit", fields=["debit", "id", "amount"]),
            models.Index(name="posting_by_credit", fields=["credit", "id", "amount"]),
            models.Index(name="posting_by_call", fields=["call_ref", "kind", "amount"]),
        ]


class PriceList(models.Model):
    """What calls cost, in one currency."""

    name = models.CharField(max_length=80, unique=True)
    currency = models.CharField(max_length=3)
    echo_number = models.CharField(max_length=16, blank=True, help_text="E.164 digits; free echo test")
    version = models.PositiveIntegerField(default=1, help_text="counts imports")


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


class Manager(models.Model):
    """One company's account in one country."""

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"

    company_name = models.CharField(max_length=120)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2")
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    admin_account = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.ACTIVE)
    price_list = models.ForeignKey(PriceList, on_delete=models.PROTECT)
    account = models.OneToOneField(Account, on_delete=models.PROTECT)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="manager_one_per_country", fields=["company_name", "country"])]


class Profile(models.Model):
    """A SIP Profile: the trunk of one PBX."""

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"
        DELETED = "deleted"

    class Media(models.TextChoices):
        RELAY = "relay"
        DIRECT = "direct"

    class NumberFormat(models.TextChoices):
        E164 = "e164", "44151..., as in the guide"
        PLUS = "plus", "+44151..."
        NATIONAL = "national", "0151..."

    class Srtp(models.TextChoices):
        AUTO = "auto"
        FORCE = "force"
        FORBID = "forbid"

    manager = models.ForeignKey(Manager, on_delete=models.PROTECT, related_name="profiles")
    name = models.CharField(max_length=80)
    state = models.CharField(max_length=16, choices=State.choices, default=State.ACTIVE)
    channels = models.PositiveIntegerField(default=0, help_text="0: inactive until channels are bought")
    account = models.OneToOneField(Account, on_delete=models.PROTECT)
    sip_user = models.CharField(max_length=14, unique=True)
    password_sealed = models.TextField()
    ha1 = models.CharField(max_length=32)
    old_ha1 = models.CharField(max_length=32, blank=True)
    old_valid_until = models.DateTimeField(null=True)
    old_last_used_at = models.DateTimeField(null=True)
    ip_auth_address = models.GenericIPAddressField(null=True)
    ip_auth_port = models.PositiveIntegerField(null=True)
    media = models.CharField(max_length=8, choices=Media.choices, default=Media.RELAY)
    srtp = models.CharField(max_length=8, choices=Srtp.choices, default=Srtp.AUTO)
    number_format = models.CharField(max_length=8, choices=NumberFormat.choices, default=NumberFormat.E164)
    caller_id = models.CharField(max_length=16, blank=True, help_text="E.164 digits shown on outgoing calls; empty: anonymous")
    calls_per_second = models.PositiveIntegerField(default=20)
    max_rate_per_minute_micros = models.BigIntegerField(null=True, help_text="dearer calls are barred")
    max_duration_seconds = models.PositiveIntegerField(default=4 * 3600)
    barred_types = models.JSONField(default=list, help_text="number types barred: premium, satellite, international_network")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="profile_name_once", fields=["manager", "name"], condition=~Q(state="deleted")),
            models.CheckConstraint(name="profile_channels_limit", condition=Q(channels__lte=300)),
            models.UniqueConstraint(
                name="profile_ip_auth_unique",
                fields=["ip_auth_address", "ip_auth_port"],
                condition=Q(ip_auth_address__isnull=False),
            ),
            models.CheckConstraint(
                name="profile_ip_auth_whole",
                condition=Q(ip_auth_address__isnull=True, ip_auth_port__isnull=True)
                | Q(ip_auth_address__isnull=False, ip_auth_port__isnull=False, ip_auth_port__gte=1, ip_auth_port__lte=65535),
            ),
        ]


class ChannelUse(models.Model):
    """How many channels of a profile are taken: the count of its rows in `LiveCall`, kept in the same transactions."""

    profile = models.OneToOneField(Profile, primary_key=True, on_delete=models.CASCADE)
    in_use = models.IntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="channel_use_not_negative", condition=Q(in_use__gte=0))]


class Number(models.Model):
    """An Online Number: a geographic number in E.164 digits, on a profile or in a Manager's stock."""

    e164 = models.CharField(max_length=15, unique=True)
    country = models.CharField(max_length=2)
    manager = models.ForeignKey(Manager, null=True, on_delete=models.PROTECT, related_name="numbers")
    profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, related_name="numbers")

    class Meta:
        constraints = [
            models.CheckConstraint(name="number_on_profile_has_manager", condition=Q(profile__isnull=True) | Q(manager__isnull=False))
        ]


class Carrier(models.Model):
    """An upstream SIP gateway."""

    name = models.CharField(max_length=80, unique=True)
    host = models.CharField(max_length=120, help_text="address; also the source address of its INVITEs")
    port = models.PositiveIntegerField(default=5060)
    transport = models.CharField(max_length=4, choices=[("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS")], default="udp")
    auth_user = models.CharField(max_length=80, blank=True)
    auth_password_sealed = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    probe = models.BooleanField(default=True, help_text="ask for its health by OPTIONS")
    up = models.BooleanField(default=True)
    up_changed_at = models.DateTimeField(null=True)


class CarrierRoute(models.Model):
    """Which numbers a carrier takes: longest prefix first, then the smallest priority, then the lowest cost."""

    carrier = models.ForeignKey(Carrier, on_delete=models.CASCADE, related_name="routes")
    prefix = models.CharField(max_length=15, blank=True, help_text="E.164 digits; empty: every number")
    priority = models.PositiveIntegerField(default=10)
    cost_per_minute_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="carrier_route_once", fields=["carrier", "prefix"])]


class Registration(models.Model):
    """Where a profile's PBX is registered now. Written by call control from the edge's journal."""

    profile = models.OneToOneField(Profile, primary_key=True, on_delete=models.CASCADE)
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
    caller_profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    callee_profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    purse = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    revenue = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    held = models.BigIntegerField(default=0, help_text="open hold on the purse")
    paid = models.BigIntegerField(default=0, help_text="posted so far")
    increments = models.PositiveIntegerField(default=0, help_text="postings so far; the next one's number in its key")
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
    manager = models.ForeignKey(Manager, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    peer_profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    direction = models.CharField(max_length=8, help_text="outgoing, incoming, internal")
    caller = models.CharField(max_length=64)
    caller_shown = models.CharField(max_length=64)
    dialled = models.CharField(max_length=64)
    callee = models.CharField(max_length=16, blank=True, help_text="E.164 digits")
    destination = models.CharField(max_length=120, blank=True)
    carrier = models.ForeignKey(Carrier, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    started_us = models.BigIntegerField()
    ringing_us = models.BigIntegerField(null=True)
    answered_us = models.BigIntegerField(null=True)
    ended_us = models.BigIntegerField()
    duration_seconds = models.PositiveIntegerField(default=0)
    billed_seconds = models.PositiveIntegerField(default=0)
    rate_per_minute_micros = models.BigIntegerField(null=True)
    connection_fee_micros = models.BigIntegerField(null=True)
    cost_micros = models.BigIntegerField(default=0)
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
        ]


class JournalPosition(models.Model):
    """How far call control has read a journal file of the edge; stored in the transaction that stores what it read."""

    edge = models.CharField(max_length=32)
    file = models.CharField(max_length=64)
    offset_bytes = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="journal_position_once", fields=["edge", "file"])]


class Change(models.Model):
    """Something that call control and the edge may have cached has changed. Written in the transaction of the use case that changed it."""

    class What(models.TextChoices):
        PROFILE = "profile"
        SOURCE = "source"
        PRICES = "prices"
        CARRIERS = "carriers"
        NUMBERS = "numbers"
        MANAGER = "manager"

    what = models.CharField(max_length=12, choices=What.choices)
    ident = models.CharField(max_length=80, help_text="profile id, `ip:port`, number, or empty for all")
    sip_user = models.CharField(max_length=14, blank=True)
    at = models.DateTimeField()


class AuditEntry(models.Model):
    """Who changed what, when, from where, before and after."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    source = models.CharField(max_length=80, blank=True)
    action = models.CharField(max_length=48)
    target = models.CharField(max_length=80)
    manager = models.ForeignKey(Manager, null=True, on_delete=models.PROTECT, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
