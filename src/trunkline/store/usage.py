"""Usage reports: a month of calls of a SIP Profile, of a Manager, or of its deleted profiles (SPEC R9.1, R9.2).

Totals come from the usage buckets, pages from the records by keyset (newest first). A filter beyond the direction can't be answered from
buckets: then only so many records are looked at, and the result says so. A call between two profiles is `internal` for the caller and, without
its cost, `incoming` for the callee, here as in the buckets.
"""
# ruff: noqa: S608 - the statements are made of each other; whatever anybody typed is a parameter

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db import connection

from trunkline.domain.errors import Invalid
from trunkline.domain.months import Month
from trunkline.store.buckets import BUCKET_US, SUMS
from trunkline.store.models import Profile

LARGEST_PAGE = 1000
MOST_LOOKED_AT = 10_000
"""Records that a page with filters goes through; what it finds in them is shown, and the next page goes on behind them."""
LOOKS = (2, 8)
"""Times the lines of a page: so many records are looked at first, since they are enough for most filters and soon gone through."""
MOST_COUNTED = 10_000
"""Records that totals with filters are made of: the newest of the month."""
REF_SHIFT = 10
REF_SLACK_US = 60_000_000
"""A call's reference is made from the moment at which its question was taken up, at most this long after it was asked."""
NOBODY = 0
INCOMING = ("incoming",)
OUTGOING = ("outgoing", "internal")

Parameters = list[Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose calls. One profile's (deleted or not), all of a Manager's, or those of its deleted profiles."""

    manager_id: int
    profile_id: int | None = None
    deleted_only: bool = False

    @property
    def is_whole(self) -> bool:
        """All of the Manager's."""
        return self.profile_id is None and not self.deleted_only

    def profile_ids(self) -> list[int]:
        """Only those of the Manager: somebody else's profile has no calls here."""
        known = Profile.objects.filter(manager_id=self.manager_id)
        if self.profile_id is not None:
            known = known.filter(id=self.profile_id)
        if self.deleted_only:
            known = known.filter(state=Profile.State.DELETED)
        return list(known.values_list("id", flat=True))


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty: everything. `direction`: outgoing (to other profiles, too) or incoming. `number`: the beginning of the number called, E.164 digits."""

    direction: str = ""
    result: str = ""
    number: str = ""
    paid_by: str = ""
    destination: str = ""

    def __post_init__(self) -> None:
        if self.direction not in ("", "outgoing", "incoming"):
            raise Invalid("direction", f"{self.direction[:20]!r} is no direction: use outgoing or incoming.")
        if self.number and not (self.number.lstrip("+").isascii() and self.number.lstrip("+").isdecimal()):
            raise Invalid("number", f"{self.number[:20]!r} is not the beginning of a number: write digits, with the country code first.")

    @property
    def directions(self) -> tuple[str, ...]:
        return {"outgoing": OUTGOING, "incoming": INCOMING}.get(self.direction, OUTGOING + INCOMING)

    @property
    def need_records(self) -> bool:
        """Buckets know nothing of these."""
        return bool(self.result or self.number or self.paid_by or self.destination)

    def condition(self) -> tuple[str, Parameters]:
        """Over columns of records."""
        digits = self.number.lstrip("+")
        wanted: list[tuple[str, Parameters]] = [
            (f"direction IN ({_marks(self.directions)})", [*self.directions]),
            ("result = %s", [self.result]),
            ("callee >= %s AND callee < %s", [digits, digits + ":"]),  # the character after 9
            ("paid_by = %s", [self.paid_by]),
            ("destination = %s", [self.destination]),
        ]
        used = [each for each in wanted if any(each[1]) and each[1] != ["", ":"]]
        return " AND ".join(sql for sql, _ in used), [value for _, values in used for value in values]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums. `cost_micros` in the Manager's currency; `bundle_seconds` are zero-rated, and part of `billed_seconds`."""

    attempts: int = 0
    answered: int = 0
    duration_seconds: int = 0
    billed_seconds: int = 0
    bundle_seconds: int = 0
    cost_micros: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Spent:
    """On outgoing calls, and what was had for it."""

    attempts: int = 0
    duration_seconds: int = 0
    bundle_seconds: int = 0
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    outgoing: Totals
    incoming: Totals


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """`complete` False: only the newest `MOST_COUNTED` records of the month were counted."""

    month: Month
    days: tuple[Day, ...]
    complete: bool = True

    @property
    def outgoing(self) -> Totals:
        return sum((day.outgoing for day in self.days), Totals())

    @property
    def incoming(self) -> Totals:
        return sum((day.incoming for day in self.days), Totals())

    @property
    def total(self) -> Totals:
        return self.outgoing + self.incoming


@dataclass(frozen=True, slots=True)
class Line:
    """One call, as a report shows it."""

    call_ref: int
    profile_id: int
    direction: str
    started_us: int
    caller: str
    dialled: str
    callee: str
    destination: str
    country: str
    duration_seconds: int
    billed_seconds: int
    bundle_seconds: int
    cost_micros: int
    currency: str
    paid_by: str
    result: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Page:
    """`next_before`: pass it as `before` to get the next page; None: there is none.

    With filters a page may have fewer lines, or none, and yet a next one. The two sides of one call are never on different pages.
    """

    lines: tuple[Line, ...]
    next_before: int | None


COLUMNS = tuple(each.name for each in fields(Line))
_CALLER = "CASE direction WHEN 'incoming' THEN caller_shown ELSE caller END AS caller"
"""The called side sees whom it was shown: not what a PBX wrote into its From, nor who asked for privacy."""
_AS_PEER = {
    "caller": "caller_shown",
    "profile_id": "peer_profile_id", "direction": "'incoming'", "billed_seconds": "0", "bundle_seconds": "0", "cost_micros": "0", "paid_by": "''",
}  # fmt: skip
_NAMES = ", ".join(COLUMNS)
_OWN = ", ".join(_CALLER if name == "caller" else name for name in COLUMNS)
_PEER = ", ".join(f"{_AS_PEER[name]} AS {name}" if name in _AS_PEER else name for name in COLUMNS)
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in SUMS)
_RECORD_SUMS = "count(*), coalesce(sum(CASE result WHEN 'answered' THEN 1 ELSE 0 END), 0), " + ", ".join(
    f"coalesce(sum({name}), 0)" for name in SUMS[2:]
)


