"""Which SIP Profile or member a Manager's number is for (SPEC R7.1; guide 7.5), and what was agreed to before it was rented."""

from __future__ import annotations

from datetime import datetime

from trunkline.domain.errors import Conflict, NotFound
from trunkline.domain.number_rental import agreement
from trunkline.store.models import BusinessAccount, Number, NumberAgreement, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases.accounts import account_of_name
from trunkline.usecases.caller_id import stop_showing
from trunkline.usecases.numbers import put_number


def put_on_profile(*, now: datetime, by: By, manager_id: int, number_id: int, profile_id: int) -> None:
    """From the Manager's stock, another profile, or a member."""
    with work(now=now, by=by) as doing:
        before, profiles = _lock_profiles(doing, manager_id, number_id, profile_id)
        number = _lock_number(doing, number_id, before)
        if before == profile_id:
            raise Conflict(f"+{number.e164} is on {profiles[profile_id].name} already.")
        _leave(doing, number, profiles)
        put_number(doing, number, manager_id, profile_id, "number.assign")


def put_on_account(*, now: datetime, by: By, manager_id: int, number_id: int, name: str) -> None:
    """Calls to it reach the profile that the member's account is on, or the member."""
    with work(now=now, by=by) as doing:
        before, profiles = _lock_profiles(doing, manager_id, number_id, None)
        account: BusinessAccount = account_of_name(doing, manager_id, name)
        number = _lock_number(doing, number_id, before)
        if number.account_id == account.pk:
            raise Conflict(f"+{number.e164} is allocated to {account.name} already.")
        _leave(doing, number, profiles)
        put_number(doing, number, manager_id, None, "number.assign", account_id=account.pk)


def put_in_stock(*, now: datetime, by: By, manager_id: int, number_id: int) -> None:
    """Of the Manager: calls to it reach nobody until it is allocated again."""
    with work(now=now, by=by) as doing:
        before, profiles = _lock_profiles(doing, manager_id, number_id, None)
        number = _lock_number(doing, number_id, before)
        if before is None and number.account_id is None:
            raise Conflict(f"+{number.e164} is allocated to nobody already.")
        _leave(doing, number, profiles)
        put_number(doing, number, manager_id, None, "number.release")


def agree(*, now: datetime, by: By, manager_id: int, number_id: int) -> None:
    """To the terms of a number, before it is rented: what was agreed to is kept word for word."""
    number = Number.objects.filter(pk=number_id, manager=None).first()
    if number is None:
        raise Conflict("This number is taken: choose another.")
    text = agreement(number.e164, number.rental_terms, number.residency)
    with work(now=now, by=by) as doing:
        NumberAgreement.objects.create(manager_id=manager_id, number=number, text=text, agreed_at=doing.now, agreed_by=by.actor[:80])
        doing.audit("number.agree", f"+{number.e164}", manager_id=manager_id)


def _lock_profiles(doing: Work, manager_id: int, number_id: int, to_profile_id: int | None) -> tuple[int | None, dict[int, Profile]]:
    """Where the number is, and the profiles that it leaves and goes to, locked, by id."""
    known = Number.objects.filter(pk=number_id, manager_id=manager_id).values_list("profile_id", flat=True)
    if not known:
        raise NotFound("There is no such number of this company.")
    before = known[0]
    profiles = doing.locks.many(Profile, [ident for ident in (before, to_profile_id) if ident is not None])
    target = profiles.get(to_profile_id) if to_profile_id is not None else None
    if target is not None and (target.manager_id != manager_id or target.state == Profile.State.DELETED):
        raise NotFound(f"There is no SIP Profile {to_profile_id} of this company.")
    return before, profiles


def _lock_number(doing: Work, number_id: int, before: int | None) -> Number:
    number = doing.locks.one(Number, number_id)
    if number.profile_id != before:
        raise Conflict(f"+{number.e164} was moved at this moment: look at it, then do it again.")
    return number


def _leave(doing: Work, number: Number, profiles: dict[int, Profile]) -> None:
    if number.profile_id is not None:
        stop_showing(doing, profiles[number.profile_id], number.e164, reason="number moved")
