"""People and companies: sign-up, invitations, roles, the operator's staff (SPEC R1.1, R1.2, R12)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet

from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.names import check_account_name
from trunkline.store.models import Invitation, Manager, Membership, Person, Role
from trunkline.store.work import By, Work, work
from trunkline.usecases.account_names import take_names
from trunkline.usecases.managers import Company, ManagerCreated, open_manager

INVITATION_LASTS = timedelta(days=14)
MOST_MEMBERS = 500
NewToken = Callable[[], str]


@dataclass(frozen=True, slots=True)
class SignedUp:
    person_id: int
    manager_id: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invited:
    """`token` is told to nobody but the invited address."""

    invitation_id: int
    email: str
    company_name: str
    token: str


@dataclass(frozen=True, slots=True)
class NewPerson:
    """`password` None: one is set later. `email_proven`: it was used to come here, or the operator vouches for it."""

    account: str
    email: str
    password: str | None = None
    email_proven: bool = False


class EmailTaken(Invalid):
    """Only for whoever has proven the address: a stranger must not learn that it has an account."""

    def __init__(self, email: str) -> None:
        super().__init__("email", f"There is an account with {email} already: sign in with it.")


def sign_up_company(*, now: datetime, by: By, company: Company, person: NewPerson, price_list_id: int) -> SignedUp:
    """A company with its first administrator: both, or neither. Raises `EmailTaken` last, after what anybody may be told."""
    with work(now=now, by=by) as doing:
        made = open_manager(doing, company, admin_account=person.account, price_list_id=price_list_id, email=person.email)
        someone = _create_person(doing, person)
        _join(doing, someone, made.manager_id, Role.ADMINISTRATOR)
    return SignedUp(someone.pk, made.manager_id, made.warnings)


def open_another_company(*, now: datetime, by: By, company: Company, person_id: int, price_list_id: int) -> ManagerCreated:
    """For somebody who has an account: one person may administer several (SPEC R1.1)."""
    person = _person(person_id)
    with work(now=now, by=by) as doing:
        account = _unused_admin_account(person.account, company.country)
        made = open_manager(doing, company, admin_account=account, price_list_id=price_list_id, email=person.email)
        _join(doing, person, made.manager_id, Role.ADMINISTRATOR)
    return made


def add_member(*, now: datetime, by: By, manager_id: int, person: NewPerson, role: str) -> int:
    """By the operator, without an invitation. Returns the person's id."""
    _check_role(role)
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        someone = _create_person(doing, person)
        _join(doing, someone, manager_id, role)
    return someone.pk


def invite(*, now: datetime, by: By, manager_id: int, email: str, role: str, new_token: NewToken = secrets.token_urlsafe) -> Invited:
    """Whoever calls this sends the letter. Inviting the same address again ends the first invitation."""
    email = _checked_email(email)
    _check_role(role)
    token = new_token()
    with work(now=now, by=by) as doing:
        manager = doing.locks.one(Manager, manager_id)
        if Membership.objects.filter(manager_id=manager_id, person__email__iexact=email).exists():
            raise Conflict(f"{email} is a member already: change the role instead.")
        if Membership.objects.filter(manager_id=manager_id).count() + _open_invitations(now, manager_id).count() >= MOST_MEMBERS:
            raise Conflict(f"A company has at most {MOST_MEMBERS} people: remove somebody first.")
        Invitation.objects.filter(manager_id=manager_id, email__iexact=email, accepted_at=None, withdrawn_at=None).update(withdrawn_at=now)
        made = Invitation.objects.create(
            manager_id=manager_id,
            email=email,
            role=role,
            token_digest=_digest(token),
            invited_by=Person.objects.filter(account=by.actor).first(),
            created_at=now,
            expires_at=now + INVITATION_LASTS,
        )
        doing.audit("member.invite", email[:80], manager_id=manager_id, after={"role": role})
    return Invited(made.pk, email, manager.company_name, token)


def withdraw_invitation(*, now: datetime, by: By, manager_id: int, invitation_id: int) -> None:
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        invitation = _open_invitations(now, manager_id).filter(pk=invitation_id).first()
        if invitation is None:
            raise NotFound("This invitation is not open any more.")
        invitation.withdrawn_at = now
        invitation.save(update_fields=["withdrawn_at"])
        doing.audit("member.withdraw_invitation", invitation.email[:80], manager_id=manager_id)


