"""Calls whose parties break the rules to talk for nothing, or to bring down those who keep the books."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.security.company import LONGEST_CALL_SECONDS
from tests.security.instance import WholeInstance
from tests.security.people import LANDLINE, alpha, carrier, connect, everybody, fixed, hang_up
from tests.siptest import Call, scenario

pytestmark = pytest.mark.engines

RECONCILED_SECONDS = 45.0
"""Call control compares itself with the engines every 30 seconds, and looks again before it acts."""


@scenario
async def test_calls_with_one_call_id_are_kept_apart(instance: WholeInstance) -> None:
    """A Call-ID is the caller's to choose: what is done to one call must not be done to the other."""
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        call_id = caller.new_id()
        first, second = [await connect(instance, caller, callee, call_id=call_id) for _ in range(2)]
        both = "SELECT call_ref FROM store_livecall WHERE state = 'answered' ORDER BY call_ref"
        instance.eventually(lambda: len(instance.rows(both)) == 2, "both are answered")
        refs = [ref for (ref,) in instance.rows(both)]
        assert instance.rpc.end_call(ref=refs[1], call_id=call_id, legs={}, headers="")
        await second.caller.ended()
        await second.callee.ended()
        instance.await_row("SELECT 1 FROM store_callrecord WHERE call_ref = ?", refs[1])
        assert instance.rows("SELECT call_ref FROM store_livecall") == [(refs[0],)]
        assert (await first.caller.bye()).status == 200
        await first.callee.ended()
    instance.await_row("SELECT 1 FROM store_callrecord WHERE call_ref = ? AND cost_micros = 30000", refs[0])


ODD: tuple[dict[str, Any], ...] = (
    {"from_": "<sip:x\udcff\udcfe@example.net>"},
    {"from_": '"\udcff\\"" <sip:%00%ff@example.net>'},
    {"from_": f"<sip:{'y' * 6000}@example.net>"},
    {"call_id": '[a"b\\c]{}<>'},
    {"call_id": "c" * 256},
    {"headers": [("CSeq", "2147483647 INVITE")]},
    {"headers": [("CSeq", "0 INVITE")]},
    {"headers": [("Record-Route", "<sip:127.0.0.20:9;lr>"), ("X-Much", "y" * 9000)]},
    {"body": b""},
)


@scenario
async def test_every_call_can_be_cut(instance: WholeInstance) -> None:
    """At its longest duration: the carrier gets its BYE, whatever the caller has written into the call, and the call is paid."""
    async with everybody(caller := fixed(instance), callee := carrier(instance)):
        taken: list[Call] = []

        async def take(call: Call) -> None:
            taken.append(call)
            await call.answer()

        callee.on_invite = take
        before = instance.rows("SELECT count(*) FROM store_callrecord WHERE cost_micros = 30000")[0][0]
        calls = [await caller.invite(LANDLINE, **details) for details in ODD]
        for call in calls:
            await call.final(200)
            call.routes = [route for route in call.routes if ";tl=" in route]
            await call.ack()
        assert len(taken) == len(ODD)
        for call in taken:
            await call.ended(within=LONGEST_CALL_SECONDS + 3)
    paid = "SELECT count(*) FROM store_callrecord WHERE result = 'answered' AND cost_micros = 30000"
    instance.eventually(lambda: instance.rows(paid)[0][0] == before + len(ODD), "all are paid")


@scenario
async def test_the_same_invite_again_and_again_is_one_call(instance: WholeInstance) -> None:
    """Repeated because an answer was lost: neither challenged nor admitted once more, also when its call is over."""
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        call = await caller.invite(LANDLINE)
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring()
        await ringing
        challenged = len(caller.transcript.received(status=407))
        for _ in range(5):
            await caller.send(call.invite)
        await asyncio.sleep(0.2)  # whatever they lead to has happened
        assert len(caller.transcript.received(status=407)) == challenged
        assert len(callee.transcript.received("INVITE")) == 1
        assert len(instance.rows("SELECT 1 FROM store_livecall")) == 1
        final = caller.spawn(call.final(486))
        await incoming.reject(486)
        await final
        for _ in range(3):
            await caller.send(call.invite)


@scenario
async def test_an_invite_in_new_clothes_comes_while_its_call_ends(instance: WholeInstance) -> None:
    """The same Call-ID, tag and number, another branch: in the very turn in which the first one is settled."""
    async with everybody(caller := fixed(instance), callee := carrier(instance)):
        callee.on_invite = lambda call: call.reject(486)
        call = await caller.invite(LANDLINE)
        for _ in range(50):
            again = caller.build(
                "INVITE", call.invite.uri, to=call.remote, from_=call.local, call_id=call.call_id, cseq=1,
                headers=[("Contact", f"<{caller.contact}>"), ("Content-Type", "application/sdp")], body=call.invite.body,
            )  # fmt: skip
            transaction = await caller.transact(again)
            assert (await transaction.final()).status in (482, 486)
    instance.eventually(lambda: not instance.rows("SELECT 1 FROM store_livecall"), "all are over")


@pytest.mark.slow
@scenario
async def test_who_says_goodbye_only_to_us_is_hung_up(instance: WholeInstance) -> None:
    """A BYE that the other side can't understand: the books say that the call is over, so it must be."""
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        up = await connect(instance, caller, callee)
        up.caller.remote = up.caller.remote.partition(";tag=")[0] + ";tag=nobody"
        await up.caller.send_request("BYE")
        instance.await_row("SELECT 1 FROM store_callrecord WHERE call_ref = ?", up.ref)
        await up.callee.ended(within=RECONCILED_SECONDS)


@scenario
async def test_an_ordinary_call_afterwards(instance: WholeInstance) -> None:
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        assert await hang_up(instance, await connect(instance, caller, callee)) == ("answered", 30_000)
