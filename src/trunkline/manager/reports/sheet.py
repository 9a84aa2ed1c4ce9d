"""What a report shows, as a table: the page, and the files, are made of the same one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trunkline.domain.money import decimal_text, for_people

MICROSECONDS = 1_000_000
Value = str | int | Decimal | datetime
_PIECES = re.compile(r"(?<=,) ")


@dataclass(frozen=True, slots=True)
class Column:
    """`unit`: of the values in files; on the page each cell says its own. `width` in letters. `is_whole`: not broken where a reader would stumble."""

    title: str
    is_number: bool = False
    unit: str = ""
    width: int = 14
    is_whole: bool = False

    @property
    def file_title(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` for people. `value`: what a program or a spreadsheet reckons with; without one it is the text."""

    text: str
    value: Value | None = None
    href: str = ""

    @property
    def plain(self) -> Value:
        return self.text if self.value is None else self.value

    @property
    def pieces(self) -> list[str]:
        """What stays on one line in a whole column: the day and the time of a moment, a number."""
        return _PIECES.split(self.text)


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`name` is the file's, `facts` are above the table. `rows` may come as they are read, once; `count`: how many will, if that is known."""

    name: str
    title: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    count: int = 0


def money_cell(micros: int, currency: str) -> Cell:
    return Cell(for_people(micros, currency), Decimal(decimal_text(micros)))


def count_cell(count: int) -> Cell:
    return Cell(f"{count:,}", count)


def seconds_cell(seconds: int) -> Cell:
    return Cell(duration_text(seconds), seconds)


def duration_text(seconds: int) -> str:
    """3675 → 1:01:15; -90 → -1:30."""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"


def moment_cell(at: datetime, href: str = "") -> Cell:
    """`at` in the Manager's time zone."""
    return Cell(f"{at:%-d %b %Y, %H:%M:%S}", at, href)


def day_cell(at: datetime) -> Cell:
    """`at` in the Manager's time zone."""
    return Cell(f"{at:%-d %b %Y}", at)
