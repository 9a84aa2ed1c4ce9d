"""Business accounts, Caller ID by country, and how a company shows who it is (SPEC R1.3, R1.4, R7.1, R8.1)."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class AccountGroup(models.Model):
    """What a company calls some of its business accounts: a department, a place."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="account_groups")
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint("manager", Lower("name"), name="account_group_once")]


class BusinessAccount(models.Model):
    """A name that callers call (`Architects.Sales`): on a profile its calls go to the PBX, at `extension` if there is one.

    Off a profile its `person`, if it has one, signs in with it. Names are unique among these and people's (`usecases.account_names`).
    """

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="business_accounts")
    name = models.CharField(max_length=64)
    person = models.OneToOneField("store.Person", null=True, on_delete=models.PROTECT, related_name="business_account")
    profile = models.ForeignKey("store.Profile", null=True, on_delete=models.PROTECT, related_name="business_accounts")
    extension = models.CharField(max_length=32, blank=True, help_text="user part of INVITEs to the PBX; empty: the name")
    sign_in_stopped = models.BooleanField(default=False, help_text="by adding it to a profile: taken off, its person can sign in again")
    groups = models.ManyToManyField(AccountGroup, related_name="accounts")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="business_account_name_once"),
            models.CheckConstraint(
                name="business_account_place", condition=Q(profile__isnull=False) | Q(extension="", sign_in_stopped=False)
            ),
        ]


class Landline(models.Model):
    """A number of the company elsewhere, that its profiles may show once it is `proven` to be the company's."""

    class Proof(models.TextChoices):
        WAITING = "waiting", "Waiting for proof"
        OPERATOR = "operator", "Proven: looked at by the operator"
        CALL = "call", "Proven by a call with a PIN"

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="landlines")
    e164 = models.CharField(max_length=15)
    proof = models.CharField(max_length=8, choices=Proof.choices, default=Proof.WAITING)
    proven_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True, help_text="what the proof was")
    wanted_by = models.ForeignKey(
        "store.Profile", null=True, on_delete=models.SET_NULL, related_name="+", help_text="shows it once it is proven"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="landline_once", fields=["manager", "e164"]),
            models.CheckConstraint(
                name="landline_proof",
                condition=Q(proof="waiting", proven_at__isnull=True) | (~Q(proof="waiting") & Q(proven_at__isnull=False)),
            ),
        ]


class CallerIdRule(models.Model):
    """Calls of a profile to `country` show `e164` instead of the profile's Caller ID."""

    profile = models.ForeignKey("store.Profile", on_delete=models.CASCADE, related_name="caller_id_rules")
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2")
    e164 = models.CharField(max_length=15)

    class Meta:
        constraints = [models.UniqueConstraint(name="caller_id_rule_once", fields=["profile", "country"])]


class CompanyDetails(models.Model):
    """What a company says it is. `Manager.verification` says what the operator found."""

    manager = models.OneToOneField("store.Manager", on_delete=models.PROTECT, related_name="details")
    legal_name = models.CharField(max_length=160)
    registration_number = models.CharField(max_length=60)
    address = models.CharField(max_length=400)
    contact_name = models.CharField(max_length=120)
    contact_phone = models.CharField(max_length=32)
    submitted_at = models.DateTimeField()
    submitted_by = models.CharField(max_length=80)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=80, blank=True)


class CompanyDocument(models.Model):
    """A file that supports the details; its content is in the home of the instance (`store.documents`), under a name of its own."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="documents")
    name = models.CharField(max_length=120, help_text="as the company calls it")
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    stored_as = models.CharField(max_length=64, unique=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=80)


class NumberAgreement(models.Model):
    """What a company agreed to before it rented a number."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="number_agreements")
    number = models.ForeignKey("store.Number", on_delete=models.PROTECT, related_name="agreements")
    text = models.TextField()
    agreed_at = models.DateTimeField()
    agreed_by = models.CharField(max_length=80)
