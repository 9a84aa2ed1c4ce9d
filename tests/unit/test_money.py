"""Decimal text to micro-units and back, exactly (DESIGN D4)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trunkline.domain import money
from trunkline.domain.errors import Invalid


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0", 0), ("12.34", 12_340_000), ("0.000001", 1), (" 5 ", 5_000_000), ("+1", 1_000_000), ("7.", 7_000_000), ("1.10000000", 1_100_000)],
)
def test_text_becomes_micro_units(text: str, micros: int) -> None:
    assert money.parse_micros(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".5",
        "-1",
        "-0.000001",
        "1,000.00",
        "1 000",
        "1e3",
        "0x10",
        "NaN",
        "inf",
        "$1",
        "1.0000001",
        "1000000000.000001",
        "9" * 30,
        "\u0661",
        "1\n2",
        "1.2.3",
        "--1",
        "1_000",
    ],
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"[.:]"):
        money.parse_micros(text)


@given(st.integers(0, money.MAX_AMOUNT_MICROS))
def test_text_and_back_is_exact(micros: int) -> None:
    assert money.parse_micros(money.decimal_text(micros)) == micros


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        micros = money.parse_micros(text)
    except Invalid:
        return
    assert 0 <= micros <= money.MAX_AMOUNT_MICROS


@pytest.mark.parametrize(
    ("micros", "currency", "locale", "written"),
    [
        (12_340_000, "USD", "en", "$12.34"),
        (-12_340_000, "USD", "en", "-$12.34"),
        (21_500, "USD", "en", "$0.0215"),
        (1_234_567_890_000, "USD", "en", "$1,234,567.89"),
        (1_500_000, "JPY", "en", "¥1.50"),
        (-21_500, "USD", "en", "-$0.0215"),
    ],
)
def test_people_read_it_with_its_currency_and_unrounded(micros: int, currency: str, locale: str, written: str) -> None:
    assert money.for_people(micros, currency, locale) == written


def test_a_german_reads_it_the_german_way() -> None:
    assert money.for_people(12_340_000, "EUR", "de").replace("\xa0", " ") == "12,34 €"
    assert money.for_people(21_500, "EUR", "de").replace("\xa0", " ") == "0,0215 €"


def test_a_currency_is_one_of_iso_4217() -> None:
    assert money.check_currency("USD") == "USD"
    for wrong in ("usd", "DOLLAR", "", "XQX"):
        with pytest.raises(Invalid):
            money.check_currency(wrong)
