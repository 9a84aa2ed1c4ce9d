"""A statement as a table: what the page shows of it, and the same as XLSX and PDF (SPEC R9.2, R9.3).

These two are to be read. What proves a statement is its CSV and JSON (`usecases/statements.py`), which have the hash of each line; here
the last one is named above the table, so that whoever has both sees that they are the same statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.urls import reverse

from trunkline.domain import statements
from trunkline.domain.statements import SECONDS, Head
from trunkline.manager.reports.sheet import Cell, Column, Row, Sheet, moment_cell, money_cell, seconds_cell
from trunkline.store.statements import Purse
from trunkline.usecases.statement_pages import WholeStatement


def columns_of(currency: str) -> tuple[Column, ...]:
    unit = "seconds" if currency == SECONDS else currency
    return (
        Column("Time", width=20, is_whole=True),
        Column("What", width=44),
        Column("Other side", width=26),
        Column("Amount", is_number=True, unit=unit, width=14),
        Column("Balance", is_number=True, unit=unit, width=14),
    )


def rows_of(opening: Head, rows: Iterable[statements.Row], purse: Purse) -> Iterator[Row]:
    """In the order of `columns_of`. `opening`: before the first of them."""
    before, currency = opening.balance, purse.account.currency
    for row in rows:
        moved, before = row.head.balance - before, row.head.balance
        _, _, at, what, other_side, _, _, reference, _ = row.cells
        time = moment_cell(datetime.fromisoformat(at).astimezone(purse.zone), _call_of(reference))
        yield time, Cell(what), Cell(other_side), amount_cell(moved, currency), amount_cell(before, currency)


def sheet_of(name: str, whose: tuple[tuple[str, str], ...], found: WholeStatement) -> Sheet:
    """`whose`: the facts that are known before the purse is read."""
    currency = found.purse.account.currency
    facts = (
        *whose,
        ("State", "Closed: it will never be different" if found.is_closed else "Open: more can be booked"),
        ("Balance at the beginning", amount_cell(found.opening.balance, currency).text),
        ("Balance at the end", amount_cell(found.closing.balance, currency).text),
        ("Movements", f"{found.count:,}"),
        ("Hash of the last line", found.closing.digest),
    )
    rows = rows_of(found.opening, found.rows, found.purse)
    return Sheet(name, "Statement", facts, columns_of(currency), rows, found.count)


def amount_cell(amount: int, currency: str) -> Cell:
    return seconds_cell(amount) if currency == SECONDS else money_cell(amount, currency)


def _call_of(reference: str) -> str:
    """`call/<reference>/<increment>` leads to the call."""
    kind, _, rest = reference.partition("/")
    ident = rest.partition("/")[0]
    return reverse("reports_call", args=[int(ident)]) if kind == "call" and ident.isdecimal() else ""
