"""People and companies: sign-up, roles, the operator's staff (SPEC R1.1, R1.2, R12). Invitations: `usecases.invitations`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.names import check_account_name
from trunkline.store.models import Manager, Membership, Person, Role
from trunkline.store.work import By, Work, work
from trunkline.usecases.account_names import take_names
from trunkline.usecases.managers import Company, ManagerCreated, open_manager


@dataclass(frozen=True, slots=True)
class SignedUp:
    person_id: int
    manager_id: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewPerson:
    """`password` None: one is set later, unless there is a `password_hash`. `email_proven`: it was used to come here, or the operator vouches for
    it."""

    account: str
    email: str
    password: str | None = None
    email_proven: bool = False
    password_hash: str = ""


class EmailTaken(Invalid):
    """Only for whoever has proven the address: a stranger must not learn that it has an account."""

    def __init__(self, email: str) -> None:
        super().__init__("email", f"There is an account with {email} already: sign in with it.")


def sign_up_company(*, now: datetime, by: By, company: Company, person: NewPerson, price_list_id: int) -> SignedUp:
    """A company with its first administrator: both, or neither. Raises `EmailTaken` last, after what anybody may be told."""
    with work(now=now, by=by) as doing:
        return _sign_up(doing, company, person, price_list_id)


def rehearse_sign_up(*, now: datetime, by: By, company: Company, person: NewPerson, price_list_id: int) -> bool:
    """Raises what `sign_up_company` would, and makes nothing. Returns whether the address has no account."""
    is_free = False
    with suppress(_RehearsedError, EmailTaken), work(now=now, by=by) as doing:
        _sign_up(doing, company, person, price_list_id)
        is_free = True
        raise _RehearsedError
    return is_free


class _RehearsedError(Exception):
    """It would work: back to before."""


def _sign_up(doing: Work, company: Company, person: NewPerson, price_list_id: int) -> SignedUp:
    made = open_manager(doing, company, admin_account=person.account, price_list_id=price_list_id, email=person.email)
    someone = create_person(doing, person)
    join(doing, someone, made.manager_id, Role.ADMINISTRATOR)
    return SignedUp(someone.pk, made.manager_id, made.warnings)


def open_another_company(*, now: datetime, by: By, company: Company, person_id: int, price_list_id: int) -> ManagerCreated:
    """For somebody who has an account: one person may administer several (SPEC R1.1)."""
    person = find_person(person_id)
    with work(now=now, by=by) as doing:
        account = _unused_admin_account(person.account, company.country)
        made = open_manager(doing, company, admin_account=account, price_list_id=price_list_id, email=person.email)
        join(doing, person, made.manager_id, Role.ADMINISTRATOR)
    return made


def add_member(*, now: datetime, by: By, manager_id: int, person: NewPerson, role: str) -> int:
    """By the operator, without an invitation. Returns the person's id."""
    check_role(role)
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        someone = create_person(doing, person)
        join(doing, someone, manager_id, role)
    return someone.pk


def change_role(*, now: datetime, by: By, manager_id: int, membership_id: int, role: str) -> None:
    check_role(role)
    with work(now=now, by=by) as doing:
        membership = _membership(doing, manager_id, membership_id)
        if role != Role.ADMINISTRATOR:
            _check_another_administrator(membership)
        before, membership.role = {"role": membership.role}, role
        membership.save(update_fields=["role"])
        doing.audit("member.role", membership.person.account, manager_id=manager_id, before=before, after={"role": role})


def remove_member(*, now: datetime, by: By, manager_id: int, membership_id: int) -> None:
    """Out of this company; the account itself stays, for others."""
    with work(now=now, by=by) as doing:
        membership = _membership(doing, manager_id, membership_id)
        _check_another_administrator(membership)
        membership.delete()
        doing.audit("member.remove", membership.person.account, manager_id=manager_id, before={"role": membership.role})


