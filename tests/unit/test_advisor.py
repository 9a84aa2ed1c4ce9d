"""How many channels (SPEC R3.7): Erlang B against published tables and against a simulation of the formula itself."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import pytest
from hypothesis import given, strategies as st

from trunkline.domain.advisor import (
    QUARTER_US,
    advise_by_employees,
    advise_by_traffic,
    busiest_hour_seconds,
    channels_for,
    guideline,
)
from trunkline.domain.errors import Invalid


@pytest.mark.parametrize(
    ("channels", "hundredths_of_erlang"), [(1, 1), (2, 15), (5, 136), (10, 446), (20, 1203), (30, 2033), (50, 3790), (100, 8406)]
)
def test_r3_7_erlang_b_agrees_with_the_published_table(channels: int, hundredths_of_erlang: int) -> None:
    """Traffic that so many channels carry at 1 % blocking, rounded down in the table: a little more needs one more."""
    assert channels_for(36 * hundredths_of_erlang) == channels
    assert channels_for(36 * (hundredths_of_erlang + 2 + hundredths_of_erlang // 500)) in {channels + 1, 110}


@given(st.integers(1, 20 * 3600), st.integers(1, 400))
def test_r3_7_the_recursion_is_the_formula(busy_seconds: int, per_mille: int) -> None:
    blocked, traffic = Fraction(per_mille, 1000), Fraction(busy_seconds, 3600)

    def turned_away(n: int) -> Fraction:
        return (traffic**n * Fraction(1, factorial(n))) / sum(traffic**k * Fraction(1, factorial(k)) for k in range(n + 1))

    channels = channels_for(busy_seconds, blocked)
    assert channels is not None
    assert turned_away(channels) <= blocked
    assert channels == 1 or turned_away(channels - 1) > blocked


def test_above_100_the_advice_can_be_bought_and_is_enough() -> None:
    assert channels_for(100 * 3600) == 120  # 117 by the formula
    assert channels_for(300 * 3600) is None
    assert channels_for(0) == 1


def test_by_employees() -> None:
    assert advise_by_employees(50).channels == 9
    assert "4 minutes in the busiest hour" in advise_by_employees(50).words
    table = guideline()
    assert [employees for employees, _ in table] == [5, 10, 25, 50, 100, 250, 500, 1000, 2500]
    assert [channels for _, channels in table] == sorted(channels or 0 for _, channels in table)
    assert table == [(5, 3), (10, 4), (25, 6), (50, 9), (100, 14), (250, 26), (500, 45), (1000, 82), (2500, 190)]


def test_the_busiest_hour_is_four_quarters_that_follow_each_other() -> None:
    quarters = {0: 900, QUARTER_US: 900, 2 * QUARTER_US: 900, 3 * QUARTER_US: 100, 4 * QUARTER_US: 1000, 40 * QUARTER_US: 2000}
    assert busiest_hour_seconds(quarters) == 2900
    assert busiest_hour_seconds({}) == 0
    assert advise_by_traffic(3600).channels == 5


def test_what_can_not_be_is_refused() -> None:
    for attempt in (lambda: channels_for(-1), lambda: channels_for(1, Fraction(0)), lambda: advise_by_employees(0)):
        with pytest.raises(Invalid):
            attempt()
