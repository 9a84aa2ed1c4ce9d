"""A statement as a file, written and read line by line: CSV for people and spreadsheets, JSON lines for programs.

    facts of the head, one a line     {"statement": ..., "purse": ..., ...}
    (empty)
    column names                      {"number": ..., "posting": ..., ...}
    rows                              ...
    (empty)
    facts of the end, one a line      {"closing_number": ..., "seal": ...}

No cell can be taken for a formula: `defusedcsv` writes them, and each text begins with a word of ours.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from defusedcsv import csv

from trunkline.domain.statement_check import OPENING, Check, Tampered, Verified
from trunkline.domain.statements import COLUMNS, Row

FORMATS = ("csv", "json")
AFTER_THE_END = "There is something after the end of the statement."


def csv_head(opening: Mapping[str, str]) -> str:
    return _csv([*opening.items(), (), COLUMNS])


def csv_rows(rows: Iterable[Row]) -> str:
    return _csv(row.cells for row in rows)


def csv_end(closing: Mapping[str, str]) -> str:
    return _csv([(), *closing.items()])


def json_line(facts: Mapping[str, str]) -> str:
    return json.dumps(facts, ensure_ascii=False) + "\n"


def json_rows(rows: Iterable[Row]) -> str:
    return "".join(json_line(dict(zip(COLUMNS, row.cells, strict=True))) for row in rows)


def verify(lines: Iterable[str]) -> Verified:
    """`lines` of a file of either format, with their ends. Raises `Tampered`."""
    lines = iter(lines)
    first = next(lines, "")
    whole = itertools.chain([first], lines)
    return _verify_json(whole) if first.lstrip().startswith("{") else _verify_csv(whole)


def _verify_csv(lines: Iterable[str]) -> Verified:
    try:
        cells = csv.reader(lines, strict=True)
        check = Check(_facts(cells, len(OPENING)))
        if tuple(next(cells, ())) != COLUMNS:
            raise Tampered("The line with the names of the columns is not as it was.")
        for row in cells:
            if not row:
                break
            check.row(row)
        closed = check.close(_facts(cells))
        if next(cells, None) is not None:
            raise Tampered(AFTER_THE_END)
        return closed  # noqa: TRY300 - reading on may raise, too
    except csv.Error as problem:
        raise Tampered(f"It can't be read as CSV: {problem}.") from problem


def _facts(cells: Iterator[list[str]], most: int = 100) -> dict[str, str]:
    """Names and values up to an empty line."""
    facts: dict[str, str] = {}
    for row in cells:
        if not row:
            break
        if len(row) != 2 or row[0] in facts or len(facts) == most:
            raise Tampered(f"{', '.join(row)[:80]!r} can't be at the head or the end of a statement.")
        facts[row[0]] = row[1]
    return facts


def _verify_json(lines: Iterable[str]) -> Verified:
    objects = map(_object, lines)
    check = Check(next(objects))
    for facts in objects:
        if "closing_number" in facts:
            closed = check.close(facts)
            if next(objects, None) is not None:
                raise Tampered(AFTER_THE_END)
            return closed
        check.row(_cells(facts))
    raise Tampered("The end of the statement is missing.")


def _object(line: str) -> dict[str, str]:
    try:
        facts = json.loads(line)
    except ValueError as problem:
        raise Tampered(f"{line[:80]!r} can't be read as JSON: {problem}.") from problem
    if not isinstance(facts, dict) or not all(isinstance(value, str) for value in facts.values()):
        raise Tampered(f"{line[:80]!r} is not an object of texts.")
    return facts


def _cells(facts: Mapping[str, str]) -> Sequence[str]:
    if tuple(facts) != COLUMNS:
        raise Tampered(f"Number {facts.get('number', '')[:20]}: its cells are {', '.join(facts)[:120]} instead of {', '.join(COLUMNS)}.")
    return tuple(facts.values())


def _csv(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