def usage_of_month(scope: Scope, month: Month, filters: Filters = Filters()) -> MonthUsage:
    """Totals, day by day in the month's zone."""
    days, counts = month.days(), dict[tuple[int, bool], Totals]()
    rows, complete = _from_records(scope, month, filters) if filters.need_records else (_from_buckets(scope, month, filters), True)
    for number, direction, *sums in rows:
        key = number, direction in INCOMING
        counts[key] = counts.get(key, Totals()) + Totals(*map(int, sums))
    shown = (
        Day(day, counts.get((number, False), Totals()), counts.get((number, True), Totals())) for number, (day, _, _) in enumerate(days)
    )
    return MonthUsage(month, tuple(shown), complete)


def outgoing_by_profile(manager_id: int, month: Month) -> dict[int, Spent]:
    """Of those profiles of a Manager, deleted ones too, that called in the month."""
    profiles = "SELECT id FROM store_profile WHERE manager_id = %s"
    # a hundred profiles have hundreds of thousands of buckets in a month: each sum that is not asked for saves a twentieth of the time
    sums = ", ".join(f"sum({each.name})" for each in fields(Spent))
    rows = _all(
        f"SELECT profile_id, {sums} FROM store_usagebucket WHERE profile_id IN ({profiles}) AND starts_us >= %s AND starts_us < %s "
        f"AND direction IN ({_marks(OUTGOING)}) GROUP BY profile_id",
        [manager_id, month.starts_us, month.ends_us, *OUTGOING],
    )
    return {profile_id: Spent(*map(int, spent)) for profile_id, *spent in rows}


def page_of_calls(
    scope: Scope, month: Month, filters: Filters = Filters(), *, before: int | None = None, size: int = 50
) -> Page:  # fmt: skip
    """Calls of the month, newest first, that come before the call `before`."""
    size = min(max(size, 1), LARGEST_PAGE)
    for most in (size + 2,) if filters == Filters() else _looks(size):
        looked_at, parameters = _newest(scope, month, most, before)
        found = _found(looked_at, parameters, filters, size + 2)
        if len(found) > size:
            break
    is_cut_through = len(found) > size and found[size - 1].call_ref == found[size].call_ref
    lines = tuple(found[: size + is_cut_through])
    if len(found) > len(lines):
        return Page(lines, lines[-1].call_ref)
    return Page(lines, _behind(looked_at, parameters) if filters != Filters() else None)


