"""Which number calls show: the called country's, the profile's, or none (SPEC R8.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.test_admission import SALES, out, with_profile
from trunkline.domain import numbers
from trunkline.domain.caller_id import read_landline, set_caller_id
from trunkline.domain.errors import Invalid

US, GB, CANADA = "12025550101", "442079460100", "14165550100"
MANY = replace(SALES, caller_id=US, caller_id_by_country={"GB": GB, "CA": CANADA})


@pytest.mark.parametrize(
    ("called", "shown"), [("442079460999", GB), ("447400123456", GB), ("14165550199", CANADA), ("12125550123", US), ("881612345678", US)]
)
def test_the_country_decides_and_not_the_country_code(called: str, shown: str) -> None:
    assert set_caller_id(MANY, called).digits == shown
    assert set_caller_id(replace(MANY, caller_id=""), called).digits == (shown if shown != US else "")


def test_without_countries_nobody_looks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hot path stays as it was."""

    def never(e164: str) -> str:
        raise AssertionError(e164)

    monkeypatch.setattr(numbers, "country_of", never)
    assert set_caller_id(replace(SALES, caller_id=US), GB).digits == US
    monkeypatch.undo()
    assert numbers.country_of(GB) == "GB"


def test_what_the_pbx_presents_or_hides_wins() -> None:
    known = with_profile(replace(MANY, caller_id_by_country={"FR": GB}))
    assert out("+33123456789", known=known).shown == GB
    assert out("+33123456789", known=known, caller=f"+{US}").shown == US
    assert out("+33123456789", known=known, anonymous=True).shown == ""
    assert ("caller_id", f"+{GB}, set on the profile for calls to FR") in out("+33123456789", known=known).trace


@pytest.mark.parametrize(("text", "country"), [("(212) 555-0123", "US"), ("+1 212 555 0123", "DE"), ("0012125550123", "FR")])
def test_landlines_are_read_as_they_are_dialled(text: str, country: str) -> None:
    assert read_landline(text, country) == "12125550123"


@pytest.mark.parametrize("text", ["", "12", "Architects.Sales", "+1 900 555 0100", "+44 7700 900123", "+1 800 555 0100"])
def test_other_numbers_are_no_landlines(text: str) -> None:
    with pytest.raises(Invalid):
        read_landline(text, "US")
