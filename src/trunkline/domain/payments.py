"""Payments: amounts as providers write them, and how much may be bought (SPEC R4.1, R4.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from babel.numbers import get_currency_precision

from trunkline.domain.errors import Invalid, Problem
from trunkline.domain.money import DECIMALS, MICROS, check_amount, decimal_text, for_people

LIMIT_PERIOD = timedelta(days=30)
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,40}")


class Means(StrEnum):
    """How money comes in."""

    CARD = "card"
    BOOKED = "booked"


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit. `month_micros` is of any 30 days."""

    each_micros: int | None
    month_micros: int | None


class OverLimit(Problem):
    """More than may be bought at once, or in 30 days."""


# In units of a currency with cents; see `default_limits`.
_DEFAULTS: dict[tuple[Means, bool], tuple[int | None, int | None]] = {
    (Means.CARD, False): (100, 300),
    (Means.CARD, True): (2_000, 10_000),
    (Means.BOOKED, False): (None, None),  # the operator has the money in hand
    (Means.BOOKED, True): (None, None),
}


def default_limits(currency: str, means: Means, *, verified: bool) -> Limits:
    """100 at once and 300 in 30 days by card, 2,000 and 10,000 once verified; a hundred times as much where there are no cents, as in JPY."""
    unit = MICROS if get_currency_precision(currency) else 100 * MICROS
    each, month = _DEFAULTS[means, verified]
    return Limits(None if each is None else each * unit, None if month is None else month * unit)


def check_limits(limits: Limits, *, amount_micros: int, bought_micros: int, currency: str, verified: bool) -> None:
    """`bought_micros`: in the last 30 days, with what is under way. Raises OverLimit, which says what is left and how to get more."""
    way_out = "Ask the operator for a higher limit." if verified else "Have the company verified for a higher limit."
    if limits.each_micros is not None and amount_micros > limits.each_micros:
        most = for_people(limits.each_micros, currency)
        raise OverLimit(f"{for_people(amount_micros, currency)} is more than one payment may be: at most {most}. {way_out}")
    if limits.month_micros is not None and bought_micros + amount_micros > limits.month_micros:
        left = for_people(max(limits.month_micros - bought_micros, 0), currency)
        most = for_people(limits.month_micros, currency)
        raise OverLimit(f"{most} may be paid in 30 days, and {left} is left: {for_people(amount_micros, currency)} is too much. {way_out}")


def to_minor(amount_micros: int, *, currency: str, digits: int, step: int = 1) -> int:
    """In the smallest unit that a provider takes: cents have `digits` 2. Refuses what is not a whole multiple of `step` such units."""
    check_amount(amount_micros)
    smallest = step * int(MICROS // 10**digits)
    if digits > DECIMALS or amount_micros % smallest:
        finest = for_people(smallest, currency)
        raise Invalid("amount", f"{decimal_text(amount_micros)} {currency} can't be paid: use whole multiples of {finest}.")
    return amount_micros * int(10**digits) // MICROS


def from_minor(amount: int, *, digits: int) -> int:
    """The inverse of `to_minor`."""
    return amount * MICROS // int(10**digits)


def check_reference(text: str) -> str:
    """Of a payment or refund: it becomes part of what providers are asked, so letters, digits, dots and dashes only."""
    if not _REFERENCE.fullmatch(text):
        raise Invalid("reference", f"{text[:40]!r} can't be a reference: 1 to 40 letters, digits, dots and dashes.")
    return text
