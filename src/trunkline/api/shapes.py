"""What operations have in common: amounts, moments, pages. Amounts are decimal texts beside a currency, moments ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from ninja import Path, Query, Schema
from pydantic import ConfigDict, Field

from trunkline.domain.errors import Invalid, NotFound
from trunkline.domain.money import decimal_text
from trunkline.domain.terms import Offer
from trunkline.store.ledger import EPOCH
from trunkline.usecases.terms import Bought, Cancelled
from trunkline.web.listing import rows_before

Row = TypeVar("Row", bound=Model)
LARGEST_ID = 2**53
Ident = Annotated[int, Field(ge=1, le=LARGEST_ID)]
PathId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", examples=["12.34"], description="a decimal number, as text")]
Moment = Annotated[str, Field(examples=["2026-12-01T12:00:00Z"], description="ISO 8601, UTC")]
Cursor = Annotated[str, Query(max_length=2000, description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200, description="rows on a page")]
TEXT = r"^[^\x00-\x1f\x7f]*$"


class Input(Schema):
    """A name that is not known is an error: it is a slip of the pen."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Input):
    """`{}`"""


class Money(Schema):
    amount: Annotated[str, Field(examples=["12.34"])]
    currency: str


class Error(Schema):
    code: str
    message: str
    field: str
    help: str


class Failure(Schema):
    error: Error


class Done(Schema):
    done: bool = True


class OfferOut(Schema):
    """What it would do; it can be bought when there are no `problems`."""

    asked: int
    quantity: int
    price: Money
    refund: Money
    to_pay: Money
    balance_after: Money
    starts_at: Moment
    ends_at: Moment
    problems: list[str]
    warnings: list[str]


class BoughtOut(Schema):
    term_id: int
    quantity: int
    price: Money
    refund: Money
    balance: Money
    starts_at: Moment
    ends_at: Moment
    repeated: bool


class CancelledOut(Schema):
    """Usable until `ends_at`; of an undone cancellation, when it is renewed."""

    term_id: int
    ends_at: Moment
    refund: Money
    warnings: list[str]


def answers(model: Any, status: int = 200) -> dict[Any, Any]:
    """Of an operation: what it gives, or why not."""
    return {status: model, frozenset({400, 401, 402, 403, 404, 405, 409, 422, 429, 500}): Failure}


def money(micros: int, currency: str) -> dict[str, str]:
    return {"amount": decimal_text(micros), "currency": currency}


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_us(at_us: int) -> str:
    return iso(EPOCH + timedelta(microseconds=at_us))


def iso_or_none(at: datetime | None) -> str | None:
    return iso(at) if at else None


def offered(offer: Offer) -> dict[str, Any]:
    return {
        "asked": offer.asked,
        "quantity": offer.quantity,
        "price": money(offer.price_micros, offer.currency),
        "refund": money(offer.refund_micros, offer.currency),
        "to_pay": money(offer.to_pay_micros, offer.currency),
        "balance_after": money(offer.balance_after_micros, offer.currency),
        "starts_at": iso(offer.starts_at),
        "ends_at": iso(offer.ends_at),
        "problems": list(offer.problems),
        "warnings": list(offer.warnings),
    }


def bought(done: Bought, currency: str) -> dict[str, Any]:
    return {
        "term_id": done.term_id,
        "quantity": done.quantity,
        "price": money(done.price_micros, currency),
        "refund": money(done.refund_micros, currency),
        "balance": money(done.balance_micros, currency),
        "starts_at": iso(done.starts_at),
        "ends_at": iso(done.ends_at),
        "repeated": done.repeated,
    }


def cancelled(done: Cancelled, currency: str) -> dict[str, Any]:
    refund = money(done.refund_micros, currency)
    return {"term_id": done.term_id, "ends_at": iso(done.ends_at), "refund": refund, "warnings": list(done.warnings)}


def page(rows: QuerySet[Row], cursor: str, limit: int) -> tuple[list[Row], str | None]:
    """As on the pages; the cursor is the last id."""
    found, last = rows_before(rows, number_in(cursor) if cursor else None, limit)
    return found, None if last is None else str(last)


def listed(rows: QuerySet[Row], shown: Callable[[Row], dict[str, Any]], cursor: str, limit: int) -> dict[str, Any]:
    """A page of what needs nothing that is asked for the whole page."""
    found, following = page(rows, cursor, limit)
    return {"items": [shown(each) for each in found], "next_cursor": following}


def the_one(rows: QuerySet[Row], ident: int, what: str) -> Row:
    """Raises `NotFound` for one that is not among these: it is not there, or somebody else's."""
    if (found := rows.filter(pk=ident).first()) is None:
        raise NotFound(f"There is no {what} {ident}.")
    return found


def number_in(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 20 and int(cursor) < 2**63):
        raise Invalid("cursor", "This is no cursor: take `next_cursor` of the page before, or leave it away.")
    return int(cursor)
