"""Media through a real RTPengine: both sides hear each other, and neither sees the other's address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sip.edge_instance import Connected, EdgeInstance, carrier, connect, introduce, pbx
from tests.sip.fake_callcontrol import allowed, route
from tests.siptest import Call, UserAgent, g711, scenario
from trunkline.runtime.engines.rtpengine import ECHO_ANNOUNCEMENT, ECHO_ANNOUNCEMENT_SECONDS

pytestmark = pytest.mark.engines

SECONDS = 2.0
PCMU = 0
FRAMES_SAMPLES = 320


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeInstance]:
    with EdgeInstance(media=True) as instance:
        introduce(instance)
        yield instance


async def assert_they_hear_each_other(caller: UserAgent, one: Call, other: Call) -> None:
    assert one.media
    assert other.media
    speaking = caller.spawn(one.media.play(SECONDS))
    await other.media.play(SECONDS)
    await speaking
    await one.media.packets(75)
    await other.media.packets(75)
    assert other.media.likeness(one.media.seed) > 0.8
    assert one.media.likeness(other.media.seed) > 0.8


def assert_only_ours(edge: EdgeInstance, agent: UserAgent) -> None:
    """No description that this side received names any host but ours."""
    for message in agent.transcript.messages(sent=False):
        for line in message.body.decode().splitlines():
            if line.startswith(("o=", "c=", "a=candidate", "a=rtcp:")):
                assert line.split()[-1] in (edge.settings.sip_address, "0.0.0.0") or line.startswith("a=rtcp:"), line


async def up_with_media(edge: EdgeInstance, caller: UserAgent, callee: UserAgent, **verdict: Any) -> Connected:
    return await connect(edge, caller, callee, media="relay", **verdict)


@scenario
async def test_both_hear_each_other(edge: EdgeInstance) -> None:
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await up_with_media(edge, caller, callee)
        assert (await up.caller.reinvite()).status == 200
        assert (await up.callee.reinvite()).status == 200
        await assert_they_hear_each_other(caller, up.caller, up.callee)
        assert up.caller.media
        await up.caller.media.dial("19#")
        assert up.callee.media
        await up.callee.media.packets(60)
        assert up.callee.media.digits == "19#"
        assert {peer.host for peer in up.caller.media.sources} == {edge.settings.sip_address}
        assert_only_ours(edge, caller)
        assert_only_ours(edge, callee)
        assert edge.callcontrol.wait_for("ans", c=up.verdict["call"])["codec"] == "PCMA"
        assert (await up.caller.bye()).status == 200
        await up.callee.ended()


def announcement() -> list[int]:
    """Its samples: of a WAV file with nothing but G.711 in it."""
    data = ECHO_ANNOUNCEMENT.read_bytes()
    return g711.decode(PCMU, data[data.index(b"data") + 8 :])


def mean_difference(heard: list[int], told: list[int]) -> float:
    """A-law and mu-law are not the same steps. RTPengine's player begins within two frames of 20 ms."""
    return min(
        sum(abs(one - other) for one, other in zip(heard[start:], told, strict=False)) / len(told) for start in range(0, FRAMES_SAMPLES, 8)
    )


@scenario
async def test_the_echo_test_is_announced_before_it_echoes(edge: EdgeInstance) -> None:
    """Sample by sample, to the caller; only then does he hear the other side, to which he can speak all the time (R6.6)."""
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        announced = [route(f"sip:echo@{callee.wire.local}", announce=1)]
        up = await up_with_media(edge, caller, callee, routes=announced)
        assert up.caller.media
        assert up.callee.media
        speaking = caller.spawn(up.caller.media.play(SECONDS))
        await up.callee.media.play(ECHO_ANNOUNCEMENT_SECONDS + SECONDS)
        await speaking
        told, heard = announcement(), up.caller.media.heard()
        assert mean_difference([0] * len(told), told) > 1000, "it is no silence"
        assert mean_difference(heard, told) < 100
        assert up.caller.media.likeness(up.callee.media.seed) > 0.8, "a voice is no melody, and not counted"
        assert len({packet.ssrc for packet in up.caller.media.received}) == 1, "of a second stream a PBX may take all packets for old ones"
        assert up.callee.media.likeness(up.caller.media.seed) > 0.8
        assert (await up.caller.bye()).status == 200


@scenario
async def test_early_media(edge: EdgeInstance) -> None:
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"), media="relay")
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        early = caller.spawn(call.expect(183))
        incoming = await callee.incoming()
        await incoming.ring(183, sdp=True)
        await early
        assert call.media
        assert incoming.media
        await incoming.media.play(SECONDS)
        await call.media.packets(75)
        assert call.media.likeness(incoming.media.seed) > 0.8
        answering = callee.spawn(incoming.answer())
        await call.answered()
        await answering
        await call.media.play(SECONDS)
        await incoming.media.packets(75)
        assert incoming.media.likeness(call.media.seed) > 0.8
        assert_only_ours(edge, caller)
        assert (await incoming.bye()).status == 200


