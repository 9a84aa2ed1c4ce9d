"""Where the boxes and lines of the schematic go. Pure: the same strands give the same picture, in whole pixels.

A strand is drawn by itself, so that paper can be turned between two of them, and only then put below the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

WIDTHS = (240, 266, 250)
"""Of the three columns: what is called, profiles, where it rings."""
BETWEEN = 52
MARGIN = 2
LEFTS = (MARGIN, MARGIN + WIDTHS[0] + BETWEEN, MARGIN + WIDTHS[0] + WIDTHS[1] + 2 * BETWEEN)
WIDTH = LEFTS[2] + WIDTHS[2] + MARGIN
LINE = 18
PADDING = 8
METER = 10
BELOW = 8
"""Between two boxes of a column."""
APART = 22
"""Between two strands."""
REACH = 14
"""A line ends at least so far from a box's corner."""


class Kind(StrEnum):
    NUMBER = "number"
    NAME = "name"
    LANDLINE = "landline"
    PROFILE = "profile"
    REACHED = "reached"
    GAP = "gap"
    """Something that is missing: it says what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """What a box says. `key` is unique in a picture; the first of `lines` is its name. `used`: channels in use, and all of them.
    `blocks`: no call gets as far as this."""

    key: str
    kind: Kind
    lines: tuple[str, ...]
    href: str = ""
    tone: str = "neutral"
    used: tuple[int, int] | None = None
    blocks: bool = False

    @property
    def height(self) -> int:
        return 2 * PADDING + LINE * len(self.lines) + (METER if self.used else 0)


@dataclass(frozen=True, slots=True)
class Strand:
    """Each of `called` leads to `through`, and that to `reached`; either may be missing, not both."""

    called: tuple[Node, ...]
    through: Node | None
    reached: Node | None

    @property
    def columns(self) -> tuple[tuple[Node, ...], ...]:
        return self.called, *((node,) if node else () for node in (self.through, self.reached))

    @property
    def needs_attention(self) -> bool:
        return any(node.tone in ("warn", "bad") for node in (self.through, self.reached) if node)


@dataclass(frozen=True, slots=True)
class Box:
    node: Node
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Line:
    """From the right side of one box to the left side of another."""

    start: str
    end: str
    x1: int
    y1: int
    x2: int
    y2: int
    kind: str


@dataclass(frozen=True, slots=True)
class Drawing:
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    height: int
    width: int = WIDTH


def lay_out(strand: Strand) -> Drawing:
    """Each column in the middle of the tallest one."""
    height = max(_stack_height(column) for column in strand.columns)
    columns = [_stacked(column, number, height) for number, column in enumerate(strand.columns)]
    called, through, reached = columns
    lines = _lines(called, (through or reached)[0])
    if through and reached:
        lines += _lines(through, reached[0])
    return Drawing(tuple(box for column in columns for box in column), tuple(lines), height + 2 * MARGIN)


def below_each_other(drawings: Iterable[Drawing], top: int = 0) -> Drawing:
    """One drawing of all."""
    boxes: list[Box] = []
    lines: list[Line] = []
    for drawing in drawings:
        boxes += (replace(box, y=box.y + top) for box in drawing.boxes)
        lines += (replace(line, y1=line.y1 + top, y2=line.y2 + top) for line in drawing.lines)
        top += drawing.height + APART
    return Drawing(tuple(boxes), tuple(lines), top)


def _stack_height(nodes: Sequence[Node]) -> int:
    return sum(node.height for node in nodes) + BELOW * max(len(nodes) - 1, 0)


def _stacked(nodes: Sequence[Node], column: int, height: int) -> list[Box]:
    y = MARGIN + (height - _stack_height(nodes)) // 2
    boxes = []
    for node in nodes:
        boxes.append(Box(node, LEFTS[column], y, WIDTHS[column], node.height))
        y += node.height + BELOW
    return boxes


def _lines(starts: Sequence[Box], end: Box) -> list[Line]:
    """As level as they can be: a line bends only to reach its end."""
    return [_line(start, end) for start in starts]


def _line(start: Box, end: Box) -> Line:
    y1 = (start.y + start.bottom) // 2
    y2 = min(max(y1, end.y + REACH), end.bottom - REACH)
    return Line(start.node.key, end.node.key, start.right, y1, end.x, y2, _kind(start.node, end.node))


def _kind(start: Node, end: Node) -> str:
    if start.kind is Kind.LANDLINE:
        return "shown"
    return "missing" if start.blocks or end.blocks else "calls"


ELLIPSIS = "…"
NARROW = frozenset(" .,:;·'|!()[]/-iljftrI")
BOLD_PERCENT = 111


@lru_cache(maxsize=20_000)
def shortened(text: str, width: int, size: int, *, is_bold: bool = False) -> str:
    """So much of a text as fits into `width` pixels in letters of `size`, estimated for a wide font."""
    room = width * 100 * 100 // (BOLD_PERCENT if is_bold else 100)
    if _width(text, size) <= room:
        return text
    while text and _width(text + ELLIPSIS, size) > room:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def _width(text: str, size: int) -> int:
    """In hundredths of a pixel."""
    return sum(_letter_width(letter) for letter in text) * size


def _letter_width(letter: str) -> int:
    """In hundredths of the size."""
    if letter in NARROW:
        return 36
    if ord(letter) > 0x2E7F:
        return 105  # the letters of East Asia are as wide as they are high
    return 104 if letter in "MWmw@%×" else 78 if letter.isupper() else 63
