"""Which numbers a bundle's minutes are good for (SPEC R5.1)."""

from __future__ import annotations

import pytest

from trunkline.domain import excluded_prefixes
from trunkline.domain.destinations import destination_set
from trunkline.domain.errors import Invalid

LIST = "us-traffic-exchanges"
US = destination_set("US", LIST, ["premium", "toll_free", "shared_cost"])
EXCLUDED = sorted(excluded_prefixes.e164_prefixes(LIST))


def number_in(prefix: str) -> str:
    """Eleven digits of the North American plan."""
    return prefix.ljust(11, "5")


def test_all_of_the_excluded_prefixes_are_there_once() -> None:
    written = excluded_prefixes.US_TRAFFIC_EXCHANGES.split()
    assert len(written) == len(set(written)) == len(EXCLUDED) == 101
    assert {len(prefix) for prefix in written} == {6, 7}


def test_the_two_misprints_are_repaired() -> None:
    assert {"17127256", "12096471"} <= set(EXCLUDED)


@pytest.mark.parametrize("prefix", EXCLUDED)
def test_an_excluded_prefix_is_out_and_its_neighbours_are_in(prefix: str) -> None:
    assert not US.covers(number_in(prefix))
    assert not US.covers(prefix.ljust(11, "0"))
    assert not US.covers(prefix.ljust(11, "9"))
    for neighbour in (str(int(prefix) - 1), str(int(prefix) + 1)):
        if not any(neighbour.startswith(other) or other.startswith(neighbour) for other in EXCLUDED):
            assert US.covers(number_in(neighbour)), neighbour


def test_a_prefix_within_another_changes_nothing() -> None:
    assert "17605690" in EXCLUDED
    assert "1760569" in EXCLUDED
    assert not US.covers("17605693555")


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("14165550123", "Canada"),
        ("18765550123", "Jamaica"),
        ("12425550123", "the Bahamas"),
        ("17875550123", "Puerto Rico has a country code of its own in ISO 3166"),
        ("19005550123", "premium"),
        ("18005550123", "toll-free is neither landline nor mobile"),
        ("15005550123", "a personal number"),
        ("120255501234", "a digit too many"),
        ("33123456789", "France"),
        ("", "nothing"),
    ],
)
def test_what_is_not_in_the_united_states(number: str, why: str) -> None:
    assert not US.covers(number), why


@pytest.mark.parametrize("number", ["12025550123", "12125550100", "17605555555", "19075550123", "18085550123"])
def test_landlines_and_mobiles_of_the_united_states(number: str) -> None:
    assert US.covers(number)


def test_a_type_can_be_left_out_of_any_country() -> None:
    landlines = destination_set("GB", "", ["mobile"])
    assert landlines.covers("442079460000")
    assert not landlines.covers("447911123456")
    assert not landlines.covers("441481256789"), "Guernsey is not the United Kingdom"


def test_what_is_no_set_is_refused() -> None:
    with pytest.raises(Invalid, match="not a country"):
        destination_set("XX")
    with pytest.raises(Invalid, match="us-traffic-exchanges"):
        destination_set("US", "us")
