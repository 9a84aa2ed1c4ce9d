"""Calls in the API: records, totals, statement, and the call that nobody makes (SPEC R9, R13)."""

from __future__ import annotations

import pytest

from tests.store.cast import BY
from tests.web.cast import make_cast
from tests.web.programs import program
from tests.web.shop import make_shop
from trunkline.api import door
from trunkline.store import clock
from trunkline.store.models import AuditEntry, CallRecord, ChannelUse, LiveCall, Posting, Price, Role
from trunkline.usecases import carriers, profiles


@pytest.fixture(autouse=True)
def fresh_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "buckets", door.Buckets())


def test_call_details_need_a_token_that_may_see_them() -> None:
    cast = make_cast()
    plain, trusted = program(cast), program(cast, Role.REPORTS, call_details=True)
    for path in ("/calls", "/live-calls", "/statement"):
        assert plain.get(path, expect=403)["error"]["code"] == "forbidden"
        trusted.get(path)
    program(cast, Role.REPORTS).get("/usage")
    trusted.get("/manager", expect=403)


def test_records_come_in_pages_with_their_cost_as_a_decimal() -> None:
    cast = make_cast()
    profile_id, us = cast.company.profile_ids[0], 1_764_590_400_000_000  # 2025-12-01
    for number in range(5):
        CallRecord.objects.create(
            call_ref=(us + number) << 10, manager_id=cast.company.manager_id, profile_id=profile_id, direction="outgoing", caller="", caller_shown="",
            dialled="0033", callee="33123456789", destination="France", country="FR", started_us=us + number, ended_us=us + number,
            cost_micros=30_000, currency="USD", result="answered", trace="[]",
        )  # fmt: skip
    asks = program(cast, call_details=True)
    first = asks.get("/calls?month=2025-12&limit=3&direction=outgoing")
    second = asks.get(f"/calls?month=2025-12&limit=3&direction=outgoing&cursor={first['next_cursor']}")
    items = first["items"] + second["items"]
    assert [int(each["id"]) for each in items] == [(us + number) << 10 for number in reversed(range(5))]
    assert items[0]["cost"] == {"amount": "0.03", "currency": "USD"}
    assert items[0]["started_at"] == "2025-12-01T12:00:00.000004Z"
    assert second["next_cursor"] is None
    asks.get("/calls?month=2025-13", expect=422)
    asks.get("/calls?month=9999-12", expect=422)


def test_the_statement_goes_on_where_a_page_ended() -> None:
    cast = make_shop(credit_units=100)
    asks = program(cast, call_details=True)
    asks.post(f"/profiles/{cast.company.profile_ids[0]}/credit/allocate", {"amount": "5.00"})
    first = asks.get("/statement?limit=1")
    second = asks.get(f"/statement?limit=1&cursor={first['next_cursor']}")
    rows = first["items"] + second["items"]
    assert [(row["number"], row["amount"], row["balance"]) for row in rows] == [("1", "100.00", "100.00"), ("2", "-5.00", "95.00")]
    asks.get(f"/statement?month=2024-11&cursor={first['next_cursor']}", expect=422)
    asks.get(f"/statement?profile_id={cast.company.profile_ids[0]}&term_id=1", expect=422)


def test_a_dry_run_decides_as_a_call_and_changes_nothing() -> None:
    cast = make_cast()
    profile_id = cast.company.profile_ids[0]
    asks = program(cast, Role.READ_ONLY)
    carrier_id = carriers.create_carrier(now=clock.now(), by=BY, name="One", gateway=carriers.Gateway(host="93.184.215.14"))
    Price.objects.update(effective_from=clock.now())
    carriers.set_route(now=clock.now(), by=BY, carrier_id=carrier_id, prefix="33")
    before = (AuditEntry.objects.count(), Posting.objects.count())
    good = asks.post("/dry-run", {"profile_id": profile_id, "number": "011 33 1 23 45 67 89"})
    assert good["can_call"], good
    assert (good["number"], good["rate"]["per_minute"]["amount"]) == ("+33123456789", "0.03")
    assert [step["step"] for step in good["steps"]][-1] == "admitted"
    refused = asks.post("/dry-run", {"profile_id": profile_id, "number": "911"})
    assert (refused["can_call"], refused["refusal"]["name"]) == (False, "emergency")
    assert refused["refusal"]["help"].endswith("/help/refusals/C14")
    profiles.suspend_profile(now=clock.now(), by=BY, profile_id=profile_id, reason="a test")
    assert asks.post("/dry-run", {"profile_id": profile_id, "number": "+33123456789"})["refusal"]["name"] == "suspended"
    assert (AuditEntry.objects.count() - 1, Posting.objects.count()) == before
    assert not LiveCall.objects.exists()
    assert ChannelUse.objects.get(profile_id=profile_id).in_use == 0
