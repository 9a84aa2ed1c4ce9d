"""Micro-units to Stripe's smallest units, and back, exactly."""

from __future__ import annotations

from trunkline.domain.errors import Invalid
from trunkline.domain.payments import from_minor, to_minor

WITHOUT_CENTS = frozenset({"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"})
WITH_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})  # of which the last must be 0
WITH_EMPTY_CENTS = frozenset({"ISK"})
UNCLEAR = frozenset({"UGX"})  # Stripe's documents list it both with and without cents: a guess could be wrong by a hundred


def check(currency: str) -> None:
    if currency in UNCLEAR:
        raise Invalid(
            "currency", f"Payments in {currency} can't be taken by card: use a Manager in another currency, or book them by hand."
        )


def to_stripe(amount_micros: int, currency: str) -> int:
    check(currency)
    step = 10 if currency in WITH_THREE_DECIMALS else 100 if currency in WITH_EMPTY_CENTS else 1
    return to_minor(amount_micros, currency=currency, digits=_digits(currency), step=step)


def from_stripe(amount: int, currency: str) -> int:
    check(currency)
    return from_minor(amount, digits=_digits(currency))


def _digits(currency: str) -> int:
    if currency in WITHOUT_CENTS:
        return 0
    return 3 if currency in WITH_THREE_DECIMALS else 2
