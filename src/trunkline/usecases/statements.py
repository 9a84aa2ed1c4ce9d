"""Statements: exported by month, and closed when a month is over (SPEC R9.3, ADR 0009)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from trunkline.domain import statement_files as files
from trunkline.domain.errors import Invalid, NotFound
from trunkline.domain.statement_check import CLOSING, OPENING
from trunkline.domain.statements import FORMAT, Head, Row, amount_text, seal
from trunkline.store import queries, statements
from trunkline.store.models import Manager, Profile, Term
from trunkline.store.statements import Purse
from trunkline.store.work import By, work

SETTLING = timedelta(hours=1)
"""After a month's end, before it is closed: what its last calls cost is booked by then. What comes later belongs to the next month."""
STILL_MOVING = timedelta(days=40)
"""After a bundle's end: so long its last month may wait to be closed. Later only those who look at it close it."""
ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Closed:
    """How many purses had months closed; `more`: the limit was reached, there may be others."""

    purses: int
    more: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A month of a purse. `rows` come from the store as they are read, once. `is_closed`: it will never be different."""

    purse: Purse
    month: date
    is_closed: bool
    opening: Head
    rows: Iterator[Row]


def purse_of(*, manager_id: int | None = None, profile_id: int | None = None, term_id: int | None = None) -> Purse:
    """A Manager's Credit, a SIP Profile's (also a deleted one's), or a bundle's minutes: exactly one is named."""
    if manager_id is not None and profile_id is None and term_id is None:
        return statements.purse_of_manager(queries.manager(manager_id))
    if profile_id is not None and manager_id is None and term_id is None:
        if (profile := Profile.objects.select_related("account", "manager").filter(pk=profile_id).first()) is None:
            raise NotFound(f"There is no SIP Profile {profile_id}.")
        return statements.purse_of_profile(profile)
    if term_id is not None and manager_id is None and profile_id is None:
        bundles = Term.objects.select_related("minutes", "manager").filter(minutes__isnull=False)
        if (term := bundles.filter(pk=term_id).first()) is None:
            raise NotFound(f"There is no bundle term {term_id}.")
        return statements.purse_of_term(term)
    raise Invalid("purse", "Name one purse: a Manager's, a SIP Profile's or a bundle term's.")


def statement(*, now: datetime, by: By, purse: Purse, month: date) -> Statement:
    """A month as it stands. One that is over is closed first, so that who looks again sees the same."""
    if month > _month_at(now, purse.zone):
        raise Invalid("month", f"{month:%Y-%m} has not begun yet in {purse.zone.key}.")
    if month <= _last_ended(now, purse.zone):
        _close(purse, _last_ended(now, purse.zone), now=now, by=by)
    end = statements.closed(purse.account, month)
    before = statements.last_closed(purse.account, month)
    rows = statements.rows_after(purse, before)
    if end is not None:
        mine = itertools.takewhile(lambda each: each[2] <= end.last_posting, rows)
        return Statement(purse, month, is_closed=True, opening=before.head, rows=(row for _, row, _ in mine))
    opening, rest = _from_month(before.head, rows, month)
    mine = itertools.takewhile(lambda each: each[0] == month, rest)
    return Statement(purse, month, is_closed=False, opening=opening, rows=(row for _, row, _ in mine))


def export(found: Statement, file_format: str) -> Iterator[str]:
    """The text of a statement, in pieces."""
    if file_format not in files.FORMATS:
        raise Invalid("format", f"{file_format!r} is not a format: use {' or '.join(files.FORMATS)}.")
    as_csv = file_format == "csv"
    opening = _opening(found)
    yield files.csv_head(opening) if as_csv else files.json_line(opening)
    head = found.opening
    while rows := list(itertools.islice(found.rows, ROWS_AT_ONCE)):
        head = rows[-1].head
        yield files.csv_rows(rows) if as_csv else files.json_rows(rows)
    closing = _closing(found, head, opening)
    yield files.csv_end(closing) if as_csv else files.json_line(closing)


def close_months(*, now: datetime, by: By, limit: int = 1_000) -> Closed:
    """Close what is over, for purses in use. Idempotent; several may do it at once. No call waits for it."""
    zones: dict[date, list[str]] = {}  # by the month that ended last there: one, and at the turn of a month two
    for name in Manager.objects.values_list("time_zone", flat=True).distinct():
        zones.setdefault(_last_ended(now, ZoneInfo(name)), []).append(name)
    done = 0
    for last, names in zones.items():
        for account in statements.to_close(names, last, now - STILL_MOVING)[: limit - done]:
            _close(statements.purse_of(account), last, now=now, by=by)
            done += 1
    return Closed(done, more=done >= limit)


def _close(purse: Purse, last: date, *, now: datetime, by: By) -> None:
    """Read and hashed outside of the transaction, which only writes."""
    if marks := statements.marks_until(purse, last, always=True):
        with work(now=now, by=by):
            statements.save(purse.account, marks, now)


def _last_ended(now: datetime, zone: ZoneInfo) -> date:
    return (_month_at(now - SETTLING, zone) - timedelta(days=1)).replace(day=1)


def _month_at(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date().replace(day=1)


def _from_month(head: Head, rows: Iterable[tuple[date, Row, int]], month: date) -> tuple[Head, Iterator[tuple[date, Row, int]]]:
    """Where the purse stood when a month began, and the rows from there on."""
    rows = iter(rows)
    for row in rows:
        if row[0] >= month:
            return head, itertools.chain([row], rows)
        head = row[1].head
    return head, iter(())


def _opening(found: Statement) -> dict[str, str]:
    account, head = found.purse.account, found.opening
    values = (
        FORMAT,
        found.purse.words,
        str(account.pk),
        account.currency,
        f"{found.month:%Y-%m}",
        found.purse.zone.key,
        str(head.number),
        amount_text(head.balance, account.currency),
        head.digest,
    )
    return dict(zip(OPENING, values, strict=True))


def _closing(found: Statement, head: Head, opening: dict[str, str]) -> dict[str, str]:
    balance = amount_text(head.balance, found.purse.account.currency)
    values = (str(head.number), balance, head.digest, "closed" if found.is_closed else "open")
    closing = dict(zip(CLOSING[:-1], values, strict=True))
    return {**closing, "seal": seal({**opening, **closing})}