def invitation_by_token(now: datetime, token: str) -> Invitation:
    """The open one; raises `NotFound` when there is none, or it has run out."""
    found = Invitation.objects.select_related("manager", "invited_by").filter(token_digest=_digest(token)).first()
    if found is None or found.accepted_at or found.withdrawn_at or found.expires_at <= now:
        raise NotFound("This invitation has been used, withdrawn or has run out: ask for a new one.")
    return found


def accept_invitation(*, now: datetime, by: By, token: str, person_id: int) -> int:
    """By somebody who is signed in. Returns the Manager's id."""
    person = _person(person_id)
    with work(now=now, by=by) as doing:
        invitation = _take(doing, token)
        _join(doing, person, invitation.manager_id, invitation.role)
    return invitation.manager_id


def accept_as_new_person(*, now: datetime, by: By, token: str, account: str, password: str) -> SignedUp:
    """The letter proves the address."""
    with work(now=now, by=by) as doing:
        invitation = _take(doing, token)
        person = _create_person(doing, NewPerson(account, invitation.email, password, email_proven=True))
        _join(doing, person, invitation.manager_id, invitation.role)
    return SignedUp(person.pk, invitation.manager_id, ())


def change_role(*, now: datetime, by: By, manager_id: int, membership_id: int, role: str) -> None:
    _check_role(role)
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
        someone = _create_person(doing, person, staff=staff)
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
    person = _person(person_id)
    with work(now=now, by=by) as doing:
        _audit_everywhere(doing, person, action)


def note_email_verified(*, now: datetime, by: By, person_id: int) -> None:
    person = _person(person_id)
    with work(now=now, by=by) as doing:
        Person.objects.filter(pk=person_id).update(email_verified_at=now)
        _audit_everywhere(doing, person, "person.email_verified")


def _create_person(doing: Work, new: NewPerson, *, staff: str = Person.Staff.NONE) -> Person:
    check_account_name(new.account)
    email = _checked_email(new.email)
    take_names([new.account])
    person = Person(account=new.account, email=email, staff=staff, created_at=doing.now)
    person.email_verified_at = doing.now if new.email_proven else None
    person.set_password(new.password)  # before the next check, so that both answers take their time
    if Person.objects.filter(email__iexact=email).exists():
        raise EmailTaken(email)
    person.save()
    return person


def _join(doing: Work, person: Person, manager_id: int, role: str) -> None:
    if Membership.objects.filter(person=person, manager_id=manager_id).exists():
        raise Conflict(f"{person.account} is a member of this company already.")
    Membership.objects.create(person=person, manager_id=manager_id, role=role, since=doing.now)
    doing.audit("member.add", person.account, manager_id=manager_id, after={"role": role})


def _take(doing: Work, token: str) -> Invitation:
    """The open invitation, used up."""
    invitation = invitation_by_token(doing.now, token)
    doing.locks.one(Manager, invitation.manager_id)
    taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None).update(accepted_at=doing.now)
    if not taken:
        raise Conflict("This invitation was used or withdrawn at this moment.")
    return invitation


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


def _open_invitations(now: datetime, manager_id: int) -> QuerySet[Invitation]:
    return Invitation.objects.filter(manager_id=manager_id, accepted_at=None, withdrawn_at=None, expires_at__gt=now)


def _unused_admin_account(account: str, country: str) -> str:
    """A Manager's administrator account is unique; the second Manager of one person gets its country's name."""
    return account if not Manager.objects.filter(admin_account__iexact=account).exists() else f"{account[:61]}.{country}"


def _person(person_id: int) -> Person:
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound("There is no such account any more.")
    return person


def _checked_email(text: str) -> str:
    try:
        validate_email(text.strip())
    except ValidationError:
        raise Invalid("email", f"{text[:80]!r} is not an e-mail address.") from None
    return text.strip()


def _check_role(role: str) -> None:
    if role not in Role.values:
        raise Invalid("role", f"{role[:20]!r} is not a role: choose one of {', '.join(Role.values)}.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
