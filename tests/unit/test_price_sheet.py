"""Price sheets as they come: many spellings, every problem by its line (SPEC R6.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from trunkline.domain import sheets
from trunkline.domain.errors import Invalid
from trunkline.domain.price_sheet import ALIASES, Difference, Terms, difference, expand_prefixes, read_prices
from trunkline.domain.sheets import SheetProblem

GOOD = "prefix,destination,rate\n44,United Kingdom,0.022\n"


def terms(rate: int = 22_000, fee: int = 0, name: str = "United Kingdom", first: int = 60, following: int = 60) -> Terms:
    return Terms(name, rate, fee, first, following)


def problems(text: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(SheetProblem) as found:
        read_prices(text if isinstance(text, bytes) else text.encode(), "USD")
    return [(problem.line, problem.text) for problem in found.value.problems]


@pytest.mark.parametrize(
    ("cell", "prefixes"),
    [
        ("44", ["44"]),
        ("+44", ["44"]),
        ("'44", ["44"]),
        ("61 38,39", ["6138", "6139"]),
        ("61 38, 39", ["6138", "6139"]),
        ("61 38;39", ["6138", "6139"]),
        ("44,45", ["44", "45"]),
        ("4420-4422", ["4420", "4421", "4422"]),
        ("61 08-11,2", ["6108", "6109", "6110", "6111", "612"]),
    ],
)
def test_a_cell_has_one_or_many_prefixes(cell: str, prefixes: list[str]) -> None:
    assert expand_prefixes(cell) == prefixes


@pytest.mark.parametrize(
    "cell", ["", "0", "0044", "a", "44x", "6 1 2", "4.4E+3", "1" * 16, "44-", "45-44", "4-44", "1-99999", "44,,45", "１２"]
)
def test_what_is_no_prefix_is_refused(cell: str) -> None:
    with pytest.raises(Invalid):
        expand_prefixes(cell)


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace(",", "\t").encode(),
        b"prefix;destination;rate\n44;United Kingdom;0,022\n",
        b"Dial Code,Destination Name,Rate/Min\n44,United Kingdom,0.022\n",
        b"DIALCODE,Country,Price_per_minute,Remarks\n44,United Kingdom,0.022,hello\n",
        b"\n\nprefix,destination,rate\n\n44,  United   Kingdom ,0.022\n,,\n",
        b'prefix,destination,rate\n"44", "United Kingdom", "0.022"\n',
    ],
)
def test_one_sheet_in_many_spellings(data: bytes) -> None:
    (price,) = read_prices(data, "USD")
    assert (price.prefix, price.terms, price.starts_at, price.ends_at) == ("44", terms(), None, None)


@pytest.mark.parametrize(
    ("header", "cells", "increments"),
    [
        ("increments", "30/6", (30, 6)),
        ("billing", "1", (1, 1)),
        ("increment", "60 / 1", (60, 1)),
        ("first increment,next increment", "30,6", (30, 6)),
        ("minimum,interval", "60,60", (60, 60)),
        ("increments", "", (60, 60)),
    ],
)
def test_increments_in_one_column_or_two(header: str, cells: str, increments: tuple[int, int]) -> None:
    (price,) = read_prices(f"prefix,name,rate,{header}\n44,UK,0.02,{cells}\n".encode(), "USD")
    assert (price.terms.first_increment_seconds, price.terms.next_increment_seconds) == increments


def test_dates_and_fee() -> None:
    sheet = "prefix,name,rate,setup fee,effective date,valid to\n44,UK,0.02,0.1,2027-01-31,2027-02-28T12:00+02:00\n"
    (price,) = read_prices(sheet.encode(), "USD")
    assert price.terms.connection_fee_micros == 100_000
    assert price.starts_at == datetime(2027, 1, 31, tzinfo=UTC)
    assert price.ends_at == datetime(2027, 2, 28, 10, tzinfo=UTC)


def test_every_wrong_line_is_named_at_once() -> None:
    lines = [
        "prefix,destination,rate,increments,effective from,effective until,currency",
        "44,United Kingdom,0.02,,,,",
        "45,Denmark,-0.02,,,,",
        "46,Sweden,0.0000001,,,,",
        "47,Norway,1e-2,,,,",
        "48,Poland,1001,,,,",
        "49,,0.02,,,,",
        "4x,Nowhere,0.02,,,,",
        "50,Somewhere,0.02,0/60,,,",
        "51,Peru,0.02,,31.01.2027,,",
        "52,Mexico,0.02,,2027-02-01,2027-01-01,",
        "53,Cuba,0.02,,,,EUR",
        "54,Argentina,0.02,,,,,surplus",
    ]
    found = problems("\n".join(lines))
    assert [line for line, _ in found] == list(range(3, 14))
    words = [
        "negative",
        "decimals",
        "not an amount",
        "can't be meant",
        "destination",
        "prefix",
        "from 1 to",
        "2027-01-31",
        "before it begins",
    ]
    for (_, text), word in zip(found, [*words, "list of its own", "quotation marks"], strict=True):
        assert word in text


def test_a_prefix_twice_is_named_with_both_lines() -> None:
    assert problems(GOOD + '"43,44",x,0.1\n') == [(3, "prefix 44 is on line 2 too: keep one (a later price comes in a sheet of its own).")]


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"", 1, "no lines"),
        (b"44,United Kingdom,0.022\n", 1, "prefix"),
        (b"prefix,destination\n44,UK\n", 1, "rate"),
        (b"prefix,rate,price,destination\n44,1,1,UK\n", 1, "two columns"),
        (b"prefix,destination,rate\n", 1, "no lines"),
        (GOOD.encode() + b"45,D\xe4nemark,0.02\n", 3, "UTF-8"),
        (GOOD.encode() + b'45,"Denmark,0.02\n', 3, "quotation"),
        (GOOD.encode() + b"45,Den\x00mark,0.02\n", 3, "NUL"),
        (GOOD.encode() + b"45,Den\x1bmark,0.02\n", 3, "control characters"),
    ],
)
def test_sheets_that_are_none(data: bytes, line: int, word: str) -> None:
    found = problems(data)
    assert any(number == line and word in text for number, text in found), found


def test_sheets_have_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_BYTES", 10)
    assert "larger" in problems(GOOD)[0][1]
    monkeypatch.setattr(sheets, "MOST_BYTES", 1000)
    monkeypatch.setattr(sheets, "MOST_LINES", 1)
    assert "more than 1 lines" in problems(GOOD)[0][1]


def test_a_list_of_problems_is_bounded() -> None:
    with pytest.raises(SheetProblem) as found:
        read_prices(("prefix,destination,rate\n" + "x,y,z\n" * 1000).encode(), "USD")
    assert str(found.value).endswith("... and 950 more lines with errors")
    assert len(found.value.problems) == 1000


@given(st.binary(max_size=200))
def test_any_bytes_are_prices_or_problems(data: bytes) -> None:
    for sheet in (data, GOOD.encode() + data):
        try:
            prices = read_prices(sheet, "USD")
        except SheetProblem:
            continue
        assert prices


@given(st.text(max_size=30))
def test_any_cell_is_prefixes_or_refused(cell: str) -> None:
    try:
        prefixes = expand_prefixes(cell)
    except Invalid:
        return
    assert prefixes
    assert all(prefix.isascii() and prefix.isdigit() and prefix[0] != "0" for prefix in prefixes)


def test_what_an_import_changes() -> None:
    now = {"1": terms(10), "2": terms(10), "3": terms(10), "4": terms(10), "5": terms(10), "6": terms(10, fee=5)}
    then = {"1": terms(10), "2": terms(11), "3": terms(9), "4": terms(10, name="UK"), "6": terms(10, fee=6), "7": terms(1)}
    assert difference(now, then) == Difference(("7",), ("2", "6"), ("3",), ("4",), ("5",), 1)
    assert difference(now, then, keep_missing=True).removed == ()


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/price-sheet.md").read_text(encoding="utf-8")
    assert [name for name in ALIASES if f"`{name}`" not in page] == []
