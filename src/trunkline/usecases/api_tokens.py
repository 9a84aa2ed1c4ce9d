"""Tokens of programs that act for a company: made, revoked, recognised (SPEC R1.2)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.names import check_name
from trunkline.store.models import ApiToken, Manager, Role
from trunkline.store.work import By, work

BEGINNING = "tl_"
SHOWN_CHARACTERS = 11
MOST_TOKENS = 50
LONGEST_DAYS = 3650
MAY_SEE_CALLS = (Role.ADMINISTRATOR, Role.BILLING, Role.REPORTS)
USE_IS_NOTED_EVERY = timedelta(minutes=1)
NewSecret = Callable[[], str]


@dataclass(frozen=True, slots=True)
class NewToken:
    """`token` is told once, now."""

    token_id: int
    token: str


def create_token(
    *,
    now: datetime,
    by: By,
    manager_id: int,
    name: str,
    role: str,
    call_details: bool = False,
    days: int | None = None,
    new_secret: NewSecret = secrets.token_urlsafe,
) -> NewToken:
    """`days`: so long it is good; None: until it is revoked. `call_details`: it may see who called whom (SPEC R9.2)."""
    name = check_name(name, "name", longest=80)
    _check(role, days, call_details=call_details)
    token = BEGINNING + new_secret()
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        if _good(now).filter(manager_id=manager_id).count() >= MOST_TOKENS:
            raise Conflict(f"A company has at most {MOST_TOKENS} tokens: revoke one that nobody uses.")
        made = ApiToken.objects.create(
            manager_id=manager_id,
            name=name,
            role=role,
            call_details=call_details,
            digest=_digest(token),
            prefix=token[:SHOWN_CHARACTERS],
            created_by=by.actor[:80],
            created_at=now,
            expires_at=now + timedelta(days=days) if days else None,
        )
        after = {"prefix": made.prefix, "role": role, "call_details": call_details, "days": days}
        doing.audit("api_token.create", name, manager_id=manager_id, after=after)
    return NewToken(made.pk, token)


def revoke_token(*, now: datetime, by: By, manager_id: int, token_id: int) -> None:
    """At once: its next request is refused."""
    with work(now=now, by=by) as doing:
        found = ApiToken.objects.filter(pk=token_id, manager_id=manager_id).first()
        if found is None:
            raise NotFound("There is no such token.")
        if not ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=now):
            raise Conflict(f"{found.name} was revoked before.")
        doing.audit("api_token.revoke", found.name, manager_id=manager_id, before={"prefix": found.prefix, "role": found.role})


def recognise(now: datetime, token: str) -> ApiToken | None:
    """The token with its Manager; None: unknown, run out or revoked. That it was used is noted to the minute."""
    found = _good(now).select_related("manager__account", "manager__price_list").filter(digest=_digest(token)).first()
    if found is not None and (found.last_used_at is None or found.last_used_at <= now - USE_IS_NOTED_EVERY):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def _good(now: datetime) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


def _check(role: str, days: int | None, *, call_details: bool) -> None:
    if role not in Role.values:
        raise Invalid("role", f"{role[:20]!r} is not a role: choose one of {', '.join(Role.values)}.")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Invalid("days", f"A token is good for 1 to {LONGEST_DAYS} days, or until it is revoked.")
    if call_details and role not in MAY_SEE_CALLS:
        raise Invalid("call_details", f"The role {role} sees no call records: choose another role, or leave this away.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
