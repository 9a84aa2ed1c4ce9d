"""What a company switches off holds for the next call (SPEC R6.7); a call in progress goes on and is charged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.callcontrol.ground import RATE_MICROS, START, Table, differences, make_company, record
from trunkline.domain.refusals import REFUSALS
from trunkline.store.models import Change, Profile
from trunkline.store.work import By
from trunkline.usecases.barring import set_barring

pytestmark = pytest.mark.usefixtures("store")

NOTHING: dict[str, Any] = {
    "barred_types": [],
    "barred_destinations": [],
    "calls_abroad": True,
    "max_rate_per_minute_micros": None,
    "own_calls_per_second": None,
}


def bar(table: Table, profile: Profile, **what: Any) -> None:
    """As its administrator does, and as call control hears of it."""
    set_barring(now=START, by=By("Architects.Admin", "test"), profile_id=profile.pk, **NOTHING | what)
    newest = Change.objects.latest("id")
    table.desk.directory.apply(newest.what, newest.ident)


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ({"barred_destinations": ["FR"]}, "barred"),
        ({"barred_destinations": ["+331"]}, "barred"),
        ({"calls_abroad": False}, "barred"),
        ({"barred_types": ["mobile"]}, ""),
        ({"max_rate_per_minute_micros": RATE_MICROS - 1}, "too_dear"),
        ({"max_rate_per_minute_micros": RATE_MICROS}, ""),
    ],
)
def test_it_holds_for_the_next_call(what: dict[str, Any], name: str) -> None:
    [profile] = make_company()
    table = Table()
    first = table.answered_call(profile)
    bar(table, profile, **what)
    verdict = table.verdict(profile)
    assert bool(verdict["go"]) is (name == "")
    if name:
        assert (verdict["status"], REFUSALS[name].code in verdict["headers"]) == (403, True)
        assert (record(verdict["call"]).refusal, record(verdict["call"]).cost_micros) == (name, 0)
    table.pass_seconds(61)
    table.turn(table.ended(first))
    assert record(first).cost_micros == 2 * RATE_MICROS
    bar(table, profile)
    assert table.verdict(profile)["go"]
    assert differences() == []


def test_the_companys_own_pace_is_kept() -> None:
    [profile] = make_company()
    table = Table()
    bar(table, profile, own_calls_per_second=2)
    verdicts = [table.verdict(profile) for _ in range(3)]
    assert [verdict["go"] for verdict in verdicts] == [1, 1, 0]
    assert (verdicts[2]["status"], "Retry-After: 1" in verdicts[2]["headers"]) == (503, True)
    table.pass_seconds(1)
    assert table.verdict(profile)["go"]
