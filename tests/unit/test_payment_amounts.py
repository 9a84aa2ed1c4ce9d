"""Micro-units and what providers write: exact both ways, or refused. And limits."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trunkline.domain.errors import Invalid
from trunkline.domain.money import MAX_AMOUNT_MICROS, MICROS
from trunkline.domain.payments import Limits, Means, OverLimit, check_limits, default_limits
from trunkline.providers.payments.stripe_amounts import WITH_THREE_DECIMALS, WITHOUT_CENTS, from_stripe, to_stripe


@pytest.mark.parametrize(
    ("micros", "currency", "minor"),
    [
        (12_340_000, "USD", 1234),
        (10_000, "EUR", 1),
        (500 * MICROS, "JPY", 500),
        (5 * MICROS, "ISK", 500),
        (5_120_000, "KWD", 5120),
        (MAX_AMOUNT_MICROS, "USD", 100_000_000_000),
    ],
)
def test_amounts_as_stripe_writes_them(micros: int, currency: str, minor: int) -> None:
    assert to_stripe(micros, currency) == minor
    assert from_stripe(minor, currency) == micros


@pytest.mark.parametrize(
    ("micros", "currency"),
    [(12_345_000, "USD"), (1, "USD"), (500_500_000, "JPY"), (5_010_000, "ISK"), (5_124_000, "KWD"), (0, "USD"), (-10_000, "USD")],
)
def test_what_cannot_be_written_exactly_is_refused(micros: int, currency: str) -> None:
    with pytest.raises(Invalid) as refused:
        to_stripe(micros, currency)
    assert refused.value.field == "amount"


def test_a_currency_whose_cents_are_unclear_is_refused() -> None:
    with pytest.raises(Invalid, match="UGX"):
        to_stripe(MICROS, "UGX")


@given(st.integers(1, 10**12), st.sampled_from(["USD", "EUR", *sorted(WITHOUT_CENTS), *sorted(WITH_THREE_DECIMALS), "ISK"]))
def test_nothing_is_rounded(micros: int, currency: str) -> None:
    try:
        minor = to_stripe(micros, currency)
    except Invalid:
        return
    assert from_stripe(minor, currency) == micros


def test_default_limits_grow_with_verification_and_where_there_are_no_cents() -> None:
    assert default_limits("USD", Means.CARD, verified=False) == Limits(100 * MICROS, 300 * MICROS)
    assert default_limits("USD", Means.CARD, verified=True) == Limits(2_000 * MICROS, 10_000 * MICROS)
    assert default_limits("JPY", Means.CARD, verified=False) == Limits(10_000 * MICROS, 30_000 * MICROS)
    assert default_limits("USD", Means.BOOKED, verified=False) == Limits(None, None)


def test_a_limit_is_reached_and_not_passed() -> None:
    limits = Limits(100, 300)
    check_limits(limits, amount_micros=100, bought_micros=200, currency="USD", verified=False)
    for amount, bought in ((101, 0), (100, 201), (1, 300), (1, 400)):
        with pytest.raises(OverLimit):
            check_limits(limits, amount_micros=amount, bought_micros=bought, currency="USD", verified=False)
    check_limits(Limits(None, None), amount_micros=10**15, bought_micros=10**15, currency="USD", verified=False)
