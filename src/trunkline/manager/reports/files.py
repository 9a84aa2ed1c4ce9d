"""A sheet as a file: CSV for programs, streamed; XLSX for spreadsheets; PDF for people. No cell can be taken for a formula.

CSV has the table only; moments are ISO 8601 with the zone's distance, amounts are decimals, talk time is seconds. XLSX and PDF have the
facts above it.
"""

from __future__ import annotations

import io
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import IO

import xlsxwriter
from defusedcsv import csv
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from xlsxwriter.worksheet import Worksheet

from trunkline.domain.errors import Invalid
from trunkline.manager.reports.pdf import write_pdf
from trunkline.manager.reports.sheet import Row, Sheet, Value

FORMATS = ("csv", "xlsx", "pdf")
ROWS_AT_ONCE = 500
A4 = 9  # as spreadsheets number paper
MOST_ROWS = {"xlsx": 200_000, "pdf": 5_000}
"""More would take longer than anybody waits for a page; CSV has no end."""


def as_file(sheet: Sheet, file_format: str) -> HttpResponseBase:
    """Raises `Invalid` for an unknown format, and for more rows than the format takes."""
    if file_format == "csv":
        return _named(StreamingHttpResponse(_csv(sheet), content_type="text/csv; charset=utf-8"), sheet, file_format)
    writers: dict[str, Callable[[Sheet, IO[bytes]], None]] = {"xlsx": _write_xlsx, "pdf": write_pdf}
    if file_format not in writers:
        raise Invalid("as", f"{file_format[:20]!r} is no kind of file: use csv, xlsx or pdf.")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        writers[file_format](_limited(sheet, file_format), file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return _named(FileResponse(file), sheet, file_format)


def _named(response: HttpResponseBase, sheet: Sheet, file_format: str) -> HttpResponseBase:
    response.headers["Content-Disposition"] = f'attachment; filename="{sheet.name}.{file_format}"'
    response.headers["Cache-Control"] = "no-store"
    types = {"pdf": "application/pdf", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    response.headers["Content-Type"] = types.get(file_format, response.headers["Content-Type"])
    return response


def _limited(sheet: Sheet, file_format: str) -> Sheet:
    """Before the first line is written, if it is known that there will be too many."""
    most = MOST_ROWS[file_format]
    if sheet.count > most:
        raise _too_long(file_format)
    return replace(sheet, rows=_counted(sheet.rows, most, file_format))


def _counted(rows: Iterable[Row], most: int, file_format: str) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number == most:
            raise _too_long(file_format)
        yield row


def _too_long(file_format: str) -> Invalid:
    most = f"{MOST_ROWS[file_format]:,}"
    return Invalid(
        "as",
        f"This is more than the {most} lines that a {file_format.upper()} file takes: show less of it, or choose CSV, which takes all.",
    )


def _csv(sheet: Sheet) -> Iterator[str]:
    rows = iter(sheet.rows)
    yield _csv_text([[column.file_title for column in sheet.columns]])
    while some := list(itertools.islice(rows, ROWS_AT_ONCE)):
        yield _csv_text([_csv_value(cell.plain) for cell in row] for row in some)


def _csv_text(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _csv_value(value: Value) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _write_xlsx(sheet: Sheet, file: IO[bytes]) -> None:
    options = {"constant_memory": True, "remove_timezone": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        formats = {
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
            Decimal: book.add_format({"num_format": "#,##0.00####"}),
        }
        page = book.add_worksheet("Report")
        head = _write_head(sheet, page, bold)
        for number, column in enumerate(sheet.columns):
            page.set_column(number, number, column.width + 4)
        page.freeze_panes(head, 0)
        _for_paper(page, head - 1)
        last = head - 1
        for last, row in enumerate(sheet.rows, start=head):
            for number, cell in enumerate(row):
                _write_value(page, last, number, cell.plain, formats)
        page.autofilter(head - 1, 0, last, len(sheet.columns) - 1)


def _for_paper(page: Worksheet, names: int) -> None:
    """Across, as wide as the paper, the names of the columns on each sheet."""
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    page.repeat_rows(names)


def _write_head(sheet: Sheet, page: Worksheet, bold: object) -> int:
    """Title, facts and names of columns. The number of the first line below."""
    page.write_string(0, 0, sheet.title, bold)
    for line, fact in enumerate(sheet.facts, start=1):
        for number, text in enumerate(fact):
            page.write_string(line, number, text)
    names = len(sheet.facts) + 2
    for number, column in enumerate(sheet.columns):
        page.write_string(names, number, column.file_title, bold)
    return names + 1


def _write_value(page: Worksheet, line: int, column: int, value: Value, formats: Mapping[type, object]) -> None:
    """Text is written as text: what begins like a formula stays what it is."""
    if isinstance(value, datetime):
        page.write_datetime(line, column, value, formats[datetime])
    elif isinstance(value, int | Decimal):
        page.write_number(line, column, value, formats.get(type(value)))
    else:
        page.write_string(line, column, value)
