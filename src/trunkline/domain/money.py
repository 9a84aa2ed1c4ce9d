"""Money: integer micro-units of a currency (1 USD = 1,000,000). Decimal text comes in and goes out here and nowhere else."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, is_currency

from trunkline.domain.errors import Invalid

MICROS = 1_000_000
DECIMALS = 6
MAX_RATE_MICROS = 1_000 * MICROS
MAX_AMOUNT_MICROS = 1_000_000_000 * MICROS
"""Of one movement: a slip of the pen ends here, and no sum of balances comes near the end of a BIGINT."""

_AMOUNT = re.compile(r"(?P<sign>[+-]?)(?P<units>[0-9]{1,18})(?:[.](?P<decimals>[0-9]*))?")


def parse_micros(text: str, field: str = "amount") -> int:
    """`12.34` → 12340000. No thousands separators, no exponents, no currency sign: a guess about money is worse than a question."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise Invalid(field, f"{_shown(text)} is not an amount: write it like 12.34, without currency or thousands separator.")
    decimals = (found["decimals"] or "").rstrip("0")
    if len(decimals) > DECIMALS:
        raise Invalid(field, f"{_shown(text)} has more than {DECIMALS} decimals: round it.")
    if found["sign"] == "-":
        raise Invalid(field, f"{_shown(text)} is negative: amounts are zero or more.")
    amount = int(found["units"]) * MICROS + int(decimals.ljust(DECIMALS, "0"))
    if amount > MAX_AMOUNT_MICROS:
        raise Invalid(field, f"{_shown(text)} is too large: at most {MAX_AMOUNT_MICROS // MICROS}.")
    return amount


def decimal_text(micros: int) -> str:
    """12340000 → `12.34`; as many decimals as are needed, at least two. The inverse of `parse_micros`."""
    units, rest = divmod(abs(micros), MICROS)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{units}.{decimals}"


@lru_cache(maxsize=8192)
def for_people(micros: int, currency: str, locale: str = "en") -> str:
    """`$12.34`, `12,34 €`: with the currency, in the words of a locale, never rounded."""
    exact = Decimal(decimal_text(micros))
    return format_currency(exact, currency, locale=locale, currency_digits=False, decimal_quantization=False)


def check_currency(currency: str) -> str:
    if not is_currency(currency):
        raise Invalid("currency", f"{_shown(currency)} is not a currency: use its ISO 4217 code, such as USD.")
    return currency


def check_amount(amount_micros: int) -> int:
    """Of a movement: more than nothing, less than a slip of the pen."""
    if not 0 < amount_micros <= MAX_AMOUNT_MICROS:
        raise Invalid("amount", f"The amount must be more than 0 and at most {MAX_AMOUNT_MICROS // MICROS}.")
    return amount_micros


def check_rate(micros: int, field: str) -> int:
    """Of a price: nothing or more, and not so dear that it can't be meant."""
    if not 0 <= micros <= MAX_RATE_MICROS:
        raise Invalid(field, f"{decimal_text(micros)} can't be meant: it must be from 0 to {MAX_RATE_MICROS // MICROS}.")
    return micros


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
