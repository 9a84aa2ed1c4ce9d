"""Caller ID: numbers on the profile, proven landlines of verified companies, and by called country (SPEC R8.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW, SIP_DOMAIN, Company, make_company
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.number_sheet import stock_number
from trunkline.store.directory import StoreDirectory
from trunkline.store.models import CallerIdRule, Landline, Mail, Manager
from trunkline.usecases import caller_id, landlines, number_places, profiles, verification
from trunkline.usecases.numbers import add_numbers, assign_number, release_number

US, GB = "12025550100", "442079460100"
PDF = b"%PDF-1.7 a register of companies"
WHO = verification.Details("Architects Ltd.", "HRB 1", "1 Main Street", "Office", "+1 202 555 0100")


@pytest.fixture
def company(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    made = make_company(profile_count=2)
    add_numbers(now=NOW, by=BY, stock=[stock_number(US), stock_number(GB)])
    for e164 in (US, GB):
        assign_number(now=NOW, by=BY, e164=e164, profile_id=made.profile_ids[0], allow_foreign=True)
    return made


def verify(company: Company) -> None:
    verification.add_document(now=NOW, by=BY, manager_id=company.manager_id, name="register.pdf", data=PDF)
    verification.submit(now=NOW, by=BY, manager_id=company.manager_id, details=WHO)
    verification.verify_company(now=NOW, by=BY, manager_id=company.manager_id)


def facts(company: Company, number: int = 0) -> dict[str, str]:
    directory = StoreDirectory(sip_domain=SIP_DOMAIN, echo_uri="", now_us=0)
    found = directory.profile(company.profile_ids[number])
    assert found is not None
    return {"": found.caller_id, **found.caller_id_by_country}


def test_a_country_shows_its_own_number_until_that_leaves(company: Company) -> None:
    me = {"now": NOW, "by": BY, "profile_id": company.profile_ids[0]}
    profiles.set_caller_id(**me, caller_id=US)  # type: ignore[arg-type]
    caller_id.set_country_caller_id(**me, country="GB", caller_id=f"+{GB}")  # type: ignore[arg-type]
    assert facts(company) == {"": US, "GB": GB}
    release_number(now=NOW, by=BY, e164=GB)
    assert facts(company) == {"": US}
    number = company.manager.numbers.get(e164=US)
    number_places.put_on_profile(now=NOW, by=BY, manager_id=company.manager_id, number_id=number.pk, profile_id=company.profile_ids[1])
    assert facts(company) == {"": ""}


def test_what_cannot_be_shown(company: Company) -> None:
    me = {"now": NOW, "by": BY, "profile_id": company.profile_ids[1]}
    for number in (US, "12025550199"):
        with pytest.raises(Invalid, match="neither on Profile 1 nor a proven landline"):
            caller_id.set_country_caller_id(**me, country="US", caller_id=number)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="not a country"):
        caller_id.set_country_caller_id(**me, country="XX", caller_id="")  # type: ignore[arg-type]
    assert CallerIdRule.objects.count() == 0


def test_disabled_means_anonymous_everywhere(company: Company) -> None:
    me = {"now": NOW, "by": BY, "profile_id": company.profile_ids[0]}
    caller_id.set_country_caller_id(**me, country="GB", caller_id=GB)  # type: ignore[arg-type]
    caller_id.disable_caller_id(**me)  # type: ignore[arg-type]
    assert facts(company) == {"": ""}


def test_a_landline_is_shown_once_it_is_proven(company: Company) -> None:
    by = {"now": NOW, "by": BY}
    with pytest.raises(Conflict, match="verified first"):
        landlines.add_landline(**by, manager_id=company.manager_id, number="2125550123")  # type: ignore[arg-type]
    verify(company)
    one = landlines.add_landline(**by, manager_id=company.manager_id, number="(212) 555-0123", profile_id=company.profile_ids[0])  # type: ignore[arg-type]
    assert (one.e164, facts(company)) == ("12125550123", {"": ""})
    with pytest.raises(Invalid, match="neither"):
        profiles.set_caller_id(**by, profile_id=company.profile_ids[1], caller_id=one.e164)  # type: ignore[arg-type]
    landlines.prove_landline(**by, landline_id=one.pk, note="telephone bill")  # type: ignore[arg-type]
    assert facts(company) == {"": "12125550123"}
    caller_id.set_country_caller_id(**by, profile_id=company.profile_ids[1], country="US", caller_id=one.e164)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="proven already"):
        landlines.refuse_landline(**by, landline_id=one.pk, reason="no")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        landlines.remove_landline(**by, manager_id=make_company(company_name="Builders").manager_id, landline_id=one.pk)  # type: ignore[arg-type]
    landlines.remove_landline(**by, manager_id=company.manager_id, landline_id=one.pk)  # type: ignore[arg-type]
    assert (facts(company), facts(company, 1)) == ({"": ""}, {"": ""})
    assert Mail.objects.filter(key__startswith="landline_proven").count() == 1


@pytest.mark.parametrize(
    ("number", "problem"),
    [("12", "not a number"), ("+1 900 555 0100", "not a landline"), ("+447700900123", "not a landline"), (US, "is an Online Number")],
)
def test_what_is_no_landline(company: Company, number: str, problem: str) -> None:
    verify(company)
    with pytest.raises(Invalid, match=problem):
        landlines.add_landline(now=NOW, by=BY, manager_id=company.manager_id, number=number)
    assert not Landline.objects.exists()


def test_a_landline_that_waits_is_not_proven_for_a_company_that_was_rejected_meanwhile(company: Company) -> None:
    verify(company)
    one = landlines.add_landline(now=NOW, by=BY, manager_id=company.manager_id, number="2125550123", profile_id=company.profile_ids[0])
    verification.reject_company(now=NOW, by=BY, manager_id=company.manager_id, reason="The register says it is closed")
    with pytest.raises(Conflict, match="verify it first"):
        landlines.prove_landline(now=NOW, by=BY, landline_id=one.pk, note="bill")
    assert (facts(company), Landline.objects.get().proof) == ({"": ""}, "waiting")


def test_who_is_not_verified_any_more_shows_no_landline(company: Company) -> None:
    verify(company)
    one = landlines.add_landline(now=NOW, by=BY, manager_id=company.manager_id, number="2125550123", profile_id=company.profile_ids[0])
    landlines.prove_landline(now=NOW, by=BY, landline_id=one.pk, note="bill")
    verification.reject_company(now=NOW, by=BY, manager_id=company.manager_id, reason="The register says it is closed")
    assert facts(company) == {"": ""}
    manager = Manager.objects.get(pk=company.manager_id)
    assert (manager.verification, manager.verification_reason) == ("rejected", "The register says it is closed")
