"""Charts: round scales, and nothing that is something is drawn as nothing."""

from __future__ import annotations

import re

import pytest

from trunkline.web.charts import Bar, Tick, bars, ticks_of


@pytest.mark.parametrize(
    ("highest", "unit", "expected"),
    [
        (0, 1, [0, 1]),
        (1, 1, [0, 1]),
        (7, 1, [0, 2, 4, 6, 8]),
        (100, 1, [0, 50, 100]),
        (3_600, 60, [0, 1200, 2400, 3600]),
        (61, 60, [0, 60, 120]),
    ],
)
def test_scales_are_round_and_reach_the_highest(highest: int, unit: int, expected: list[int]) -> None:
    assert ticks_of(highest, unit) == expected


@pytest.mark.parametrize("highest", [1, 9, 10, 99, 12_345, 10**15])
def test_scales_have_few_lines(highest: int) -> None:
    found = ticks_of(highest)
    assert found[-1] >= highest
    assert 2 <= len(found) <= 6


def test_small_values_are_seen_and_texts_are_not_markup() -> None:
    drawn = bars([Bar(0, "none"), Bar(1, "<b>one</b>", "1"), Bar(1_000_000, "many")], [Tick(0, "0"), Tick(1_000_000, "a million")], "Calls")
    heights = [int(height) for height in re.findall(r'<rect [^>]*height="(\d+)"', drawn)]
    assert heights == [0, 2, 162]
    assert "<b>" not in drawn
    assert "style=" not in drawn
