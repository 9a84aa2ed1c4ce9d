"""Who signs in: people, what they may do in which company, and invitations (SPEC R1.1, R1.2)."""
# ruff: noqa: DJ008, RUF012 - see the package

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class People(BaseUserManager["Person"]):
    """Accounts and addresses are found however they are capitalised."""

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(account__iexact=username or "")


class Person(AbstractBaseUser):
    """Somebody who signs in. What one may do is said by memberships; `staff` is for the operator's people."""

    class Staff(models.TextChoices):
        NONE = "", "Not of the operator"
        SUPPORT = "support", "Support: sees everything, changes nothing"
        OPERATOR = "operator", "Operator: everything"

    account = models.CharField(max_length=64, help_text="the name to sign in with: `Architects.Admin`")
    email = models.EmailField(help_text="the address to write to, and to sign in with once it is verified")
    staff = models.CharField(max_length=8, choices=Staff.choices, default=Staff.NONE, blank=True)
    email_verified_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True, help_text="may sign in")
    created_at = models.DateTimeField()

    USERNAME_FIELD = "account"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]
    objects: ClassVar[People] = People()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("account"), name="person_account_once"),
            models.UniqueConstraint(Lower("email"), name="person_email_once"),
        ]

    def __str__(self) -> str:
        return self.account

    @property
    def is_staff(self) -> bool:
        return bool(self.staff)


class Role(models.TextChoices):
    """What a person may do in one company."""

    ADMINISTRATOR = "administrator", "Administrator"
    BILLING = "billing", "Billing"
    REPORTS = "reports", "Reports only"
    READ_ONLY = "read_only", "Read only"


class Membership(models.Model):
    """A person in a company. A Manager always has an administrator (`usecases.people`)."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    since = models.DateTimeField()
    records_acknowledged_at = models.DateTimeField(
        null=True, help_text="was told that call records are personal data, and agreed (SPEC R9.2)"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["person", "manager"]),
            models.CheckConstraint(name="membership_role", condition=Q(role__in=Role.values)),
        ]


class Invitation(models.Model):
    """Of an e-mail address into a company. The letter has the token; here is only its digest."""

    manager = models.ForeignKey("store.Manager", on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "manager", Lower("email"), name="invitation_one_open", condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True)
            ),
            models.CheckConstraint(name="invitation_role", condition=Q(role__in=Role.values)),
        ]


class CacheEntry(models.Model):
    """The table of Django's database cache: counters of attempts to sign in, shared by the web workers."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "web_cache"
