"""Companies, their SIP Profiles, and their numbers."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Manager(models.Model):
    """One company's account in one country."""

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"

    class Verification(models.TextChoices):
        NOT_STARTED = "not_started"
        IN_REVIEW = "in_review"
        VERIFIED = "verified"
        REJECTED = "rejected"

    company_name = models.CharField(max_length=120)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2")
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    admin_account = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True, help_text="notices go here")
    verification = models.CharField(max_length=16, choices=Verification.choices, default=Verification.NOT_STARTED)
    verification_reason = models.CharField(max_length=400, blank=True, help_text="why it was rejected")
    low_balance_micros = models.BigIntegerField(null=True, help_text="a mail goes out when less is free; empty: none")
    low_balance_since = models.DateTimeField(null=True, help_text="the mail about it went out")
    state = models.CharField(max_length=16, choices=State.choices, default=State.ACTIVE)
    price_list = models.ForeignKey("store.PriceList", on_delete=models.PROTECT)
    account = models.OneToOneField("store.Account", on_delete=models.PROTECT)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="manager_one_per_country", fields=["company_name", "country"])]

    @property
    def is_suspended(self) -> bool:
        """What that stops, and what goes on: docs/explanation/terms.md."""
        return self.state == self.State.SUSPENDED


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
    channels = models.PositiveIntegerField(default=0, help_text="what its open channel term says; 0: inactive")
    account = models.OneToOneField("store.Account", on_delete=models.PROTECT)
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
    calls_per_second = models.PositiveIntegerField(default=20, help_text="what the operator allows")
    own_calls_per_second = models.PositiveIntegerField(null=True, help_text="the company's own, lower limit; empty: none")
    max_rate_per_minute_micros = models.BigIntegerField(null=True, help_text="dearer calls are barred")
    max_duration_seconds = models.PositiveIntegerField(default=4 * 3600)
    barred_types = models.JSONField(default=list, help_text="number types barred: premium, satellite, international_network")
    barred_destinations = models.JSONField(default=list, help_text="barred countries, NG, and beginnings of numbers, +4470")
    calls_abroad = models.BooleanField(default=True, help_text="to other countries than the Manager's")
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

    @property
    def pace(self) -> int:
        """Calls per second that may be begun."""
        return min(self.calls_per_second, self.own_calls_per_second or self.calls_per_second)


class ChannelUse(models.Model):
    """How many channels of a profile are taken: the count of its rows in `LiveCall`, kept in the same transactions."""

    profile = models.OneToOneField(Profile, primary_key=True, on_delete=models.CASCADE)
    in_use = models.IntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="channel_use_not_negative", condition=Q(in_use__gte=0))]


class Number(models.Model):
    """An Online Number: a geographic number in E.164 digits, on a profile, of a business account, or in a stock: a Manager's or the operator's."""

    e164 = models.CharField(max_length=15, unique=True)
    country = models.CharField(max_length=2)
    area = models.CharField(max_length=80, blank=True, help_text="where it is, for people: a city or an area code")
    monthly_price_micros = models.BigIntegerField(default=0)
    rental_terms = models.TextField(blank=True, help_text="what whoever rents it agrees to, beside the usual")
    residency = models.CharField(max_length=200, blank=True, help_text="who may rent it: the rule of its country")
    manager = models.ForeignKey(Manager, null=True, on_delete=models.PROTECT, related_name="numbers")
    profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, related_name="numbers")
    account = models.ForeignKey("store.BusinessAccount", null=True, on_delete=models.PROTECT, related_name="numbers")

    class Meta:
        constraints = [
            models.CheckConstraint(name="number_on_profile_has_manager", condition=Q(profile__isnull=True) | Q(manager__isnull=False)),
            models.CheckConstraint(
                name="number_in_one_place", condition=Q(account__isnull=True) | Q(profile__isnull=True, manager__isnull=False)
            ),
        ]
