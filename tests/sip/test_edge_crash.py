"""Kamailio is killed while calls are up: they go on, can be ended from both ends and by call control, and are reported."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.sip.edge_instance import EdgeInstance, carrier, connect, introduce, pbx
from tests.sip.fake_callcontrol import allowed, route
from tests.siptest import scenario

pytestmark = pytest.mark.engines

REASON = 'SIP;cause=402;text="Credit exhausted"'


@pytest.fixture
def edge() -> Iterator[EdgeInstance]:
    with EdgeInstance() as instance:
        introduce(instance)
        yield instance


def shown(edge: EdgeInstance) -> dict[str, str]:
    return {"from": f"sip:+12025550100@{edge.domain}", "to": f"sip:+33123456789@{edge.domain}"}


def crash(edge: EdgeInstance) -> None:
    edge.kill()
    edge.start()


@pytest.mark.parametrize("by", ["caller", "callee"])
@scenario
async def test_a_bye_finds_its_way(edge: EdgeInstance, by: str) -> None:
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee, routes=[route(f"sip:+33123456789@{callee.wire.local}", **shown(edge))])
        crash(edge)
        first, second = (up.caller, up.callee) if by == "caller" else (up.callee, up.caller)
        assert (await first.request("OPTIONS")).status == 200
        assert (await first.bye()).status == 200
        bye = await second.ended()
        assert edge.callcontrol.wait_for("end", c=up.verdict["call"])["by"] == by
        text = bye.encode().decode()
        assert ("127.0.0.2" if by == "callee" else "127.0.0.4") not in text
        assert ("gateway" if by == "callee" else "12345678901234") not in text


@scenario
async def test_call_control_ends_it_from_its_legs(edge: EdgeInstance) -> None:
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee, routes=[route(f"sip:+33123456789@{callee.wire.local}", **shown(edge))])
        legs = edge.callcontrol.wait_for("ans", c=up.verdict["call"])["legs"]
        crash(edge)
        assert edge.rpc.dialogs() == {}
        assert edge.rpc.end_call(ref=int(up.verdict["call"]), call_id=up.caller.call_id, legs=legs, headers=f"Reason: {REASON}\r\n")
        for side in (up.caller, up.callee):
            assert (await side.ended()).get("reason") == REASON
        to_callee = callee.transcript.received("BYE")[-1]
        assert to_callee.call_id == up.callee.call_id != up.caller.call_id
        assert "127.0.0.4" not in to_callee.encode().decode()
        assert to_callee.all("th") == []


@scenario
async def test_a_call_that_is_answered_after_the_crash(edge: EdgeInstance) -> None:
    """It rang when Kamailio died; the answer arrives at its successor, which knows nothing of the INVITE."""
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}", **shown(edge)))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring()
        await ringing
        crash(edge)
        answering = callee.spawn(incoming.answer())
        answer = await call.answered()
        await answering
        assert edge.callcontrol.wait_for("ans", c=verdict["call"])["legs"]["call_id"] == call.call_id
        assert "127.0.0.2" not in "".join(f"{name}: {value}" for name, value in answer.headers)
        assert (await call.bye()).status == 200
        await incoming.ended()
        assert edge.callcontrol.wait_for("end", c=verdict["call"])["by"] == "caller"


@scenario
async def test_a_late_repetition_of_the_answer_is_relayed_hidden(edge: EdgeInstance) -> None:
    """The ACK was lost for longer than the transaction lives."""
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee, routes=[route(f"sip:+33123456789@{callee.wire.local}", **shown(edge))])
        answered = len(edge.callcontrol.events("ans"))
        answer = next(callee.transcript.messages(True, lambda message: message.status == 200))
        deadline = time.monotonic() + 8  # three seconds beyond the transaction's own wait
        while time.monotonic() < deadline:
            before = len(caller.transcript.received(status=200, method="INVITE"))
            await callee.send(answer, up.callee.invite_peer)
            while len(caller.transcript.received(status=200, method="INVITE")) == before:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
        for repeated in caller.transcript.received(status=200, method="INVITE"):
            text = repeated.encode().decode().partition("\r\n\r\n")[0]
            assert "127.0.0.2" not in text
            assert "gateway" not in text
        assert len(edge.callcontrol.events("ans")) == answered
        assert (await up.caller.bye()).status == 200


@scenario
async def test_identities_are_asked_for_again(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        assert (await agent.register()).status == 200
        crash(edge)
        assert (await agent.register()).status == 200
        assert len(edge.callcontrol.asked("who")) == 2
        boots = edge.callcontrol.events("boot")
        assert len(boots) == 2
        names = {path.name.split("-")[0] for path in edge.settings.spool_dir.glob("*.jsonl")}
        assert len(names) == 2
        assert all(len(name) == 20 for name in names)
