"""Statements: every movement of one purse, numbered since it was opened, with the balance after it, chained by hash (SPEC R9.3).

A row's hash covers the hash before it and all its cells as they are shown, so that nothing in a statement, nor its order, can be changed
without being seen; and each balance follows from the one before. Whatever is in a row never changes afterwards: a purse is named by its
number, not by a name that somebody may give anew. Changing a cell here is a new `FORMAT`; changing words is a new wording
(`statement_words`).

A month is what was booked in it, in the order of booking. What is booked late (an end that call control read after it was away) belongs
to the month in which the movement before it is, or to the first one that is not closed: a closed month never changes (ADR 0009).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from trunkline.domain.errors import Invalid
from trunkline.domain.money import decimal_text
from trunkline.domain.statement_words import WORDING, plain, what_text

FORMAT = "trunkline-statement/1"
SECONDS = "SEC"
COLUMNS = ("number", "posting", "at", "what", "other_side", "amount", "balance", "reference", "hash")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Movement:
    """One posting as seen from a purse. `amount` is negative when it leaves; `other_side` is in words."""

    posting_id: int
    posted_us: int
    kind: str
    note: str
    other_side: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where a purse stands after `number` movements: its balance, and the hash of the last row."""

    number: int
    balance: int
    digest: str


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` in the order of `COLUMNS`, the hash is the last one; `head` is where the purse stands after it."""

    cells: tuple[str, ...]
    head: Head


def opened(account_id: int, currency: str) -> Head:
    """Before the first movement. The hash names the purse: the chain of one is never that of another."""
    return Head(0, 0, _digest([FORMAT, str(account_id), currency]))


def add(head: Head, movement: Movement, currency: str, wording: int = WORDING) -> Row:
    """The next row of the chain; in the words of its month."""
    number, balance = head.number + 1, head.balance + movement.amount
    content = (
        str(number),
        str(movement.posting_id),
        moment_text(movement.posted_us),
        what_text(movement.kind, movement.note, wording),
        movement.other_side,
        amount_text(movement.amount, currency),
        amount_text(balance, currency),
        plain(movement.reference),
    )
    digest = row_digest(head.digest, content)
    return Row((*content, digest), Head(number, balance, digest))


def row_digest(before: str, content: Sequence[str]) -> str:
    """Of a row's cells without the hash itself."""
    return _digest([before, *content])


def seal(facts: Mapping[str, str]) -> str:
    """Over the head and foot of a statement: everything that is not a row."""
    return _digest([FORMAT, *(f"{name}={value}" for name, value in facts.items())])


def amount_text(amount: int, currency: str) -> str:
    """Decimal text of money; whole seconds of minutes."""
    return str(amount) if currency == SECONDS else decimal_text(amount)


def moment_text(posted_us: int) -> str:
    """`2026-11-03T10:00:00.000000Z`"""
    return (_EPOCH + timedelta(microseconds=posted_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_month(text: str) -> date:
    """`2026-11` → its first day."""
    try:
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError as problem:
        raise Invalid("month", f"{text[:20]!r} is not a month: write it like 2026-11.") from problem
    if not 1970 <= month.year < 9999:
        raise Invalid("month", f"{text[:20]!r} is not a month in which anything could be booked.")
    return month


def month_of(posted_us: int, zone: ZoneInfo) -> date:
    """The month of a moment, by its first day."""
    return (_EPOCH + timedelta(microseconds=posted_us)).astimezone(zone).date().replace(day=1)


def month_after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def ends_us(month: date, zone: ZoneInfo) -> int:
    """The first moment that is not in it any more."""
    after = month_after(month)
    end = datetime(after.year, after.month, 1, tzinfo=zone).astimezone(UTC)
    return (end - _EPOCH) // timedelta(microseconds=1)


def _digest(parts: Sequence[str]) -> str:
    """JSON sets the parts apart, whatever is in them."""
    return hashlib.sha256(_CANONICAL.encode(parts).encode()).hexdigest()
