"""Emergency numbers in all spellings (R6.5), and nothing else."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given, strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from trunkline.domain import emergency, numbers

COUNTRIES = sorted(set(phonenumbers.SUPPORTED_SHORT_REGIONS) & set(phonenumbers.SUPPORTED_REGIONS))


def _numbers_of(country: str) -> list[str]:
    """All emergency numbers of a country, by trying every string of digits that is short enough."""
    metadata = PhoneMetadata.short_metadata_for_region(country)
    desc = metadata.emergency if metadata else None
    if desc is None or not desc.national_number_pattern:
        return ["112"]
    pattern = re.compile(desc.national_number_pattern)
    short = [f"{n:0{length}d}" for length in desc.possible_length if length <= 5 for n in range(10**length)]
    return [digits for digits in short if pattern.fullmatch(digits)]


EMERGENCY = {country: _numbers_of(country) for country in ("US", "GB", "FR", "DE", "AU", "BR", "SE", "ZA", "JP", "IN")}


@given(
    st.sampled_from(sorted(EMERGENCY)).flatmap(lambda c: st.tuples(st.just(c), st.sampled_from(EMERGENCY[c]))),
    st.sampled_from(["", "0", "9"]),
    st.sampled_from(["", "+", "00"]),
    st.sampled_from(["", "code", "code0"]),
    st.sampled_from(["", ";phone-context=+1"]),
)
def test_every_spelling_is_an_emergency(own: tuple[str, str], line: str, plus: str, code: str, parameters: str) -> None:
    country, number = own
    if line and plus == "+":
        line = ""
    prefix = code.replace("code", str(phonenumbers.country_code_for_region(country)))
    assert emergency.is_emergency(line + plus + prefix + number + parameters, country)


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_real_number_is_an_emergency(country: str) -> None:
    """An example of each type of number, in the spellings a PBX uses."""
    for kind in phonenumbers.PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(country, kind)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)[1:]
        for spelling in (e164, f"+{e164}", f"00{e164}", f"9{e164}"):
            assert not emergency.is_emergency(spelling, country), spelling


@pytest.mark.parametrize("country", COUNTRIES)
def test_112_and_911_are_emergencies_everywhere(country: str) -> None:
    assert all(emergency.is_emergency(number, country) for number in ("112", "911", "+112", "0112", "9911"))


@pytest.mark.parametrize("dialled", ["9111", "933", "1120", "9112345678", "", "+", "sos", "11 2x", "411", "100"])
def test_what_only_looks_like_one_is_not(dialled: str) -> None:
    assert not emergency.is_emergency(dialled, "US")


@given(st.from_regex(r"\+?[0-9]{1,17}", fullmatch=True), st.sampled_from(COUNTRIES))
def test_no_e164_number_of_ordinary_length_is_an_emergency(dialled: str, country: str) -> None:
    e164 = numbers.to_e164(dialled, country)
    if e164 is not None and len(e164) >= 10:
        assert not emergency.is_emergency("+" + e164, country)
