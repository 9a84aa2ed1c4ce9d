"""CSV files from people: read with every problem named by its line, so that one look puts all of them right.

Accepts UTF-8 (with or without byte order mark) and UTF-16 with one, commas, semicolons or tabs, headers under their many names.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from trunkline.domain.errors import Invalid, Problem

MOST_BYTES = 32 * 1024 * 1024
MOST_LINES = 500_000
MOST_PROBLEMS_SHOWN = 50
DELIMITERS = (";", "\t", ",")

Item = TypeVar("Item")
Aliases = Mapping[str, Sequence[str]]
"""Our name of a column → the headers under which it comes, in lower case, words divided by one space."""


@dataclass(frozen=True, slots=True)
class LineProblem:
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class SheetProblem(Problem):
    """Nothing of the sheet was taken."""

    def __init__(self, problems: Sequence[LineProblem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:MOST_PROBLEMS_SHOWN]]
        if len(self.problems) > len(shown):
            shown.append(f"... and {len(self.problems) - len(shown)} more lines with errors")
        super().__init__("Nothing was imported. Put this right and import the sheet again:\n" + "\n".join(shown))


@dataclass(slots=True)
class Sheet(Generic[Item]):
    items: list[Item] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a sheet; `cells` by our names, trimmed, empty when the column is not there. `decimal_comma`: 0,05 is an amount."""

    line: int
    cells: Mapping[str, str]
    decimal_comma: bool

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")


def read_sheet(data: bytes, aliases: Aliases, required: Sequence[str], read: Callable[[Row], Sequence[Item]]) -> list[Item]:
    """Every line through `read`, which gives the items of a line or raises `Invalid`. Raises `SheetProblem` if any line is wrong."""
    sheet: Sheet[Item] = Sheet()
    text = _decoded(data)
    for row in _rows(text, aliases, required, sheet.problems):
        try:
            sheet.items.extend(read(row))
        except Invalid as problem:
            sheet.problems.append(LineProblem(row.line, str(problem)))
    if sheet.problems:
        raise SheetProblem(sheet.problems)
    if not sheet.items:
        raise SheetProblem([LineProblem(1, "the sheet has no lines below its header.")])
    return sheet.items


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise SheetProblem([LineProblem(1, f"the file is larger than {MOST_BYTES // 1024 // 1024} MiB: divide it.")])
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise SheetProblem([LineProblem(line, "this is not UTF-8 text: save the sheet as “CSV UTF-8”.")]) from problem


def _rows(text: str, aliases: Aliases, required: Sequence[str], problems: list[LineProblem]) -> Iterator[Row]:
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    columns: list[str | None] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns(cells, aliases, required, reader.line_num)
            elif reader.line_num > MOST_LINES:
                raise SheetProblem([LineProblem(reader.line_num, f"more than {MOST_LINES} lines: divide the sheet.")])
            elif problem := _misfit(cells, columns):
                problems.append(LineProblem(reader.line_num, problem))
            else:
                named = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name}
                yield Row(reader.line_num, named, delimiter == ";")
    except csv.Error as problem:
        problems.append(LineProblem(reader.line_num, f"the line can't be divided into cells ({problem}): look at its quotation marks."))


def _delimiter(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=header.count)


def _columns(header: Sequence[str], aliases: Aliases, required: Sequence[str], line: int) -> list[str | None]:
    """Our name for each column, None for one that we don't know and skip."""
    names = {alias: name for name, all_names in aliases.items() for alias in (name, *all_names)}
    columns = [names.get(_header(cell)) for cell in header]
    found = [name for name in columns if name]
    problems = [f"there is no column {name!r}: call it {_some_of(name, aliases)}." for name in required if name not in found]
    problems += [f"there are two columns for {name!r}: keep one." for name in sorted(set(found)) if found.count(name) > 1]
    if problems:
        raise SheetProblem([LineProblem(line, problem) for problem in problems])
    return columns


def _header(cell: str) -> str:
    return " ".join(cell.lower().replace("_", " ").replace("-", " ").split())


def _some_of(name: str, aliases: Aliases) -> str:
    return " or ".join(repr(alias) for alias in (name, *aliases[name][:2]))


def _misfit(cells: Sequence[str], columns: Sequence[str | None]) -> str | None:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        return f"{len(cells)} cells under {len(columns)} headers: put cells that contain the delimiter in quotation marks."
    if any("\x00" in cell for cell in cells):
        return "there is a NUL character: save the sheet anew."
    return None
