"""The rows of a report's table, written in one go: a page has up to a thousand cells, and a template for each takes five times as long."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from trunkline.manager.reports.sheet import Cell, Column, Row


def table_rows(columns: tuple[Column, ...], rows: Iterable[Row]) -> SafeString:
    """Empty if there are none."""
    return format_html_join("\n", "<tr>{}</tr>", ((_cells(columns, row),) for row in rows))


def _cells(columns: tuple[Column, ...], row: Row) -> SafeString:
    return format_html_join("", "{}", ((_cell(column, cell),) for column, cell in zip(columns, row, strict=True)))


def _cell(column: Column, cell: Cell) -> SafeString:
    start = '<td data-label="{}" class="number">' if column.is_number else '<td data-label="{}">'
    return format_html(start + "{}</td>", column.title, _content(column, cell))


def _content(column: Column, cell: Cell) -> SafeString | str:
    text = format_html_join(" ", '<span class="nowrap">{}</span>', ((piece,) for piece in cell.pieces)) if column.is_whole else cell.text
    if cell.href:
        return format_html('<a href="{}">{}</a>', cell.href, text)
    return format_html("<span>{}</span>", text) if column.is_whole else text
