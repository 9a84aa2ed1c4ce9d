"""What happens to an account goes into the audit log of its companies: sign-in, password, second factor, address."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as factor
from django.dispatch import Signal
from django.http import HttpRequest

from trunkline.store.models import Person
from trunkline.usecases import people
from trunkline.web.acting import acting

NOTED: tuple[tuple[Signal, str], ...] = (
    (account.user_logged_in, "person.sign_in"),
    (account.password_changed, "person.change_password"),
    (account.password_set, "person.set_password"),
    (account.password_reset, "person.reset_password"),
    (account.email_changed, "person.change_email"),
    (factor.authenticator_added, "person.add_second_factor"),
    (factor.authenticator_removed, "person.remove_second_factor"),
    (factor.authenticator_reset, "person.new_recovery_codes"),
)


def listen() -> None:
    for signal, action in NOTED:
        signal.connect(_noting(action), weak=False, dispatch_uid=f"trunkline.{action}")
    account.email_confirmed.connect(_email_confirmed, dispatch_uid="trunkline.email_confirmed")


def _noting(action: str) -> Any:
    def note(request: HttpRequest, user: Person, **_: Any) -> None:
        doing = acting(request)
        doing["by"] = type(doing["by"])(user.account, doing["by"].source)
        people.note_event(**doing, person_id=user.pk, action=action)

    return note


def _email_confirmed(request: HttpRequest, email_address: Any, **_: Any) -> None:
    people.note_email_verified(**acting(request), person_id=email_address.user_id)
