"""Calls through the edge: identity, verdict, relay, and what is reported."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.sip.edge_instance import EdgeInstance
from tests.sip.fake_callcontrol import allowed, refused, route
from tests.siptest import UserAgent, scenario

pytestmark = pytest.mark.engines

USER, PASSWORD, PROFILE = "12345678901234", "correct horse", 7


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeInstance]:
    with EdgeInstance() as instance:
        instance.callcontrol.add_user(USER, PROFILE, PASSWORD)
        yield instance


def pbx(edge: EdgeInstance, **details: object) -> UserAgent:
    plain = {"server": edge.server, "domain": edge.domain, "user": USER, "password": PASSWORD, "name": "pbx"}
    return UserAgent(**(plain | details))  # type: ignore[arg-type]


def carrier(edge: EdgeInstance, **details: object) -> UserAgent:
    plain = {"server": edge.server, "domain": edge.domain, "user": "carrier", "host": "127.0.0.2", "name": "carrier"}
    return UserAgent(**(plain | details))  # type: ignore[arg-type]


@scenario
async def test_a_call_with_digest(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        verdict = allowed(
            route(f"sip:+33123456789@{callee.wire.local}", **{"from": f"sip:+12025550100@{edge.domain}", "pai": "+12025550100"})
        )
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring()
        await ringing
        answering = callee.spawn(incoming.answer())
        await call.answered()
        await answering
        question = edge.callcontrol.asked("admit")[-1]
        assert (question["from_kind"], question["from_id"], question["ruri"]) == ("profile", PROFILE, "33123456789")
        assert re.fullmatch("[0-9a-f]{32}", question["key"])
        assert incoming.invite.address("from").uri == f"sip:+12025550100@{edge.domain}"
        assert incoming.invite.get("p-asserted-identity") == f"<sip:+12025550100@{edge.domain}>"
        answered = edge.callcontrol.wait_for("ans", c=verdict["call"])
        assert answered["route"] == 0
        assert answered["ring_at"] > 0
        assert answered["legs"]["call_id"] == call.call_id
        assert (await call.bye()).status == 200
        await incoming.ended()
        assert edge.callcontrol.wait_for("end", c=verdict["call"])["by"] == "caller"
    assert edge.complaints() == []


@scenario
async def test_a_refusal_is_passed_on_as_it_is(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller:
        edge.callcontrol.admit = lambda question: refused(402, "Payment Required", 'Reason: Q.850;cause=21;text="C01 no credit"\r\n')
        call = await caller.invite("33123456789")
        final = await call.final(402)
        assert final.phrase == "Payment Required"
        assert final.get("reason") == 'Q.850;cause=21;text="C01 no credit"'
