"""Invitations by e-mail into a company, in a role (SPEC R1.2)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from trunkline.domain.errors import Conflict, NotFound
from trunkline.store.models import Invitation, Manager, Membership, Person
from trunkline.store.work import By, Work, work
from trunkline.usecases.people import NewPerson, SignedUp, check_role, checked_email, create_person, find_person, join

INVITATION_LASTS = timedelta(days=14)
MOST_MEMBERS = 500
NewToken = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Invited:
    """`token` is told to nobody but the invited address."""

    invitation_id: int
    email: str
    company_name: str
    token: str


def invite(*, now: datetime, by: By, manager_id: int, email: str, role: str, new_token: NewToken = secrets.token_urlsafe) -> Invited:
    """Whoever calls this sends the letter. Inviting the same address again ends the first invitation."""
    email = checked_email(email)
    check_role(role)
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
    person = find_person(person_id)
    with work(now=now, by=by) as doing:
        invitation = _take(doing, token)
        join(doing, person, invitation.manager_id, invitation.role)
    return invitation.manager_id


def accept_as_new_person(*, now: datetime, by: By, token: str, account: str, password: str) -> SignedUp:
    """The letter proves the address."""
    with work(now=now, by=by) as doing:
        invitation = _take(doing, token)
        person = create_person(doing, NewPerson(account, invitation.email, password, email_proven=True))
        join(doing, person, invitation.manager_id, invitation.role)
    return SignedUp(person.pk, invitation.manager_id, ())


def _take(doing: Work, token: str) -> Invitation:
    """The open invitation, used up."""
    invitation = invitation_by_token(doing.now, token)
    doing.locks.one(Manager, invitation.manager_id)
    taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None).update(accepted_at=doing.now)
    if not taken:
        raise Conflict("This invitation was used or withdrawn at this moment.")
    return invitation


def _open_invitations(now: datetime, manager_id: int) -> QuerySet[Invitation]:
    return Invitation.objects.filter(manager_id=manager_id, accepted_at=None, withdrawn_at=None, expires_at__gt=now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
