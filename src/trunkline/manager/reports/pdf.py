"""A sheet as PDF: A4 across, the names of the columns on each page. Its letters come from the host's DejaVu (dependencies.md)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import IO

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from trunkline.domain.errors import Conflict
from trunkline.manager.reports.sheet import Column, Sheet

FONTS = Path("/usr/share/fonts/truetype/dejavu")
FACES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
LINE, SMALL, LARGE = 5, 8, 14  # millimetres, points, points
WIDTH, BELOW = 277, 15  # millimetres between the margins, and below the last line


class _Paper(FPDF):
    """Numbers its pages."""

    def __init__(self, title: str) -> None:
        super().__init__(orientation="L", format="A4")
        self.set_title(title)
        self.set_margin(10)
        self.set_auto_page_break(auto=False)
        for style, name in FACES.items():
            self.add_font("DejaVu", style, FONTS / name)

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font("DejaVu", "", SMALL)
        self.cell(0, LINE, f"{self.title} · {self.page_no()}", align="R")

    @cache  # noqa: B019 - a paper lives for one file
    def lines(self, text: str, width: int) -> list[str]:
        """A text in as many lines as its column needs: nothing that the page shows is cut off."""
        if self.get_string_width(text) <= width - 2:
            return [text]
        found = self.multi_cell(width, LINE, text, dry_run=True, output=MethodReturnValue.LINES)
        assert isinstance(found, list)
        return found


def write_pdf(sheet: Sheet, file: IO[bytes]) -> None:
    if not all((FONTS / name).is_file() for name in FACES.values()):
        raise Conflict(
            "PDF needs the Debian package fonts-dejavu-core on the operator's machine: ask the operator, or choose another format."
        )
    paper = _Paper(sheet.title)
    widths = _widths(sheet.columns)
    paper.add_page()
    _write_head(paper, sheet)
    _write_names(paper, sheet, widths)
    for row in sheet.rows:
        cells = [paper.lines(cell.text, width) for cell, width in zip(row, widths, strict=True)]
        if paper.get_y() + LINE * max(map(len, cells)) > paper.h - BELOW:
            paper.add_page()
            _write_names(paper, sheet, widths)
        _write_row(paper, sheet.columns, widths, cells)
    file.write(paper.output())


def _widths(columns: tuple[Column, ...]) -> list[int]:
    whole = sum(column.width for column in columns)
    return [WIDTH * column.width // whole for column in columns]


def _write_head(paper: _Paper, sheet: Sheet) -> None:
    paper.set_font("DejaVu", "B", LARGE)
    paper.cell(0, LINE * 2, sheet.title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.set_font("DejaVu", "", SMALL)
    for name, text in sheet.facts:
        paper.cell(50, LINE, name)
        paper.cell(0, LINE, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.ln(LINE)


def _write_names(paper: _Paper, sheet: Sheet, widths: list[int]) -> None:
    paper.set_font("DejaVu", "B", SMALL)
    _write_row(paper, sheet.columns, widths, [[column.title] for column in sheet.columns])
    paper.line(paper.l_margin, paper.get_y(), paper.w - paper.r_margin, paper.get_y())
    paper.set_font("DejaVu", "", SMALL)


def _write_row(paper: _Paper, columns: tuple[Column, ...], widths: list[int], cells: list[list[str]]) -> None:
    left, top = paper.l_margin, paper.get_y()
    for column, width, lines in zip(columns, widths, cells, strict=True):
        for number, line in enumerate(lines):
            paper.set_xy(left, top + LINE * number)
            paper.cell(width, LINE, line, align="R" if column.is_number else "L")
        left += width
    paper.set_xy(paper.l_margin, top + LINE * max(map(len, cells)))
