"""Who signs in to the demo: an administrator of its company, and somebody of the operator.

Their passwords come from the instance's secret key: each instance has its own, none is written down, and each start can tell them
until somebody changes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.credentials import PASSWORD_ALPHABET
from trunkline.runtime.keys import derived_key
from trunkline.runtime.settings import Settings
from trunkline.store.models import Person, Role
from trunkline.usecases import people
from trunkline.usecases.demo import BY, COMPANY

ADMINISTRATOR = f"{COMPANY}.Admin"
OPERATOR = "Operator.Demo"
PASSWORD_LETTERS = 16


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """`password` None: it has been changed."""

    account: str
    password: str | None


@dataclass(frozen=True, slots=True)
class DemoPeople:
    administrator: DemoAccount
    operator: DemoAccount


def load_demo_people(*, now: datetime, settings: Settings, manager_id: int) -> DemoPeople:
    """Adds who is missing."""
    administrator, operator = _new(settings, ADMINISTRATOR), _new(settings, OPERATOR)
    if not _is_there(ADMINISTRATOR):
        people.add_member(now=now, by=BY, manager_id=manager_id, person=administrator, role=Role.ADMINISTRATOR)
    if not _is_there(OPERATOR):
        people.add_staff(now=now, by=BY, person=operator, staff=Person.Staff.OPERATOR)
    return DemoPeople(_as_it_is(administrator), _as_it_is(operator))


def _new(settings: Settings, account: str) -> people.NewPerson:
    key = derived_key(settings, f"password of {account}")
    password = "".join(PASSWORD_ALPHABET[byte % len(PASSWORD_ALPHABET)] for byte in key[:PASSWORD_LETTERS])
    return people.NewPerson(account, f"{account.lower()}@example.com", password, email_proven=True)


def _is_there(account: str) -> bool:
    return Person.objects.filter(account__iexact=account).exists()


def _as_it_is(person: people.NewPerson) -> DemoAccount:
    known = Person.objects.get(account__iexact=person.account)
    return DemoAccount(person.account, person.password if known.check_password(person.password or "") else None)
