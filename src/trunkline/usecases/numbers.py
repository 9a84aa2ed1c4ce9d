"""Online Numbers: the operator's stock, and which SIP Profile a number is on (SPEC R7.1, R7.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from trunkline.domain.errors import Conflict, NotFound
from trunkline.domain.number_sheet import StockNumber, read_numbers
from trunkline.store.models import Change, Number, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases.caller_id import stop_showing
from trunkline.usecases.profile_changes import announce, lock_profile

BATCH = 500


def import_numbers(*, now: datetime, by: By, data: bytes) -> int:
    """A sheet of numbers into the stock: all of them or, when a line is wrong or a number is known, none. Returns how many."""
    return add_numbers(now=now, by=by, stock=read_numbers(data))


def add_numbers(*, now: datetime, by: By, stock: Sequence[StockNumber]) -> int:
    with work(now=now, by=by) as doing:
        if known := _known(number.e164 for number in stock):
            raise Conflict(f"Already in the store: {', '.join('+' + e164 for e164 in known[:10])}. Take them out and import the rest.")
        Number.objects.bulk_create((Number(**asdict(number)) for number in stock), batch_size=BATCH)
        doing.audit("number.add", f"{len(stock)} numbers", after={"first": stock[0].e164, "count": len(stock)})
        doing.changed(Change.What.NUMBERS)
    return len(stock)


def assign_number(*, now: datetime, by: By, e164: str, profile_id: int, allow_foreign: bool = False) -> None:
    """Calls to the number reach the profile's PBX. It leaves the stock or another profile of the same Manager, never another company."""
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        number = _lock_number(doing, e164)
        manager = profile.manager
        if number.manager_id not in (None, manager.pk):
            raise Conflict(f"+{number.e164} belongs to another company: it must be released first.")
        if number.profile_id == profile_id:
            raise Conflict(f"+{number.e164} is on {profile.name} already.")
        if number.profile_id is not None:
            raise Conflict(f"+{number.e164} is on another SIP Profile: release it there first.")
        if number.country != manager.country and not allow_foreign:
            raise Conflict(f"+{number.e164} is a number of {number.country}, the Manager is in {manager.country}: that must be allowed.")
        put_number(doing, number, manager.pk, profile_id, "number.assign")


def release_number(*, now: datetime, by: By, e164: str, to_operator: bool = False) -> None:
    """Off its profile, back to the stock of its Manager or, `to_operator`, of the operator. A Caller ID that shows it is cleared."""
    ident = number_named(e164).pk
    with work(now=now, by=by) as doing:
        number, profile = lock_place(doing, ident)
        if profile is None and number.account_id is None and (number.manager_id is None or not to_operator):
            raise Conflict(f"+{number.e164} is on no SIP Profile.")
        if to_operator and number.terms.filter(ended_at=None).exists():
            raise Conflict(f"+{number.e164} is rented: when its term is cancelled it returns to the stock by itself.")
        send_back(doing, number, profile, manager_id=None if to_operator else number.manager_id)


def lock_place(doing: Work, number_id: int) -> tuple[Number, Profile | None]:
    """A number and the profile that it is on, locked. Raises `Conflict` when it was moved at this moment."""
    before = Number.objects.filter(pk=number_id).values_list("profile_id", flat=True).first()
    profile = lock_profile(doing, before) if before is not None else None
    number = doing.locks.one(Number, number_id)
    if number.profile_id != before:
        raise Conflict(f"+{number.e164} was moved at this moment: look at it, then do it again.")
    return number, profile


def send_back(doing: Work, number: Number, profile: Profile | None, *, manager_id: int | None) -> None:
    """To the stock of a Manager, or of the operator. A Caller ID that shows the number is cleared."""
    if profile is not None:
        stop_showing(doing, profile, number.e164, reason="number released")
    put_number(doing, number, manager_id, None, "number.release")


def put_number(
    doing: Work, number: Number, manager_id: int | None, profile_id: int | None, action: str, *, account_id: int | None = None
) -> None:
    """On a profile, of a business account, or in a stock; logged and announced."""
    before = _place(number)
    changed_profiles = [ident for ident in (number.profile_id, profile_id) if ident is not None]
    owner = manager_id or number.manager_id
    number.manager_id, number.profile_id, number.account_id = manager_id, profile_id, account_id
    number.save(update_fields=["manager", "profile", "account"])
    doing.audit(action, f"+{number.e164}", manager_id=owner, before=before, after=_place(number))
    doing.changed(Change.What.NUMBERS, number.e164)
    for profile in Profile.objects.filter(pk__in=changed_profiles):
        announce(doing, profile)


def _place(number: Number) -> dict[str, int | None]:
    place = {"manager": number.manager_id, "profile": number.profile_id}
    return place | {"account": number.account_id} if number.account_id else place


def number_named(e164: str) -> Number:
    """As somebody types it; raises `NotFound`."""
    digits = e164.strip().lstrip("+")
    number = Number.objects.filter(e164=digits).first()
    if number is None:
        raise NotFound(f"+{digits[:20]} is not in the stock: add it first.")
    return number


def _lock_number(doing: Work, e164: str) -> Number:
    return doing.locks.one(Number, number_named(e164).pk)


def _known(e164s: Iterable[str]) -> list[str]:
    wanted = list(e164s)
    parts = (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))
    return [e164 for part in parts for e164 in Number.objects.filter(e164__in=part).values_list("e164", flat=True)]
