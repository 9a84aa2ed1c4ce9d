"""What a PBX dials becomes E.164 digits (R6.1), and a type that can be barred (R6.7)."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from trunkline.domain import numbers

COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize(
    ("dialled", "country", "expected"),
    [
        ("+12025550100", "US", "12025550100"),
        ("12025550100", "US", "12025550100"),
        ("2025550100", "US", "12025550100"),
        ("0012025550100", "US", "12025550100"),
        ("01112025550100", "US", "12025550100"),
        ("011442079460123", "US", "442079460123"),
        ("442079460123", "US", "442079460123"),
        ("442079460123", "GB", "442079460123"),
        ("02079460123", "GB", "442079460123"),
        ("+4402079460123", "GB", "442079460123"),
        ("00442079460123", "FR", "442079460123"),
        ("0123456789", "FR", "33123456789"),
        ("33123456789", "FR", "33123456789"),
        ("912345678", "ES", "34912345678"),
        ("34912345678", "ES", "34912345678"),
        ("0612345678", "IT", "390612345678"),
        ("+390612345678", "US", "390612345678"),
        ("84951234567", "RU", "74951234567"),
        ("810442079460123", "RU", "442079460123"),
        ("+1 (202) 555-0100", "DE", "12025550100"),
        ("+12025550100;npdi;rn=1", "DE", "12025550100"),
        ("17606604690", "DE", "17606604690"),
        ("+8823451234567", "US", "8823451234567"),
    ],
)
def test_a_dialled_number_is_understood(dialled: str, country: str, expected: str) -> None:
    assert numbers.to_e164(dialled, country) == expected


@pytest.mark.parametrize(
    "dialled",
    [
        "",
        "+",
        "112",
        "1",
        "12345",
        "+0123456789",
        "*43",
        "#31#123456789",
        "12x45",
        "sales",
        "+1202555010",
        "5550100",
        "9" * 16,
        "9" * 41,
        "+" * 3 + "12025550100",
        "1\n2025550100",
        "\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
        "' OR 1=1 --",
        "\x00",
    ],
)
def test_what_cannot_be_a_number_is_none(dialled: str) -> None:
    assert numbers.to_e164(dialled, "US") is None


@pytest.mark.parametrize(
    ("dialled", "name"), [("Architects.Sales", True), ("zoë", True), ("+12025550100", False), ("*43", False), ("1202;isub=abc", False)]
)
def test_a_name_has_a_letter(dialled: str, name: bool) -> None:
    assert numbers.is_name(dialled) is name


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("442079460123", "fixed"),
        ("447400123456", "mobile"),
        ("12025550100", "fixed_or_mobile"),
        ("18002345678", "toll_free"),
        ("19005551234", "premium"),
        ("33899123456", "premium"),
        ("1900555123499", "premium"),
        ("870773111632", "satellite"),
        ("881612345678", "satellite"),
        ("8821612345678", "satellite"),
        ("8823451234567", "international_network"),
        ("883510012345", "international_network"),
        ("979123456789", "premium"),
        ("80012345678", "toll_free"),
        ("999", "other"),
    ],
)
def test_the_type_of_a_number(e164: str, expected: str) -> None:
    assert numbers.number_type(e164) == expected


def _example(country: str) -> phonenumbers.PhoneNumber | None:
    return phonenumbers.example_number_for_type(country, PhoneNumberType.FIXED_LINE) or phonenumbers.example_number(country)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_s_own_spellings_are_one_number(country: str) -> None:
    example = _example(country)
    assert example is not None
    e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)[1:]
    national = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)
    for spelling in (f"+{e164}", f"00{e164}", e164, national):
        assert numbers.to_e164(spelling, country) == e164, spelling
    assert numbers.to_e164(numbers.to_national(e164, country), country) == e164


@pytest.mark.parametrize("country", COUNTRIES)
def test_types_are_those_of_the_library(country: str) -> None:
    """Each type's example number, so that our one-look patterns can't drift from the library's country-by-country search."""
    theirs = {
        PhoneNumberType.FIXED_LINE: "fixed",
        PhoneNumberType.MOBILE: "mobile",
        PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
        PhoneNumberType.TOLL_FREE: "toll_free",
        PhoneNumberType.PREMIUM_RATE: "premium",
        PhoneNumberType.SHARED_COST: "shared_cost",
    }
    for kind in PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(country, kind)
        if example is not None and phonenumbers.is_valid_number(example):
            e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)[1:]
            assert numbers.number_type(e164) == theirs.get(phonenumbers.number_type(example), "other"), e164


@given(st.text(max_size=60), st.sampled_from(COUNTRIES))
def test_any_text_gives_e164_digits_or_none(dialled: str, country: str) -> None:
    found = numbers.to_e164(dialled, country)
    assert found is None or (found.isascii() and found.isdigit() and 7 <= len(found) <= 15 and found[0] != "0")


@given(st.from_regex(r"\+?[0-9]{1,17}", fullmatch=True), st.sampled_from(COUNTRIES))
def test_reading_a_number_again_changes_nothing(dialled: str, country: str) -> None:
    found = numbers.to_e164(dialled, country)
    if found is not None:
        assert numbers.to_e164("+" + found, country) == found
        assert numbers.is_e164(found)
        assert numbers.number_type(found)


def test_a_foreign_number_in_national_form_has_the_international_prefix() -> None:
    assert numbers.to_national("33123456789", "US") == "01133123456789"
    assert numbers.to_national("33123456789", "GB") == "0033123456789"
