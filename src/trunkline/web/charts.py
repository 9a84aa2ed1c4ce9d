"""Charts as SVG, drawn here: no script, no library. Across, all is in percent, so that letters keep their size on any screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HEIGHT, FOOT, HEAD = 200, 22, 16
LINES = 4
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """`text`: the value in words, shown by the mouse. A `label` stands below the bar."""

    value: int
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    value: int
    text: str


def ticks_of(highest: int, unit: int = 1) -> list[int]:
    """Round values from 0 up to `highest` or a bit above, in whole units: 0, 20, 40, 60. At least one step."""
    wanted = max(-(-highest // (unit * LINES)), 1)
    size = 1
    while True:
        step = next((size * each for each in STEPS if size * each >= wanted), None)
        if step is not None:
            break
        size *= 10
    count = max(-(-highest // (step * unit)), 1)
    return [number * step * unit for number in range(count + 1)]


def bars(bars: Sequence[Bar], ticks: Sequence[Tick], title: str) -> SafeString:
    """One bar each, from left to right; the numbers behind them belong into a table beside it."""
    top = max(ticks[-1].value, 1)
    slot = Fraction(100, max(len(bars), 1))
    lines = format_html_join("", '<line x1="0" x2="100%" y1="{0}" y2="{0}"/>', ((_y(tick.value, top),) for tick in ticks))
    scale = format_html_join("", '<text x="0" y="{}">{}</text>', ((_y(tick.value, top) - 4, tick.text) for tick in ticks[1:]))
    drawn = format_html_join("", "{}", ((_bar(bar, number, slot, top),) for number, bar in enumerate(bars)))
    shown = ((_percent(slot * number + slot / 2), HEIGHT - 6, bar.label) for number, bar in enumerate(bars) if bar.label)
    labels = format_html_join("", '<text x="{}%" y="{}">{}</text>', shown)
    return format_html(
        '<svg class="chart" role="img" aria-label="{}" width="100%" height="{}"><g class="chart-lines">{}</g><g class="chart-bars">{}</g>'
        '<g class="chart-scale" aria-hidden="true">{}</g><g class="chart-labels" aria-hidden="true">{}</g></svg>',
        title, HEIGHT, lines, drawn, scale, labels,
    )  # fmt: skip


def _bar(bar: Bar, number: int, slot: Fraction, top: int) -> SafeString:
    """Something is never drawn as nothing."""
    y = _y(bar.value, top)
    floor = HEIGHT - FOOT
    height = max(floor - y, 2) if bar.value else 0
    x, width = _percent(slot * number + slot / 8), _percent(slot * 3 / 4)
    return format_html(
        '<rect x="{}%" width="{}%" y="{}" height="{}" rx="2"><title>{}</title></rect>', x, width, floor - height, height, bar.text
    )


def _y(value: int, top: int) -> int:
    floor = HEIGHT - FOOT
    return floor - value * (floor - HEAD) // top


def _percent(share: Fraction) -> str:
    hundredths = round(share * 100)
    return f"{hundredths // 100}.{hundredths % 100:02}"
