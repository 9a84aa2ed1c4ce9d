"""A sheet as PDF: A4 across, the names of the columns on each page. Its letters come from the host's DejaVu (dependencies.md)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import IO

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from trunkline.domain.errors import Conflict
from trunkline.manager.reports.sheet import Column, Sheet

FONTS = Path("/usr/share/fonts/truetype/dejavu")
FACES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
LINE, SMALL, LARGE = 5, 8, 14  # millimetres, points, points
WIDTH = 277  # millimetres between the margins


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
    def fitting(self, text: str, width: int) -> str:
        """As much of a text as a cell has room for."""
        if self.get_string_width(text) <= width - 2:
            return text
        while text and self.get_string_width(text + "…") > width - 2:
            text = text[:-1]
        return text + "…"


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
        if paper.get_y() > paper.h - 20:
            paper.add_page()
            _write_names(paper, sheet, widths)
        _write_line(paper, sheet.columns, widths, [cell.text for cell in row])
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
    _write_line(paper, sheet.columns, widths, [column.title for column in sheet.columns], border="B")
    paper.set_font("DejaVu", "", SMALL)


def _write_line(paper: _Paper, columns: tuple[Column, ...], widths: list[int], texts: list[str], border: str = "") -> None:
    for column, width, text in zip(columns, widths, texts, strict=True):
        paper.cell(width, LINE, paper.fitting(text, width), border=border or 0, align="R" if column.is_number else "L")
    paper.ln(LINE)
