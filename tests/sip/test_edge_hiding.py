"""Neither side learns anything about the other (R10.4): every byte of whole calls is searched for the other side's names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.sip.edge_instance import CARRIER_ID, EdgeInstance, carrier, connect, pbx
from tests.sip.fake_callcontrol import Json, allowed, route
from tests.siptest import Call, Message, UserAgent, scenario

pytestmark = pytest.mark.engines

PBX_HEADERS = [
    ("Call-Info", "<http://pbx-secret.example/icon.png>"),
    ("Organization", "pbx-secret"),
    ("Remote-Party-ID", "<sip:pbx-secret@10.9.8.7>"),
    ("X-PBX-Secret", "pbx-secret"),
    ("History-Info", "<sip:pbx-secret@10.9.8.7>;index=1"),
    ("Diversion", '"pbx"<sip:+442079460000@10.9.8.7>;reason=unconditional'),
    ("Subject", "pbx-secret"),
    ("P-Charging-Vector", "pbx-secret"),
    ("User-to-User", "00; encoding=hex"),
]


def secretive(agent: UserAgent, secret: str) -> UserAgent:
    """It names itself wherever SIP lets it, and everywhere in the same way."""
    agent.user_agent = f"{secret}/1.0"
    return agent


def received_text(agent: UserAgent) -> str:
    return "\n".join(message.encode().decode() for message in agent.transcript.messages(sent=False)).lower()


def assert_hidden(agent: UserAgent, *secrets: str) -> None:
    text = received_text(agent)
    assert text
    for secret in secrets:
        assert secret.lower() not in text, f"{secret!r} reached {agent.transcript.name}"


@asynccontextmanager
async def both(edge: EdgeInstance) -> AsyncIterator[tuple[UserAgent, UserAgent]]:
    """A PBX and a carrier."""
    async with secretive(pbx(edge, host="127.0.0.4"), "pbx-secret") as one, secretive(carrier(edge), "carrier-secret") as other:
        yield one, other


async def dial(edge: EdgeInstance, caller: UserAgent, callee: UserAgent, **details: Any) -> tuple[Call, Json]:
    """The PBX calls, and either side is to see other names. With the verdict."""
    shown = {"from": f"sip:+12025550100@{edge.domain}", "to": f"sip:+33123456789@{edge.domain}"}
    verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}", **shown))
    edge.callcontrol.admit = lambda question: verdict
    return await caller.invite("33123456789", body=_plain_sdp(), **details), verdict


PBX_SECRETS = ("pbx-secret", "127.0.0.4", "10.9.8.7", "12345678901234", "pbx-call-id")
CARRIER_SECRETS = ("carrier-secret", "127.0.0.2", "gateway")


@scenario
async def test_a_whole_call_from_the_pbx(edge: EdgeInstance) -> None:
    async with both(edge) as (caller, callee):
        call, _ = await dial(edge, caller, callee, headers=PBX_HEADERS, call_id="pbx-call-id-7@127.0.0.4")
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring(headers=[("Server", "carrier-secret"), ("Warning", '399 carrier-secret "x"')])
        await ringing
        answering = callee.spawn(
            incoming.answer(
                body=_plain_sdp(), headers=[("Server", "carrier-secret"), ("P-Asserted-Identity", "<sip:gateway@carrier-secret>")]
            )
        )
        await call.answered()
        await answering
        await call.reinvite(body=_plain_sdp())
        await incoming.reinvite(body=_plain_sdp())
        await call.update()
        await incoming.update()
        await call.request("INFO", headers=[("X-PBX-Secret", "pbx-secret")])
        assert incoming.invite.get("diversion") == f'"pbx"<sip:+442079460000@{edge.domain}>;reason=unconditional'
        assert incoming.invite.get("user-to-user") == "00; encoding=hex"
        assert (await incoming.bye()).status == 200
        await call.ended()
        assert_hidden(callee, *PBX_SECRETS)
        assert_hidden(caller, *CARRIER_SECRETS)
        for message in [*caller.transcript.messages(sent=False), *callee.transcript.messages(sent=False)]:
            assert message.all("th") == []


@scenario
async def test_a_whole_call_from_a_carrier(edge: EdgeInstance) -> None:
    async with (
        secretive(carrier(edge), "carrier-secret") as caller,
        secretive(pbx(edge, host="127.0.0.4"), "pbx-secret") as callee,
    ):
        shown = {"from": f"sip:+442079460123@{edge.domain}", "to": f"sip:12025550110@{edge.domain}"}
        up = await connect(edge, caller, callee, routes=[route(f"sip:12025550110@{callee.wire.local}", **shown)], body=_plain_sdp())
        assert (await up.caller.bye()).status == 200
        await up.callee.ended()
        assert_hidden(callee, *CARRIER_SECRETS)
        assert_hidden(caller, *PBX_SECRETS)


@scenario
async def test_before_the_answer(edge: EdgeInstance) -> None:
    """An acknowledged 183 makes an early dialog, in which both sides may talk."""
    async with both(edge) as (caller, callee):
        call, _ = await dial(edge, caller, callee, call_id="pbx-call-id-10", headers=[("Supported", "100rel")])
        progress = caller.spawn(call.expect(183))
        incoming = await callee.incoming()
        incoming.auto_answer |= {"PRACK"}
        await incoming.ring(183, headers=[("Require", "100rel"), ("RSeq", "7")])
        assert (await progress).get("rseq") == "7"
        assert (await call.request("PRACK", headers=[("RAck", f"7 {call.cseq} INVITE")])).status == 200
        assert (await incoming.expect_request("PRACK")).get("rack") == f"7 {incoming.invite.cseq} INVITE"
        assert (await incoming.update()).status == 200
        assert (await call.update()).status == 200
        answered = caller.spawn(call.answered())
        await incoming.answer(body=_plain_sdp())
        await answered
        assert (await call.bye()).status == 200
        assert_hidden(callee, *PBX_SECRETS)
        assert_hidden(caller, *CARRIER_SECRETS)


@pytest.mark.parametrize("status", [302, 404, 407, 486, 503])
@scenario
async def test_a_refusal(edge: EdgeInstance, status: int) -> None:
    async with both(edge) as (caller, callee):
        call, _ = await dial(edge, caller, callee, call_id="pbx-call-id-8")
        final = caller.spawn(call.final())
        incoming = await callee.incoming()
        told = [
            ("Server", "carrier-secret"),
            ("Contact", "<sip:gateway@127.0.0.2>"),
            ("Proxy-Authenticate", 'Digest realm="carrier-secret", nonce="1"'),
            ("Reason", "Q.850;cause=17"),
        ]
        await incoming.reject(status, headers=told)
        assert (await final).get("reason") == ("" if status in (302, 407) else "Q.850;cause=17")
        assert_hidden(callee, *PBX_SECRETS)
        assert_hidden(caller, *CARRIER_SECRETS)


UNREADABLE = [("Retry-After", "soon"), ("From", "<sip:somebody@carrier-secret>;tag=1"), ("Content-Length", "none")]


@pytest.mark.parametrize("header", UNREADABLE, ids=lambda header: header[0])
@pytest.mark.parametrize(("status", "told"), [(183, 603), (200, 603), (302, 480), (407, 503), (486, 486)])
@scenario
async def test_an_answer_that_cannot_be_read(edge: EdgeInstance, status: int, told: int, header: tuple[str, str]) -> None:
    """Nothing could be hidden in it. A refusal is told in our own words, what else it may be is not passed on; nothing of the call is left."""
    async with both(edge) as (caller, callee):
        call, verdict = await dial(edge, caller, callee)
        final = caller.spawn(call.final(told))
        incoming = await callee.incoming()
        headers = [("Server", "carrier-secret"), ("Contact", "<sip:gateway@127.0.0.2>"), header]
        await callee.reply(incoming.invite, incoming.invite_peer, status, headers=headers)
        if status < 300:
            await incoming.reject(603)
        await final
        assert edge.callcontrol.wait_for("fail", c=verdict["call"])["status"] == max(status, 603 if status < 300 else 0)
        assert int(verdict["call"]) not in edge.rpc.dialogs()
        assert_hidden(caller, *CARRIER_SECRETS)
    edge.forgive(": parse_", ": get_hdr_field()", "check_required_headers()", "dlg_onreply()")


@scenario
async def test_a_cancelled_call(edge: EdgeInstance) -> None:
    async with both(edge) as (caller, callee):
        call, _ = await dial(edge, caller, callee, call_id="pbx-call-id-9")
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring()
        await ringing
        await call.cancel()
        await incoming.expect_cancel()
        await call.final(487)
        assert_hidden(callee, *PBX_SECRETS)
        assert_hidden(caller, *CARRIER_SECRETS)


@scenario
async def test_the_platform_hangs_up(edge: EdgeInstance) -> None:
    async with both(edge) as (caller, callee):
        call, verdict = await dial(edge, caller, callee, call_id="pbx-call-id-10")
        answered = caller.spawn(call.answered())
        incoming = await callee.incoming()
        await incoming.answer(body=_plain_sdp())
        await answered
        assert edge.rpc.end_call(
            ref=int(verdict["call"]), call_id=call.call_id, legs={}, headers='Reason: SIP;cause=402;text="Credit exhausted"\r\n'
        )
        for side in (call, incoming):
            assert (await side.ended()).get("reason") == 'SIP;cause=402;text="Credit exhausted"'
        assert edge.callcontrol.wait_for("end", c=verdict["call"])["by"] == "edge"
        assert_hidden(callee, *PBX_SECRETS)
        assert_hidden(caller, *CARRIER_SECRETS)


@scenario
async def test_proxies_beyond_are_hidden_and_followed(edge: EdgeInstance) -> None:
    """A carrier behind proxies of its own: the PBX sees none of them, and its BYE goes through them."""
    async with pbx(edge, host="127.0.0.4") as caller, carrier(edge) as callee, carrier(edge, host="127.0.0.3", name="proxy") as proxy:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}", carrier=CARRIER_ID))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        answered = caller.spawn(call.answered())
        incoming = await callee.incoming()
        await callee.send(_answer_through(str(proxy.wire.local), incoming), incoming.invite_peer)
        await answered
        assert_hidden(caller, "127.0.0.3", "127.0.0.2")
        legs = edge.callcontrol.wait_for("ans", c=verdict["call"])["legs"]
        assert legs["callee_routes"] == [f"<sip:{proxy.wire.local};lr>"]
        await call.send_request("BYE")
        bye = await proxy.expect_request("BYE")
        assert bye.get("route") == f"<sip:{proxy.wire.local};lr>"


def _answer_through(proxy: str, incoming: Call) -> Message:
    """A 200 as it comes back when a proxy stands between us and the callee."""
    invite = incoming.invite
    mirrored = [(name, value) for name, value in invite.headers if name.lower() in ("via", "from", "call-id", "cseq")]
    ours = invite.get("record-route")
    own = [("To", f"{invite.get('to')};tag={incoming.local_tag}"), ("Contact", f"<{incoming.agent.contact}>")]
    return Message("SIP/2.0 200 OK", [*mirrored, ("Record-Route", f"<sip:{proxy};lr>, {ours}"), *own], b"")


def _plain_sdp() -> bytes:
    """Media is RTPengine's concern; its tests are elsewhere."""
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "c=IN IP4 0.0.0.0", "t=0 0", "m=audio 9 RTP/AVP 8", "a=inactive"]
    return ("\r\n".join(lines) + "\r\n").encode()


def test_nothing_was_complained_about(edge: EdgeInstance) -> None:
    assert edge.complaints() == []
