"""How allauth does things here."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from trunkline.domain.errors import Problem
from trunkline.domain.names import check_account_name
from trunkline.store import sealing
from trunkline.store.models import Person
from trunkline.web.accounts.words import FACTOR_REFUSALS, REFUSALS


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """Sign-up makes a company, so it is ours (`views.sign_up`); the rest is allauth's."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | REFUSALS

    def pre_login(self, request: HttpRequest, user: Person, **how: Any) -> HttpResponse | None:
        """An address that was proven on another way (an invitation, the operator's word) needs no code."""
        if user.email_verified_at:
            adopt_email(user)
        answer: HttpResponse | None = super().pre_login(request, user, **how)
        return answer

    def clean_username(self, username: str, shallow: bool = False) -> str:  # noqa: FBT001, FBT002 - allauth's signature
        try:
            return check_account_name(username)
        except Problem as problem:
            raise ValidationError(str(problem)) from problem

    def format_email_subject(self, subject: str) -> str:
        return f"Trunkline: {subject}"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth has no types
    """Secrets of second factors are sealed as SIP passwords are."""

    error_messages: ClassVar = FACTOR_REFUSALS

    def encrypt(self, text: str) -> str:
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text)

    def _get_site_name(self) -> str:
        return "Trunkline"


def adopt_email(person: Person) -> None:
    """allauth keeps addresses in a table of its own; this makes ours, which is proven, known there."""
    known, made = EmailAddress.objects.get_or_create(user=person, email=person.email.lower(), defaults={"primary": True, "verified": True})
    if not made and not known.verified:
        known.verified = True
        known.save(update_fields=["verified"])