def _looks(size: int) -> tuple[int, ...]:
    """How many records a page with filters goes through, and how many when these don't fill it."""
    return (*(times * size for times in LOOKS if times * size < MOST_LOOKED_AT // 2), MOST_LOOKED_AT)


def _found(looked_at: str, parameters: Parameters, filters: Filters, most: int) -> list[Line]:
    condition, more = filters.condition()
    order = "ORDER BY call_ref DESC, direction LIMIT %s"
    return [Line(*row) for row in _all(f"SELECT {_NAMES} FROM ({looked_at}) records WHERE {condition} {order}", [*parameters, *more, most])]


def every_call(scope: Scope, month: Month, filters: Filters = Filters()) -> Iterator[Line]:
    """All calls of all pages, for an export: no more than a page of them is in memory."""
    before = None
    while True:
        page = page_of_calls(scope, month, filters, before=before, size=LARGEST_PAGE)
        yield from page.lines
        if (before := page.next_before) is None:
            return


def _behind(looked_at: str, parameters: Parameters) -> int | None:
    """Where a page goes on whose filters went through all that may be looked at."""
    [(count, oldest)] = _all(f"SELECT count(*), min(call_ref) FROM ({looked_at}) records", parameters)
    return oldest if count >= MOST_LOOKED_AT else None


def _from_buckets(scope: Scope, month: Month, filters: Filters) -> list[tuple[Any, ...]]:
    """(number of the day, direction, sums)"""
    table, owner, idents = "usagebucket", "profile_id", scope.profile_ids()
    if scope.is_whole:
        table, owner, idents = "managerusage", "manager_id", [scope.manager_id]
    if not idents:
        return []
    days, parameters = _days(month)
    return _all(
        f"WITH days (number, since_us, until_us) AS (VALUES {days}) SELECT number, direction, {_SUMS} FROM days "
        f"JOIN store_{table} ON starts_us >= since_us AND starts_us < until_us "
        f"WHERE {owner} IN ({_marks(idents)}) AND direction IN ({_marks(filters.directions)}) GROUP BY number, direction",
        [*parameters, *idents, *filters.directions],
    )


def _from_records(scope: Scope, month: Month, filters: Filters) -> tuple[list[tuple[Any, ...]], bool]:
    """The same from the newest records, and whether those are all."""
    looked_at, parameters = _newest(scope, month, MOST_COUNTED, None)
    condition, more = filters.condition()
    quarters = _all(
        f"SELECT started_us - started_us %% {BUCKET_US} AS since_us, direction, {_RECORD_SUMS} FROM ({looked_at}) records "
        f"WHERE {condition} GROUP BY since_us, direction",
        [*parameters, *more],
    )
    begins = [since_us for _, since_us, _ in month.days()]
    rows = [(bisect_right(begins, since_us) - 1, *rest) for since_us, *rest in quarters]
    return rows, usage_of_month(scope, month).total.attempts <= MOST_COUNTED


def _newest(scope: Scope, month: Month, most: int, before: int | None) -> tuple[str, Parameters]:
    """The newest `most` calls of the month before a reference, each as its profile sees it."""
    last = (month.ends_us + REF_SLACK_US) << REF_SHIFT
    within = "call_ref >= %s AND call_ref < %s AND started_us >= %s AND started_us < %s ORDER BY call_ref DESC LIMIT %s"
    bounds = [month.starts_us << REF_SHIFT, last if before is None else min(before, last), month.starts_us, month.ends_us, most]
    idents = scope.profile_ids() or [NOBODY]
    own = [scope.manager_id]
    whose = "manager_id = %s"
    if not scope.is_whole:
        whose, own = f"profile_id IN ({_marks(idents)})", idents
    as_peer = f"peer_profile_id IN ({_marks(idents)})"
    sides = (
        f"SELECT * FROM (SELECT {_OWN} FROM store_callrecord WHERE {whose} AND {within}) own "
        f"UNION ALL SELECT * FROM (SELECT {_PEER} FROM store_callrecord WHERE {as_peer} AND {within}) peers"
    )
    return f"SELECT * FROM ({sides}) sides ORDER BY call_ref DESC LIMIT %s", [*own, *bounds, *idents, *bounds, most]


def _days(month: Month) -> tuple[str, Parameters]:
    days = month.days()
    rows = [(number, since_us, until_us) for number, (_, since_us, until_us) in enumerate(days)]
    return ", ".join("(%s, %s, %s)" for _ in rows), [value for row in rows for value in row]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("%s" for _ in values)


def _all(sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
