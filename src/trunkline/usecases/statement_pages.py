"""A statement to look at, page by page: as long as it may be, each page reads its own rows only (SPEC R9.3)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trunkline.domain.statements import Head, Row
from trunkline.store import statements as stored
from trunkline.store.statements import Mark, Purse
from trunkline.store.work import By
from trunkline.usecases import statements

POSTING = 1  # the cell of a row


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows of a month: where the purse stood, and the posting that took it there."""

    head: Head
    last_posting: int


@dataclass(frozen=True, slots=True)
class StatementPage:
    """`opening`: before the first row. `next` None: there are no more rows. `is_closed`: the month will never be different."""

    opening: Head
    rows: tuple[Row, ...]
    next: Place | None
    is_closed: bool

    @property
    def closing(self) -> Head:
        return self.rows[-1].head if self.rows else self.opening


@dataclass(frozen=True, slots=True)
class WholeStatement:
    """A month of a purse, whose end is known before its first row is read. `rows` come as they are read, once; `count`: how many there are."""

    purse: Purse
    opening: Head
    closing: Head
    count: int
    rows: Iterator[Row]
    is_closed: bool


def statement_page(*, now: datetime, by: By, purse: Purse, month: date, after: Place | None = None, size: int = 100) -> StatementPage:
    """The first rows of a month, or those after a place. `after` is believed: it must come from a page of the same month."""
    if after is None:
        found = statements.statement(now=now, by=by, purse=purse, month=month)
        return _page(found.opening, found.rows, size, is_closed=found.is_closed)
    end = stored.closed(purse.account, month)
    return _page(after.head, _rows(purse, month, after, end), size, is_closed=end is not None)


def whole_statement(*, now: datetime, by: By, purse: Purse, month: date, most: int) -> WholeStatement:
    """As far as its first `most` + 1 rows: a count of more than `most` says that there is more.

    It is read twice, so that no row is kept: a purse's movements are only ever added to, so the second reading begins with all rows of the first.
    """
    found = statements.statement(now=now, by=by, purse=purse, month=month)
    closing = found.opening
    for row in itertools.islice(found.rows, most + 1):
        closing = row.head
    count = closing.number - found.opening.number
    again = statements.statement(now=now, by=by, purse=purse, month=month)
    return WholeStatement(purse, found.opening, closing, count, itertools.islice(again.rows, count), found.is_closed)


def _page(opening: Head, rows: Iterable[Row], size: int, *, is_closed: bool) -> StatementPage:
    found = tuple(itertools.islice(rows, size + 1))
    shown = found[:size]
    following = Place(shown[-1].head, int(shown[-1].cells[POSTING])) if len(found) > size else None
    return StatementPage(opening, shown, following, is_closed)


def _rows(purse: Purse, month: date, after: Place, end: Mark | None) -> Iterator[Row]:
    before = (month - timedelta(days=1)).replace(day=1)
    for row_month, row, posting_id in stored.rows_after(purse, Mark(before, after.head, after.last_posting)):
        if row_month != month if end is None else posting_id > end.last_posting:
            return
        yield row