@scenario
async def test_the_offer_comes_late(edge: EdgeInstance) -> None:
    """INVITE without a description: the 200 offers, the ACK answers."""
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"), media="relay")
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789", body=b"")
        final = caller.spawn(call.final(200))
        incoming = await callee.incoming()
        assert incoming.invite.body == b""
        answering = callee.spawn(incoming.answer())
        await final
        assert call.remote_sdp
        await call.ack(await call._answer_body())
        await answering
        await assert_they_hear_each_other(caller, call, incoming)
        assert_only_ours(edge, caller)
        assert_only_ours(edge, callee)
        assert (await call.bye()).status == 200


@scenario
async def test_srtp_on_one_side(edge: EdgeInstance) -> None:
    """A carrier speaks RTP, the PBX wants SRTP (R10.2): the offer to it has keys, and no suite that only looks like encryption."""
    async with carrier(edge) as caller, pbx(edge, host="127.0.0.4") as callee:
        verdict = allowed(route(f"sip:12025550110@{callee.wire.local}", srtp="srtp"), media="relay")
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("12025550110")
        incoming = await callee.incoming()
        offer = incoming.invite.body.decode()
        assert "RTP/SAVP " in offer
        assert "a=crypto:" in offer
        assert "NULL" not in offer
        assert "UNENCRYPTED" not in offer
        assert edge.callcontrol.asked("admit")[-1]["srtp"] == 0
        await call.cancel()


@scenario
async def test_direct_media_is_left_alone(edge: EdgeInstance) -> None:
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee, media="direct")
        assert up.callee.invite.body == up.caller.invite.body
        await assert_they_hear_each_other(caller, up.caller, up.callee)
        await up.caller.bye()


@scenario
async def test_fax_passes(edge: EdgeInstance) -> None:
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await up_with_media(edge, caller, callee)
        lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.4", "s=-", "c=IN IP4 127.0.0.4", "t=0 0", "m=image 9000 udptl t38", "a=T38FaxVersion:0"]
        fax = ("\r\n".join(lines) + "\r\n").encode()
        up.callee.auto_answer.discard("INVITE")
        await up.caller.send_request("INVITE", headers=[("Content-Type", "application/sdp")], body=fax)
        reinvite = await up.callee.expect_request("INVITE")
        assert b"m=image " in reinvite.body
        assert b" udptl t38" in reinvite.body
        assert b"a=T38FaxVersion:0" in reinvite.body
        assert b"127.0.0.4" not in reinvite.body
        await up.caller.bye()


async def forgotten(edge: EdgeInstance, call_id: str) -> None:
    """RTPengine takes a session down in a thread of its own."""
    deadline = time.monotonic() + 3  # a session that nobody deleted would stay for minutes
    while call_id in edge.media_call_ids():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


@scenario
async def test_rtpengine_forgets_ended_and_failed_calls(edge: EdgeInstance) -> None:
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await up_with_media(edge, caller, callee)
        assert up.caller.call_id in edge.media_call_ids()
        await up.callee.bye()
        await forgotten(edge, up.caller.call_id)
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"), media="relay")
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        final = caller.spawn(call.final(486))
        incoming = await callee.incoming()
        assert call.call_id in edge.media_call_ids()
        await incoming.reject(486)
        await final
        await forgotten(edge, call.call_id)
        up = await up_with_media(edge, caller, callee)
        edge.rpc.end_call(ref=int(up.verdict["call"]), call_id=up.caller.call_id, legs={}, headers="")
        await up.caller.ended()
        await forgotten(edge, up.caller.call_id)


@scenario
async def test_rtpengine_gone(edge: EdgeInstance) -> None:
    """New calls are refused, soon; what needs no media goes on."""
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee:
        up = await up_with_media(edge, caller, callee)
        edge.kill_rtpengine()
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"), route("sip:2@127.0.0.2:9"), media="relay")
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        response = await call.final(within=3)
        assert (response.status, response.get("retry-after")) == (503, "5")
        failed = edge.callcontrol.wait_for("fail", c=verdict["call"])
        assert (failed["status"], failed["by"]) == (503, "edge")
        assert (await caller.register()).status == 200
        assert (await up.caller.bye(within=3)).status == 200
        await up.callee.ended()
        edge.start_rtpengine()
        callee.on_invite = lambda incoming: incoming.ring()
        deadline = time.monotonic() + 8
        while (await (await caller.invite("33123456789")).next_response()).status == 503:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
