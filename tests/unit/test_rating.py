"""What talk time costs: the guide's 60/60 by table, everything else by property."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trunkline.domain.rating import MICROSECONDS, Rate


def rate(per_minute: int = 23_000, fee: int = 0, first: int = 60, following: int = 60) -> Rate:
    return Rate("1", "United States", "USD", per_minute, fee, first, following)


rates = st.builds(
    rate,
    st.integers(0, 20_000_000),
    st.integers(0, 5_000_000),
    st.integers(1, 120),
    st.integers(1, 120),
)


@pytest.mark.parametrize(
    ("seconds", "increments", "cost"),
    [(0, 1, 23_000), (1, 1, 23_000), (60, 1, 23_000), (61, 2, 46_000), (120, 2, 46_000), (121, 3, 69_000), (3600, 60, 1_380_000)],
)
def test_minutes_that_have_begun_count_whole(seconds: int, increments: int, cost: int) -> None:
    assert rate().increments_for(seconds * MICROSECONDS) == increments
    assert rate().cost_of(increments) == cost


def test_a_microsecond_over_is_over() -> None:
    assert rate().increments_for(60 * MICROSECONDS) == 1
    assert rate().increments_for(60 * MICROSECONDS + 1) == 2


def test_the_connection_fee_is_in_the_first_increment_only() -> None:
    with_fee = rate(fee=50_000)
    assert with_fee.increment_micros(1) == 73_000
    assert with_fee.increment_micros(2) == 23_000


@given(rates, st.integers(1, 300))
def test_increments_sum_to_the_whole(some: Rate, count: int) -> None:
    parts = [some.increment_micros(number) for number in range(1, count + 1)]
    assert sum(parts) == some.cost_of(count) + some.connection_fee_micros
    assert all(part >= 0 for part in parts)


@given(rates, st.integers(0, 6 * 3600 * MICROSECONDS))
def test_what_is_bought_covers_the_call_and_no_increment_more(some: Rate, duration_us: int) -> None:
    count = some.increments_for(duration_us)
    assert some.seconds_of(count) * MICROSECONDS >= duration_us
    assert count == 1 or some.seconds_of(count - 1) * MICROSECONDS < duration_us


@given(rates, st.integers(0, 2_000_000_000))
def test_an_amount_pays_whole_increments_and_not_one_more(some: Rate, micros: int) -> None:
    seconds = some.seconds_for(micros)
    if seconds is None:
        assert some.rate_per_minute_micros == 0
        return
    beyond = seconds - some.first_increment_seconds
    count = 0 if seconds == 0 else 1 + beyond // some.next_increment_seconds
    assert some.seconds_of(count) == seconds
    assert count == 0 or some.cost_of(count) + some.connection_fee_micros <= micros
    assert some.cost_of(count + 1) + some.connection_fee_micros > micros
