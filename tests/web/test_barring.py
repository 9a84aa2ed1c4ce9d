"""What a profile calls, how dear and how fast (SPEC R6.7): by browser and by program."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.web.cast import Cast, join, make_cast, signed_in
from tests.web.programs import program
from trunkline.domain.barring import AT_FIRST, CAN_BE_BARRED
from trunkline.manager.barring import KINDS
from trunkline.store.directory import StoreDirectory
from trunkline.store.models import AuditEntry, Profile, Role

SAVED: dict[str, Any] = {
    "kinds": ["mobile", "toll_free", "premium"],
    "calls_abroad": "on",
    "barred_destinations": "Cuba\r\n\r\n+44 70\r\nng",
    "max_rate_per_minute_micros": "0.50",
    "own_calls_per_second": "3",
}


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(join(cast, Role.ADMINISTRATOR))


def page(cast: Cast) -> str:
    return f"/trunks/{cast.company.profile_ids[0]}/barring"


def known(cast: Cast) -> Any:
    """As call control sees the profile."""
    return StoreDirectory(sip_domain="", echo_uri="", now_us=0).profile(cast.company.profile_ids[0])


def test_each_kind_that_can_be_barred_is_on_the_page() -> None:
    assert set(KINDS) == set(CAN_BE_BARRED)


def test_premium_satellite_and_international_networks_are_off_at_first(cast: Cast, client: Client) -> None:
    text = client.get(page(cast)).content.decode()
    boxes = re.findall(r'<input type="checkbox" name="kinds" value="(\w+)"[^>]*?( checked)?>', text)
    assert {kind for kind, ticked in boxes if not ticked} == set(AT_FIRST)
    assert "The operator allows 20." in text
    assert "In USD." in text
    assert "only numbers of your own country, United States, are called" in text
    assert f'href="{page(cast)}"' in client.get(f"/trunks/{cast.company.profile_ids[0]}").content.decode()


def test_what_is_saved_holds_for_calls_and_is_in_the_history(cast: Cast, client: Client) -> None:
    assert client.post(page(cast), SAVED).status_code == 302
    facts = known(cast)
    assert facts.barred_types == {"satellite", "international_network", "shared_cost", "other"}
    assert (facts.barred_destinations, facts.calls_abroad) == ({"CU", "NG", "+4470"}, True)
    assert (facts.max_rate_per_minute_micros, facts.calls_per_second) == (500_000, 3)
    assert "+4470\nCuba\nNigeria</textarea>" in client.get(page(cast)).content.decode()
    entry = AuditEntry.objects.get(action="profile.barring")
    assert (entry.before["barred_destinations"], entry.after["barred_destinations"]) == ([], ["+4470", "CU", "NG"])
    assert (entry.before["own_calls_per_second"], entry.after["own_calls_per_second"]) == (None, 3)
    assert "calls_abroad" not in entry.after
    history = client.get("/history").content.decode()
    assert "Changed what may be called, how dear and how fast" in history
    client.post(page(cast), SAVED)
    assert AuditEntry.objects.filter(action="profile.barring").count() == 1


def test_nothing_is_limited_when_nothing_is_filled_in(cast: Cast, client: Client) -> None:
    client.post(page(cast), SAVED)
    client.post(page(cast), {"kinds": list(KINDS)})
    facts = known(cast)
    assert (facts.barred_types, facts.barred_destinations, facts.max_rate_per_minute_micros) == (frozenset(), frozenset(), None)
    assert (facts.calls_abroad, facts.calls_per_second) == (False, 20)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"barred_destinations": "Atlantis"}, "neither a country nor the beginning of numbers"),
        ({"kinds": ["fixed"]}, "Select a valid choice"),
        ({"max_rate_per_minute_micros": "much"}, "much"),
        ({"max_rate_per_minute_micros": "100000000"}, "be meant"),
        ({"own_calls_per_second": "21"}, "The operator allows 20 calls per second"),
        ({"own_calls_per_second": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_can_not_be_is_said_and_the_input_kept(cast: Cast, client: Client, wrong: dict[str, Any], said: str) -> None:
    answer = client.post(page(cast), SAVED | wrong)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert said in text
    assert 'value="3"' in text or "own_calls_per_second" in wrong
    assert known(cast).barred_types == set(AT_FIRST)


def test_the_operators_limit_holds_also_when_it_falls_below_the_companys(cast: Cast, client: Client) -> None:
    client.post(page(cast), SAVED | {"own_calls_per_second": "20"})
    Profile.objects.update(calls_per_second=2)
    assert known(cast).calls_per_second == 2


def test_by_program(cast: Cast) -> None:
    asks, path = program(cast), f"/profiles/{cast.company.profile_ids[0]}/barring"
    first = asks.get(path)
    assert (sorted(first["barred_types"]), first["barred_destinations"], first["calls_abroad"]) == (sorted(AT_FIRST), [], True)
    assert (first["max_rate_per_minute"], first["calls_per_second"], first["most_calls_per_second"]) == (None, 20, 20)
    wanted = {"barred_types": ["premium"], "barred_destinations": ["cu", "+44 70"], "max_rate_per_minute": "0.5", "calls_per_second": 5}
    then = asks.ask("PUT", path, wanted)
    assert (then["barred_types"], then["barred_destinations"], then["calls_per_second"]) == (["premium"], ["+4470", "CU"], 5)
    assert then["max_rate_per_minute"] == {"amount": "0.50", "currency": "USD"}
    for wrong in ({"calls_per_second": 21}, {"barred_types": ["fixed"]}, {"barred_destinations": ["Atlantis"]}):
        refused = asks.ask("PUT", path, wanted | wrong, expect=422)["error"]
        assert refused["field"] == next(iter(wrong))
    assert asks.get(path) == then
    program(cast, Role.BILLING).ask("PUT", path, wanted, expect=403)
    program(make_cast("Bakers")).get(path, expect=404)
