"""Guide 7.6: Caller ID, and the verification that landlines want (SPEC R1.4, R8.1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FilePayload

from tests.browser.buyer import view_profile
from tests.browser.conftest import Visitor
from tests.store.cast import BY, NOW
from tests.web.cast import Cast, make_cast, staff
from trunkline.domain.number_sheet import stock_number
from trunkline.store.models import CallerIdRule, Landline, Manager, Person
from trunkline.usecases import landlines, profiles
from trunkline.usecases.numbers import add_numbers, assign_number
from trunkline.web.templatetags.components import phone

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
US, GB, LANDLINE = "12025550100", "442079460100", "12125550123"


@pytest.fixture
def cast(site: str) -> Cast:
    made = make_cast()
    add_numbers(now=NOW, by=BY, stock=[stock_number(US), stock_number(GB)])
    return made


def with_numbers(cast: Cast) -> None:
    for e164 in (US, GB):
        assign_number(now=NOW, by=BY, e164=e164, profile_id=cast.company.profile_ids[0], allow_foreign=True)


def test_g_7_6_1_a_landline(administrator: Visitor, cast: Cast) -> None:
    view_profile(administrator, "Profile 0")
    administrator.follow("Set up Caller ID")
    administrator.looks_right("caller-id-none")
    administrator.follow("Use a landline number")
    administrator.sees("Your company is not verified yet.")
    administrator.looks_right("caller-id-unverified")
    Manager.objects.update(verification="verified")
    administrator.page.reload()
    administrator.page.get_by_label("Landline number").fill("212 555 0123")
    administrator.looks_right("caller-id-landline")
    administrator.press("Save settings")
    administrator.sees("waits for proof")
    administrator.looks_right("caller-id-waiting")
    landlines.prove_landline(now=NOW, by=BY, landline_id=Landline.objects.get().pk, note="bill")
    administrator.page.reload()
    administrator.sees("+1 212-555-0123")
    assert cast.company.profile().caller_id == LANDLINE


def test_g_7_6_2_an_online_number(administrator: Visitor, cast: Cast) -> None:
    view_profile(administrator, "Profile 0")
    administrator.follow("Set up Caller ID")
    administrator.follow("Use an Online Number")
    administrator.sees("No Online Number is on this profile")
    administrator.looks_right("caller-id-no-number")
    with_numbers(cast)
    administrator.page.reload()
    administrator.page.get_by_label("Number that is shown").select_option(US)
    administrator.press("Save settings")
    administrator.sees(f"Calls show {phone(US)}.")
    assert cast.company.profile().caller_id == US


def test_g_7_6_3_change_and_disable(administrator: Visitor, cast: Cast) -> None:
    with_numbers(cast)
    Manager.objects.update(verification="verified")
    one = landlines.add_landline(now=NOW, by=BY, manager_id=cast.company.manager_id, number=LANDLINE)
    landlines.prove_landline(now=NOW, by=BY, landline_id=one.pk, note="bill")
    profiles.set_caller_id(now=NOW, by=BY, profile_id=cast.company.profile_ids[0], caller_id=US)
    view_profile(administrator, "Profile 0")
    administrator.follow("Caller ID")
    administrator.follow("Change Caller ID")
    administrator.looks_right("caller-id-change")
    administrator.page.get_by_label("Number that is shown").select_option(LANDLINE)
    administrator.press("Save settings")
    administrator.sees(f"Calls show {phone(LANDLINE)}.")
    administrator.follow("Change Caller ID")
    administrator.follow("Enter a new number")
    administrator.page.get_by_label("Landline number").fill("212 555 0124")
    administrator.press("Save settings")
    administrator.sees("waits for proof")
    administrator.follow("Manage stored landline numbers")
    administrator.sees("+1 212-555-0124")
    administrator.looks_right("landlines")
    view_profile(administrator, "Profile 0")
    administrator.follow("Caller ID")
    administrator.press("Disable Caller ID")
    administrator.sees("Calls show no number now")
    assert cast.company.profile().caller_id == ""


def test_g_7_6_by_called_country(administrator: Visitor, cast: Cast) -> None:
    with_numbers(cast)
    profiles.set_caller_id(now=NOW, by=BY, profile_id=cast.company.profile_ids[0], caller_id=US)
    view_profile(administrator, "Profile 0")
    administrator.follow("Caller ID")
    administrator.page.get_by_label("Calls to").select_option("United Kingdom")
    administrator.page.get_by_label("Number that is shown").select_option(GB)
    administrator.press("Add country")
    administrator.sees("Calls to United Kingdom show that number.")
    administrator.looks_right("caller-id-countries")
    assert CallerIdRule.objects.get().e164 == GB
    administrator.press("Remove United Kingdom")
    administrator.sees("show what all others do")
    assert not CallerIdRule.objects.exists()


def test_r1_4_a_company_is_verified(administrator: Visitor, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    administrator.follow("People")
    administrator.follow("Company verification")
    file = FilePayload(name="register.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7 a register")
    administrator.page.get_by_label("Document", exact=True).set_input_files(files=[file])
    administrator.press("Upload")
    administrator.sees("The document is there.")
    administrator.looks_right("verification")
    for label, value in (
        ("Registered name", "Architects Ltd."), ("Registration or tax number", "HRB 1"), ("Registered address", "1 Main Street"),
        ("Who may be asked", "Office"), ("Telephone", "+1 202 555 0100"),
    ):  # fmt: skip
        administrator.page.get_by_label(label).fill(value)
    administrator.press("Submit for verification")
    administrator.sees("A letter tells you when the operator has decided.")
    administrator.looks_right("verification-in-review")
    administrator.page.context.clear_cookies()
    administrator.sign_in(staff(Person.Staff.OPERATOR))
    administrator.go("/operator/verification")
    administrator.looks_right("operator-verification")
    administrator.follow("Architects")
    administrator.looks_right("operator-verification-company")
    administrator.press("Verify Architects")
    administrator.sees("Architects is verified, and told so.")
    assert Manager.objects.get(pk=cast.company.manager_id).verification == "verified"
    one = landlines.add_landline(now=NOW, by=BY, manager_id=cast.company.manager_id, number=LANDLINE)
    administrator.go(f"/operator/verification/landlines/{one.pk}")
    administrator.looks_right("operator-landline")
    administrator.page.get_by_label("What proves it, or why not").fill("telephone bill")
    administrator.press("It is the company's")
    administrator.sees("is proven; the company is told")
