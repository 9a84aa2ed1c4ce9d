"""Statements without a store: chain, files, and what every kind of tampering leads to (SPEC R9.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from trunkline.domain import statement_files as files, statement_words, statements
from trunkline.domain.errors import Invalid
from trunkline.domain.money import MICROS
from trunkline.domain.statement_check import OPENING, Tampered
from trunkline.domain.statements import COLUMNS, FORMAT, Head, Movement, Row, amount_text, seal

ACCOUNT = 14
AT_US = 1_793_700_000_000_000
NAMES = {name: place for place, name in enumerate(COLUMNS)}


def movement(number: int, amount: int, note: str = "France") -> Movement:
    return Movement(100 + number, AT_US + number, "call", note, "The operator's income", amount, f"call/{number}/1")


def rows_of(*amounts: int, start: Head | None = None, currency: str = "USD") -> list[Row]:
    head = start or statements.opened(ACCOUNT, currency)
    rows = []
    for number, amount in enumerate(amounts, 1):
        rows.append(statements.add(head, movement(number, amount), currency))
        head = rows[-1].head
    return rows


def opening_of(head: Head, currency: str = "USD") -> dict[str, str]:
    words = "Credit of Manager 3: =Architects"
    facts = (FORMAT, words, str(ACCOUNT), currency, "2026-11", "UTC", str(head.number), amount_text(head.balance, currency), head.digest)
    return dict(zip(OPENING, facts, strict=True))


def file_of(rows: list[Row], start: Head | None = None, *, as_csv: bool = True, currency: str = "USD") -> list[str]:
    start = start or statements.opened(ACCOUNT, currency)
    end = rows[-1].head if rows else start
    opening = opening_of(start, currency)
    closing = {"closing_number": str(end.number), "closing_balance": amount_text(end.balance, currency)}
    closing |= {"closing_hash": end.digest, "state": "closed"}
    closing["seal"] = seal({**opening, **closing})
    if as_csv:
        text = files.csv_head(opening) + files.csv_rows(rows) + files.csv_end(closing)
    else:
        text = files.json_line(opening) + files.json_rows(rows) + files.json_line(closing)
    return text.splitlines(keepends=True)


def found_in(lines: list[str]) -> str:
    with pytest.raises(Tampered) as caught:
        files.verify(lines)
    return str(caught.value)


def with_cell(row: Row, name: str, text: str) -> Row:
    cells = list(row.cells)
    cells[NAMES[name]] = text
    return Row(tuple(cells), row.head)


BOTH = pytest.mark.parametrize("as_csv", [True, False], ids=["csv", "json"])


@BOTH
def test_what_was_exported_is_verified(as_csv: bool) -> None:
    found = files.verify(file_of(rows_of(10 * MICROS, -20_000, -1), as_csv=as_csv))
    assert (found.rows, found.opening_balance, found.closing_balance, found.state) == (3, "0.00", "9.979999", "closed")
    assert files.verify(file_of([], as_csv=as_csv)).rows == 0


@BOTH
@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("number", "3", "number 2 is expected"),
        ("posting", "999", "hash does not fit"),
        ("at", "2026-11-03T10:00:00.000000Z", "hash does not fit"),
        ("what", "Call: Spain", "hash does not fit"),
        ("other_side", "Credit of Manager 3", "hash does not fit"),
        ("amount", "-0.01", "0.08 follows"),
        ("amount", "-0.0200000", "no amount"),
        ("balance", "0.08", "0.07 follows"),
        ("balance", "", "no amount"),
        ("reference", "call/2/2", "hash does not fit"),
        ("hash", "0" * 64, "hash does not fit"),
    ],
)
def test_a_changed_cell_is_found_where_it_is(as_csv: bool, column: str, text: str, said: str) -> None:
    rows = rows_of(90_000, -20_000, -20_000)
    rows[1] = with_cell(rows[1], column, text)
    message = found_in(file_of(rows, as_csv=as_csv))
    assert said in message
    assert message.startswith("Row 2 ")


@BOTH
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [rows[0], *rows[2:]], "Row 2 (number 3): number 2 is expected"),
        (lambda rows: rows[1:], "Row 1 (number 2): number 1 is expected"),
        (lambda rows: [rows[0], rows[2], rows[1], rows[3]], "Row 2 (number 3)"),
        (lambda rows: [*rows[:2], rows[1], *rows[2:]], "Row 3 (number 2): number 3 is expected"),
        (lambda rows: [*rows[:2], *rows_of(5, 5, 5)[2:], *rows[2:]], "Row 3 (number 3)"),
    ],
    ids=["removed", "first removed", "swapped", "repeated", "inserted"],
)
def test_rows_removed_moved_or_added_are_found(as_csv: bool, change: Callable[[list[Row]], list[Row]], said: str) -> None:
    assert found_in(file_of(change(rows_of(5, 7, 9, 11)), as_csv=as_csv)).startswith(said)


@BOTH
def test_the_last_rows_can_not_be_missing(as_csv: bool) -> None:
    lines = file_of(rows_of(5, 7, 9), as_csv=as_csv)
    last = next(place for place, line in enumerate(lines) if "call/3/1" in line)
    assert "closing_number is 3, but 2 follows" in found_in(lines[:last] + lines[last + 1 :])
    assert found_in(lines[:last])


@BOTH
@pytest.mark.parametrize("old", ["Architects", "2026-11", "USD", "UTC", '"14"', ",14", "closed", FORMAT])
def test_the_head_and_the_end_are_sealed(as_csv: bool, old: str) -> None:
    lines = file_of(rows_of(5, 7, start=Head(4, 100, "a" * 64)), Head(4, 100, "a" * 64), as_csv=as_csv)
    changed = [
        line.replace(old, "2026-12" if old == "2026-11" else ",15" if old == ",14" else '"15"' if old == '"14"' else "EUR", 1)
        for line in lines
    ]
    if changed != lines:
        assert found_in(changed)


@BOTH
def test_a_purse_does_not_begin_with_something(as_csv: bool) -> None:
    invented = Head(0, 5 * MICROS, statements.opened(ACCOUNT, "USD").digest)
    assert "no purse begins" in found_in(file_of(rows_of(5, start=invented), invented, as_csv=as_csv))


def test_nothing_after_the_end_and_nothing_else_at_all() -> None:
    lines = file_of(rows_of(5))
    assert "after the end" in found_in([*lines, "\n", "more,1\n"])
    assert "after the end" in found_in([*file_of(rows_of(5), as_csv=False), "{}\n"])
    for text in ("", "{", "[]\n", "{}\n", "x\n", '"', "statement,other/1\n", '{"statement": 1}\n'):
        assert found_in(text.splitlines(keepends=True))


def test_no_cell_can_be_taken_for_a_formula() -> None:
    evil = Movement(1, AT_US, "payment", '=HYPERLINK("x")\r\n=1+1', "Money from outside", MICROS, "payment/1/=1+1")
    row = statements.add(statements.opened(ACCOUNT, "USD"), evil, "USD")
    assert row.cells[NAMES["what"]] == 'Payment: =HYPERLINK("x") =1+1'
    lines = file_of([row, *rows_of(-5, start=row.head)])
    assert files.verify(lines).rows == 2
    assert [line for line in lines if line.lstrip('"').startswith(("=", "+", "@", "-"))] == []


def test_minutes_are_whole_seconds() -> None:
    rows = rows_of(300_000, -60, currency="SEC")
    assert rows[1].cells[5:7] == ("-60", "299940")
    assert files.verify(file_of(rows, currency="SEC")).closing_balance == "299940"


AMOUNTS = st.lists(st.integers(-(10**15), 10**15).filter(bool), max_size=12)


@given(AMOUNTS, st.booleans(), st.text(max_size=40))
def test_any_movements_are_verified(amounts: list[int], as_csv: bool, note: str) -> None:
    head, rows = statements.opened(ACCOUNT, "USD"), []
    for number, amount in enumerate(amounts, 1):
        rows.append(statements.add(head, movement(number, amount, note), "USD"))
        head = rows[-1].head
    assert files.verify(file_of(rows, as_csv=as_csv)).closing_balance == amount_text(sum(amounts), "USD")


@given(st.data())
def test_any_change_of_a_file_is_found(data: st.DataObject) -> None:
    """One character anywhere becomes another; only where quoting or white space means the same, the same may be read."""
    as_csv = data.draw(st.booleans())
    text = "".join(file_of(rows_of(*data.draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=4))), as_csv=as_csv))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0123456789abcxyz,.-Z{}").filter(lambda character: character != text[place]))
    changed = text[:place] + other + text[place + 1 :]
    assert found_in(changed.splitlines(keepends=True))


@pytest.mark.parametrize(
    ("wording", "digest"),
    [
        (1, "09ccb23f12e24694f3dcd59f0c724a46c0cb5992025c243a2946c7c53245f786"),
        (statement_words.WORDING, "bcf5e4e6f02497f450da94ae91990fdeeb5df25f76ed7bdef87d192e7db5df09"),
    ],
)
def test_format_and_words_stay_as_they_are(wording: int, digest: str) -> None:
    """Change a cell, and every head in every store is wrong: that is a new FORMAT. Change a word: that is a new WORDING."""
    head = statements.opened(ACCOUNT, "USD")
    for number, kind in enumerate(statement_words.KINDS, 1):
        one = Movement(number, AT_US, kind, "note", "The operator's income", number, f"{kind}/{number}")
        head = statements.add(head, one, "USD", wording).head
    assert head.digest == digest


@pytest.mark.parametrize(
    ("kind", "note", "words"),
    [
        ("payment", "", "Payment"),
        ("payment", "Payment by card", "Payment by card"),
        ("payment", "=bank transfer 17", "Payment: =bank transfer 17"),
        ("refund", "payment of $50.00 on 2026-11-03", "Refund: payment of $50.00 on 2026-11-03"),
        ("refund", "Refund", "Refund"),
        ("dispute", "payment of $50.00 on 2026-11-03", "Disputed: payment of $50.00 on 2026-11-03"),
        ("allocate", "", "Credit allocated"),
        ("allocate", "Sales Berlin", "Credit allocated to Sales Berlin"),
        ("take_back", "{Sales}\nBerlin", "Credit taken back from {Sales} Berlin"),
        ("recharge", "Sales Berlin", "Auto-recharge of Sales Berlin"),
        ("recharge", "Auto-recharge", "Auto-recharge"),
        ("channels", "5 calling channels for Sales, until 2026-12-31", "Subscription: 5 calling channels for Sales, until 2026-12-31"),
        ("term_refund", "unused part of 5 calling channels for Sales", "Refund: unused part of 5 calling channels for Sales"),
        ("call", "France", "Call to France"),
        ("call_back", "France", "Part of a call given back: France"),
        ("kind_of_tomorrow", "note", "Kind of tomorrow: note"),
    ],
)
def test_words_are_those_of_a_bank_statement(kind: str, note: str, words: str) -> None:
    assert statement_words.what_text(kind, note) == words


def test_months() -> None:
    new_york = ZoneInfo("America/New_York")
    november = date(2026, 11, 1)
    end_us = statements.ends_us(november, new_york)
    assert statements.moment_text(end_us) == "2026-12-01T05:00:00.000000Z"
    assert statements.month_of(end_us - 1, new_york) == november
    assert statements.month_of(end_us, new_york) == statements.month_after(november) == date(2026, 12, 1)
    assert statements.parse_month("2026-11") == november
    for text in ("2026", "2026-13", "x", "0000-01", "9999-12", ""):
        with pytest.raises(Invalid):
            statements.parse_month(text)
