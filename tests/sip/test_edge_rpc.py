"""What call control tells Kamailio to do."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from tests.sip.edge_instance import USER, EdgeInstance, carrier, connect, pbx
from tests.sip.fake_callcontrol import Json, allowed, route
from tests.siptest import scenario
from trunkline.edge.rpc import KamailioRpc, RpcError, real_target

pytestmark = pytest.mark.engines

REASON = 'SIP;cause=402;text="Credit exhausted"'
HEADERS = f"Reason: {REASON}\r\n"


@scenario
async def test_an_answered_call_is_ended(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        assert edge.rpc.dialogs() == {int(up.verdict["call"]): up.caller.call_id}
        assert edge.rpc.end_call(ref=int(up.verdict["call"]), call_id=up.caller.call_id, legs={}, headers=HEADERS)
        for side in (up.caller, up.callee):
            assert (await side.ended()).get("reason") == REASON
        assert edge.callcontrol.wait_for("end", c=up.verdict["call"])["by"] == "edge"


@scenario
async def test_also_after_a_reinvite(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        for _ in range(3):
            assert (await up.caller.reinvite()).status == 200
            assert (await up.callee.reinvite()).status == 200
        assert edge.rpc.end_call(ref=int(up.verdict["call"]), call_id=up.caller.call_id, legs={}, headers=HEADERS)
        await up.caller.ended()
        await up.callee.ended()


@scenario
@pytest.mark.parametrize("updated", [False, True])
async def test_a_ringing_call_is_cancelled(edge: EdgeInstance, updated: bool) -> None:
    """Also when other requests have come after its INVITE."""
    async with pbx(edge) as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring(headers=[("Require", "100rel"), ("RSeq", "1")])
        await ringing
        assert not updated or (await call.update()).status == 200
        assert edge.rpc.end_call(ref=int(verdict["call"]), call_id=call.call_id, legs={}, headers=HEADERS)
        await incoming.expect_cancel()
        assert (await call.final()).status == 487
        assert edge.callcontrol.wait_for("fail", c=verdict["call"])["status"] == 487
        assert edge.rpc.dialogs() == {}


@scenario
async def test_a_pbx_behind_nat_hears_of_it(edge: EdgeInstance) -> None:
    """Its Contact is an address that nobody can reach; its messages come from elsewhere."""
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789", headers=[("Contact", "<sip:pbx@192.168.77.1:5060>")])
        answered = caller.spawn(call.answered())
        incoming = await callee.incoming()
        await incoming.answer()
        await answered
        legs = edge.callcontrol.wait_for("ans", c=verdict["call"])["legs"]
        assert legs["caller_contact"].startswith("sip:pbx@192.168.77.1:5060 sip:127.0.0.4:")
        assert real_target(legs["caller_contact"])[1] == f"sip:{caller.wire.local};transport=udp"
        assert (await incoming.request("OPTIONS")).status == 200
        assert edge.rpc.end_call(ref=int(verdict["call"]), call_id=call.call_id, legs={}, headers=HEADERS)
        await call.ended()
        await incoming.ended()


@scenario
async def test_the_longest_duration_is_kamailios_own_guard(edge: EdgeInstance) -> None:
    """Kamailio ends the call by itself when `max_s` is over, re-INVITEs or not."""
    async with pbx(edge) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee, max_s=3)
        started = time.monotonic()
        assert (await up.caller.reinvite()).status == 200
        await up.caller.ended(within=8)
        await up.callee.ended()
        assert 2 < time.monotonic() - started < 6
        assert edge.callcontrol.wait_for("end", c=up.verdict["call"])["by"] == "edge"


def test_a_call_that_is_not_there(edge: EdgeInstance) -> None:
    assert not edge.rpc.end_call(ref=1, call_id="nobody", legs={}, headers=HEADERS)


def test_uptime(edge: EdgeInstance) -> None:
    assert 0 <= edge.rpc.uptime_seconds() < 600


@scenario
async def test_forgetting(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        assert (await agent.register()).status == 200
        asked = len(edge.callcontrol.asked("who"))
        edge.rpc.forget(f"user:{USER}")
        edge.rpc.forget("user:nobody")
        assert (await agent.register()).status == 200
        edge.rpc.flush_directory()
        assert (await agent.register()).status == 200
        assert len(edge.callcontrol.asked("who")) == asked + 2


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of somebody who takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.4", 0))
        yield "{}:{}".format(*bound.getsockname())


@scenario
async def test_carriers_are_probed(edge: EdgeInstance, silent: str) -> None:
    async with carrier(edge) as answering, carrier(edge, host="127.0.0.3") as refusing:
        refusing.options_status = 503
        listed = [(3, f"sip:{answering.wire.local}"), (9, f"sip:{refusing.wire.local}"), (12, f"sip:{silent}")]
        edge.probe(listed)
        await answering.expect_request("OPTIONS", within=15)
        assert (await reported(edge, id=9, up=0))["status"] == 503
        assert await reported(edge, id=3, up=1)
        assert (await reported(edge, id=12, up=0, within=60.0))["status"] == 408  # what Kamailio makes of silence
        refusing.options_status = 404  # it does not like the OPTIONS, but it is there
        assert (await reported(edge, id=9, up=1))["status"] == 404


async def reported(edge: EdgeInstance, within: float = 25.0, **fields: int) -> Json:
    """In a thread: the agents must go on answering."""
    return await asyncio.to_thread(edge.callcontrol.wait_for, "carrier", within, **fields)


def test_kamailio_away(edge: EdgeInstance) -> None:
    client = KamailioRpc(edge.settings.run_dir / "nobody.sock", edge.home / "carriers.list")
    with pytest.raises(OSError, match="No such file"):
        client.uptime_seconds()


def test_a_kamailio_that_does_not_answer_costs_no_more_than_the_time_out(edge: EdgeInstance) -> None:
    frozen = [int(pid) for pid in edge.processes()]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(OSError, match="timed out"):
            edge.rpc.uptime_seconds()
        assert time.monotonic() - started < 1.5
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert edge.rpc.uptime_seconds() >= 0


def test_a_wrong_command(edge: EdgeInstance) -> None:
    with pytest.raises(RpcError):
        edge.rpc.call("nothing.of_the_kind")
