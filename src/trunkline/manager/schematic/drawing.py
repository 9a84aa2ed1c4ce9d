"""The schematic as SVG: a piece for each strand on the page, or all in one file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from trunkline.manager.schematic.layout import (
    APART,
    LEFTS,
    LINE,
    METER,
    PADDING,
    WIDTH,
    Box,
    Drawing,
    Line,
    Node,
    Strand,
    below_each_other,
    lay_out,
    shortened,
)

HEADS = ("Numbers and names", "SIP Profiles", "PBXs and web phones")
LEGEND = "Arrow: calls come in. Dashes: nobody is reached now. Dots: a landline that is shown as Caller ID."
STYLE = Path(__file__).parent.parent / "static" / "manager" / "schematic-drawing.css"
INSIDE = 12
"""From a box's side to its letters."""
NAME_SIZE, TEXT_SIZE = 13, 12
HEAD = 26
INK = {"sheet": "#ffffff", "sunk": "#ffffff", "ink": "#000000", "soft": "#000000", "line": "#000000", "line-strong": "#000000",
       "accent": "#000000", "good": "#ffffff", "warn": "#000000", "bad": "#000000", "font": "sans-serif"}  # fmt: skip
"""What the tokens of the pages are in a file, for paper: there, a black edge means that something is wrong."""


def strand_svg(strand: Strand) -> SafeString:
    """For a page that has the style sheet."""
    drawing = lay_out(strand)
    head = strand.through or strand.reached
    title = " · ".join(head.lines) if head else ""
    return format_html(
        '<svg class="schematic-strand" width="{0}" height="{1}" viewBox="0 0 {0} {1}" preserveAspectRatio="xMinYMin" role="group" '
        'aria-label="{2}">{3}</svg>',
        WIDTH, drawing.height, title, _inside(drawing, ""),
    )  # fmt: skip


def heads_svg() -> SafeString:
    drawn = '<svg class="schematic-strand schematic-heads" width="{0}" height="{1}" viewBox="0 0 {0} {1}">{2}</svg>'
    return format_html(drawn, WIDTH, HEAD, _heads(16))


def whole_svg(strands: Sequence[Strand], *, title: str, said: str, root: str) -> SafeString:
    """A file of its own, black on white. `root`: put before each link."""
    top = 3 * HEAD
    drawing = below_each_other(map(lay_out, strands), top)
    words = format_html(
        '<text class="schematic-title" x="{0}" y="20">{1}</text><text class="schematic-text" x="{0}" y="40">{2}</text>',
        LEFTS[0],
        title,
        said,
    )
    legend = format_html('<text class="schematic-text" x="{}" y="{}">{}</text>', LEFTS[0], drawing.height + 4, LEGEND)
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="-10 0 {2} {1}"><title>{3}</title><desc>{4}</desc>'
        '<style>{5}</style><rect class="schematic-paper" x="-10" width="{2}" height="{1}"/>{6}{7}{8}{9}</svg>\n',
        WIDTH + 20, drawing.height + APART, WIDTH + 20, title, f"{said} {LEGEND}", _style(), words, _heads(top - 8),
        _inside(drawing, root), legend,
    )  # fmt: skip


def strand_cells(strand: Strand) -> list[tuple[str, SafeString]]:
    """The same as text: what a table's row has below each head."""
    missing = ("Nothing", "None", "Nobody")
    cells = (_cell(nodes) if nodes else format_html('<span class="soft">{}</span>', missing[at]) for at, nodes in enumerate(strand.columns))
    return list(zip(HEADS, cells, strict=True))


def _cell(nodes: Sequence[Node]) -> SafeString:
    return mark_safe(f"<ul>{''.join(map(_item, nodes))}</ul>")  # noqa: S308 - see `_item`


def _item(node: Node) -> str:
    more = "".join(f'<span class="schematic-more">{escape(line)}</span>' for line in node.lines[1:])
    return f'<li><a class="strong" id="box-{node.key}" href="{escape(node.href)}">{escape(node.lines[0])}</a>{more}</li>'


def _style() -> SafeString:
    """The page's own, with every token replaced: programs that draw files know no custom properties."""
    rules = STYLE.read_text(encoding="utf-8")
    return mark_safe(re.sub(r"var\(--([a-z-]+)\)", lambda found: INK[found[1]], rules))  # noqa: S308 - our own file


def _heads(y: int) -> SafeString:
    rows = ((left, y, text) for left, text in zip(LEFTS, HEADS, strict=True))
    return format_html_join("", '<text class="schematic-head" x="{}" y="{}">{}</text>', rows)


def _inside(drawing: Drawing, root: str) -> SafeString:
    """Many small pieces: only what comes from people is escaped, the rest are our own words and numbers."""
    lines = "".join(map(_line, drawing.lines))
    return mark_safe(lines + "".join(_box(box, root) for box in drawing.boxes))  # noqa: S308 - see `_text` and `_box`


def _line(line: Line) -> str:
    """It arrives level, so the head of its arrow is level, too."""
    bend = (line.x2 - line.x1) // 2
    way = f"M{line.x1} {line.y1}C{line.x1 + bend} {line.y1} {line.x2 - bend} {line.y2} {line.x2} {line.y2}"
    drawn = f'<path class="schematic-line way-{line.kind}" d="{way}"/>'
    if line.kind == "shown":
        return drawn
    return f'{drawn}<path class="schematic-arrow" d="M{line.x2 - 8} {line.y2 - 4}L{line.x2} {line.y2}L{line.x2 - 8} {line.y2 + 4}Z"/>'


def _box(box: Box, root: str) -> str:
    node = box.node
    frame = f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6"/>'
    edge = f'<rect class="schematic-edge" x="{box.x}" y="{box.y + 4}" width="4" height="{box.height - 8}" rx="2"/>'
    inside = frame + (edge if node.tone != "neutral" else "") + _texts(box) + _meter(box)
    return f'<a id="box-{node.key}" class="schematic-box of-{node.kind} tone-{node.tone}" href="{escape(root + node.href)}">{inside}</a>'


def _texts(box: Box) -> str:
    return "".join(_text(box, number, line) for number, line in enumerate(box.node.lines))


def _text(box: Box, number: int, line: str) -> str:
    """Cut to the box, and then the mouse shows the whole of it."""
    kind, size = ("schematic-name", NAME_SIZE) if number == 0 else ("schematic-text", TEXT_SIZE)
    short = shortened(line, box.width - 2 * INSIDE, size, is_bold=number == 0)
    whole = f"<title>{escape(line)}</title>" if short != line else ""
    return f'<text class="{kind}" x="{box.x + INSIDE}" y="{box.y + PADDING + 13 + LINE * number}">{whole}{escape(short)}</text>'


def _meter(box: Box) -> str:
    """Channels in use: a call is never drawn as none."""
    if box.node.used is None:
        return ""
    used, most = box.node.used
    width, place = box.width - 2 * INSIDE, f'x="{box.x + INSIDE}" y="{box.bottom - METER - 2}" height="5" rx="2.5"'
    filled = min(max(width * used // max(most, 1), 4 if used else 0), width)
    return f'<rect class="schematic-meter" width="{width}" {place}/><rect class="schematic-used" width="{filled}" {place}/>'
