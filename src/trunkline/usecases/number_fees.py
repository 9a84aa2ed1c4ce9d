"""Online Numbers rented by the month: begun, cancelled, kept (SPEC R7.1). What the operator assigns (`numbers`) costs nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from trunkline.domain.errors import NotFound
from trunkline.domain.terms import Offer, next_month, offer
from trunkline.store import ledger, queries
from trunkline.store.models import Manager, Number, Term
from trunkline.store.work import By, work
from trunkline.usecases import terms
from trunkline.usecases.numbers import put_number
from trunkline.usecases.profile_changes import lock_profile
from trunkline.usecases.terms import Bought, Cancelled
from trunkline.usecases.till import begin_term, open_till

WHAT = "months of this number"


def preview_number(*, now: datetime, manager_id: int, number_id: int, allow_foreign: bool = False) -> Offer:
    """The first month's price, and when the next is due."""
    manager = queries.manager(manager_id)
    return _offer(manager, _number(number_id), ledger.free(manager.account), now, allow_foreign=allow_foreign)


def rent_number(
    *,
    now: datetime,
    by: By,
    manager_id: int,
    number_id: int,
    profile_id: int | None = None,
    reference: str = "",
    allow_foreign: bool = False,
) -> Bought:
    """From the operator's stock to the Manager, on a profile or for later; renewed on the same day of each month. All or nothing."""
    reference = terms.check_reference(reference)
    with work(now=now, by=by) as doing:
        till = open_till(doing, queries.manager(manager_id))
        profile = lock_profile(doing, profile_id) if profile_id is not None else None
        number = doing.locks.one(Number, number_id)
        if known := terms.bought_before(till, reference, kind=Term.Kind.NUMBER, number_id=number_id):
            return known
        if profile is not None and profile.manager_id != manager_id:
            raise NotFound(f"There is no SIP Profile {profile_id} of this Manager.")
        found = _offer(till.manager, number, ledger.free(till.credit), doing.now, allow_foreign=allow_foreign)
        found.must_be_possible()
        term = Term(kind=Term.Kind.NUMBER, manager_id=manager_id, number=number, profile=profile, reference=reference)
        term.price_micros, term.starts_at, term.ends_at = found.price_micros, found.starts_at, found.ends_at
        term.anchored_at = found.starts_at
        begin_term(doing, till, term)
        terms.log(doing, "number.rent", term)
        put_number(doing, number, manager_id, profile_id, "number.assign")
    return terms.bought(till, term)


def cancel_number(*, now: datetime, by: By, manager_id: int, number_id: int) -> Cancelled:
    """Usable until the end of the month that is paid, then it returns to the operator's stock."""
    return _set_renewal(now, by, manager_id, number_id, renews=False)


def undo_cancel_number(*, now: datetime, by: By, manager_id: int, number_id: int) -> Cancelled:
    """Renewed again at `ends_at`."""
    return _set_renewal(now, by, manager_id, number_id, renews=True)


def month_after(term: Term) -> datetime:
    """When the month ends that follows this one."""
    return next_month(term.anchored_at or term.starts_at, term.ends_at, ZoneInfo(term.manager.time_zone))


def _set_renewal(now: datetime, by: By, manager_id: int, number_id: int, *, renews: bool) -> Cancelled:
    with work(now=now, by=by) as doing:
        number = doing.locks.one(Number, number_id)
        known = Term.objects.filter(number=number, manager_id=manager_id, ended_at=None).first()
        term = terms.set_renewal(doing, known, renews=renews, what=WHAT)
    return Cancelled(term.pk, term.ends_at)


def _offer(manager: Manager, number: Number, free_micros: int, now: datetime, *, allow_foreign: bool) -> Offer:
    problems = []
    if number.manager_id is not None:
        problems.append(f"+{number.e164} is taken: choose another number.")
    if number.country != manager.country and not allow_foreign:
        problems.append(
            f"+{number.e164} is a number of {number.country}, the Manager is in {manager.country}: the operator must allow that."
        )
    found = offer(
        asked=1,
        quantity=1,
        unit_price_micros=number.monthly_price_micros,
        running=None,
        free_micros=free_micros,
        currency=manager.currency,
        now=now,
        suspended=manager.is_suspended,
        problems=problems,
    )
    return replace(found, ends_at=next_month(now, now, ZoneInfo(manager.time_zone)))


def _number(number_id: int) -> Number:
    number = Number.objects.filter(pk=number_id).first()
    if number is None:
        raise NotFound(f"There is no Online Number {number_id}.")
    return number