def add_staff(*, now: datetime, by: By, person: NewPerson, staff: str) -> int:
    """Somebody of the operator. Returns the person's id."""
    if staff not in (Person.Staff.SUPPORT, Person.Staff.OPERATOR):
        raise Invalid("staff", f"{staff[:20]!r} is not possible: choose support or operator.")
    with work(now=now, by=by) as doing:
        someone = create_person(doing, person, staff=staff)
        doing.audit("staff.add", someone.account, after={"staff": staff})
    return someone.pk


def set_password(*, now: datetime, by: By, account: str, password: str) -> None:
    """By the operator, for somebody who can't reset it by mail. Ends all sessions of that person."""
    with work(now=now, by=by) as doing:
        person = Person.objects.filter(account__iexact=account).first()
        if person is None:
            raise NotFound(f"There is no account {account[:64]!r}.")
        person.set_password(password)
        person.save(update_fields=["password"])
        _audit_everywhere(doing, person, "person.set_password")


def note_event(*, now: datetime, by: By, person_id: int, action: str) -> None:
    """Something about an account that its companies' administrators should see: a new password, a second factor."""
    person = find_person(person_id)
    with work(now=now, by=by) as doing:
        _audit_everywhere(doing, person, action)


def note_email_verified(*, now: datetime, by: By, person_id: int) -> None:
    person = find_person(person_id)
    with work(now=now, by=by) as doing:
        Person.objects.filter(pk=person_id).update(email_verified_at=now)
        _audit_everywhere(doing, person, "person.email_verified")


def create_person(doing: Work, new: NewPerson, *, staff: str = Person.Staff.NONE) -> Person:
    check_account_name(new.account)
    email = checked_email(new.email)
    take_names([new.account])
    person = Person(account=new.account, email=email, staff=staff, created_at=doing.now)
    person.email_verified_at = doing.now if new.email_proven else None
    if new.password_hash:
        person.password = new.password_hash
    else:
        person.set_password(new.password)
    if Person.objects.filter(email__iexact=email).exists():
        raise EmailTaken(email)
    person.save()
    return person


def join(doing: Work, person: Person, manager_id: int, role: str) -> None:
    if Membership.objects.filter(person=person, manager_id=manager_id).exists():
        raise Conflict(f"{person.account} is a member of this company already.")
    Membership.objects.create(person=person, manager_id=manager_id, role=role, since=doing.now)
    doing.audit("member.add", person.account, manager_id=manager_id, after={"role": role})


def _membership(doing: Work, manager_id: int, membership_id: int) -> Membership:
    """The Manager's lock makes changes to its members take turns."""
    doing.locks.one(Manager, manager_id)
    membership = Membership.objects.select_related("person").filter(pk=membership_id, manager_id=manager_id).first()
    if membership is None:
        raise NotFound("There is no such member any more.")
    return membership


def _check_another_administrator(membership: Membership) -> None:
    others = Membership.objects.filter(manager_id=membership.manager_id, role=Role.ADMINISTRATOR, person__is_active=True)
    if membership.role == Role.ADMINISTRATOR and not others.exclude(pk=membership.pk).exists():
        raise Conflict(f"{membership.person.account} is the last administrator: make somebody else an administrator first.")


def _audit_everywhere(doing: Work, person: Person, action: str) -> None:
    """In the log of each of the person's companies; once without a company if there is none."""
    companies: list[int | None] = list(person.memberships.values_list("manager_id", flat=True))
    for manager_id in companies or [None]:
        doing.audit(action, person.account, manager_id=manager_id)


def _unused_admin_account(account: str, country: str) -> str:
    """A Manager's administrator account is unique; the second Manager of one person gets its country's name."""
    return account if not Manager.objects.filter(admin_account__iexact=account).exists() else f"{account[:61]}.{country}"


def find_person(person_id: int) -> Person:
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound("There is no such account any more.")
    return person


def checked_email(text: str) -> str:
    try:
        validate_email(text.strip())
    except ValidationError:
        raise Invalid("email", f"{text[:80]!r} is not an e-mail address.") from None
    return text.strip()


def check_role(role: str) -> None:
    if role not in Role.values:
        raise Invalid("role", f"{role[:20]!r} is not a role: choose one of {', '.join(Role.values)}.")
