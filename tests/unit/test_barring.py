"""What a profile does not call (SPEC R6.7): kinds of numbers, countries, beginnings, anything abroad."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.test_admission import SALES
from trunkline.domain.barring import AT_FIRST, MOST_DESTINATIONS, check_destinations, check_types, why_barred
from trunkline.domain.errors import Invalid

JAMAICA, GUERNSEY, TOLL_FREE = "18765550123", "441481720000", "18005550100"


def barred(e164: str, *destinations: str) -> str:
    return why_barred(e164, replace(SALES, barred_destinations=frozenset(destinations)))


@pytest.mark.parametrize(
    ("e164", "destinations", "why"),
    [
        ("5371234567", ("CU",), "CU is switched off"),
        ("5371234567", ("JM", "+535"), ""),
        (JAMAICA, ("JM",), "JM is switched off"),
        (JAMAICA + "99", ("JM",), "JM is switched off"),
        ("12025550100", ("JM",), ""),
        (TOLL_FREE, ("JM",), ""),
        ("447012345678", ("+4470",), "+4470 is switched off"),
        ("447112345678", ("+4470",), ""),
        ("4470", ("+44701",), ""),
        ("88213123456", ("+882",), "+882 is switched off"),
        ("12000000000", ("CU",), ""),
        ("12000000000", ("JM",), "JM is switched off"),
    ],
)
def test_a_destination_is_a_country_or_a_beginning(e164: str, destinations: tuple[str, ...], why: str) -> None:
    assert barred(e164, *destinations) == why


@pytest.mark.parametrize(
    ("home", "e164", "may"),
    [
        ("US", "12025550100", True),
        ("US", "12265550100", False),
        ("CA", "12265550100", True),
        ("CA", TOLL_FREE, True),
        ("US", JAMAICA, False),
        ("US", JAMAICA + "99", False),
        ("GB", "442079460100", True),
        ("GB", GUERNSEY, False),
        ("US", "33123456789", False),
        ("US", "88213123456", False),
        ("US", "80012345678", False),
    ],
)
def test_without_calls_abroad_only_home_is_called(home: str, e164: str, may: bool) -> None:
    why = why_barred(e164, replace(SALES, country=home, calls_abroad=False))
    assert why == ("" if may else f"calls to other countries than {home} are switched off")


def test_kinds_of_numbers_that_are_off_from_the_beginning() -> None:
    fresh = replace(SALES, barred_types=frozenset(AT_FIRST))
    off = [e164 for e164 in ("19005550100", "88213123456", "883510000000", "33123456789", "447824500000") if why_barred(e164, fresh)]
    assert off == ["19005550100", "88213123456", "883510000000"]


def test_destinations_are_written_in_one_way() -> None:
    assert check_destinations([" cu", "+44 70", "CU", "+1 (876)", "+4470"]) == ["+1876", "+4470", "CU"]
    assert check_types(["premium", "mobile", "premium"]) == ["mobile", "premium"]


@pytest.mark.parametrize("wrong", ["Cuba", "XX", "", "+", "0044", "+044", "44", "+44x", "+1234567890123456", "001"])
def test_what_is_no_destination_is_said(wrong: str) -> None:
    with pytest.raises(Invalid, match="such as NG"):
        check_destinations([wrong])


def test_there_are_not_endlessly_many() -> None:
    with pytest.raises(Invalid, match=f"At most {MOST_DESTINATIONS}"):
        check_destinations(f"+1{number:04}" for number in range(MOST_DESTINATIONS + 1))
