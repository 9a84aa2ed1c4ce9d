"""Calls through the edge: identity, verdict, routes, and what is reported."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from tests.sip.edge_instance import CARRIER_ADDRESS, CARRIER_ID, PROFILE, USER, EdgeInstance, carrier, connect, pbx
from tests.sip.fake_callcontrol import Json, allowed, refused, route
from tests.siptest import UserAgent, scenario

pytestmark = [pytest.mark.engines, pytest.mark.usefixtures("no_complaints")]


@scenario
async def test_a_call_with_digest(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        number = f"sip:+12025550100@{edge.domain}"
        routes = [route(f"sip:+33123456789@{callee.wire.local}", **{"from": number, "pai": "+12025550100"})]
        up = await connect(edge, caller, callee, routes=routes)
        question = edge.callcontrol.asked("admit")[-1]
        assert (question["from_kind"], question["from_id"], question["ruri"]) == ("profile", PROFILE, "33123456789")
        assert re.fullmatch("[0-9a-f]{32}", question["key"])
        assert question["src"] == f"udp:{caller.wire.local}"
        assert up.callee.invite.address("from").uri == number
        assert up.callee.invite.get("p-asserted-identity") == f"<{number}>"
        answered = edge.callcontrol.wait_for("ans", c=up.verdict["call"])
        assert answered["route"] == 0
        assert answered["ring_at"] > 0
        assert answered["legs"]["call_id"] == up.caller.call_id
        assert (await up.caller.bye()).status == 200
        await up.callee.ended()
        assert edge.callcontrol.wait_for("end", c=up.verdict["call"])["by"] == "caller"


@scenario
async def test_the_callee_hangs_up(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        assert (await up.callee.bye()).status == 200
        await up.caller.ended()
        assert edge.callcontrol.wait_for("end", c=up.verdict["call"])["by"] == "callee"


@scenario
async def test_a_refusal_is_passed_on_as_it_is(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller:
        edge.callcontrol.admit = lambda question: refused(402, "Payment Required", 'Reason: Q.850;cause=21;text="C01 no credit"\r\n')
        call = await caller.invite("33123456789")
        final = await call.final(402)
        assert final.phrase == "Payment Required"
        assert final.get("reason") == 'Q.850;cause=21;text="C01 no credit"'


@scenario
async def test_a_carrier_is_not_challenged(edge: EdgeInstance) -> None:
    async with carrier(edge) as caller, pbx(edge) as callee:
        to = f"sip:12025550110@{edge.domain}"
        routes = [
            route(f"sip:12025550110@{callee.wire.local};rinstance=a1", **{"from": f"sip:+442079460123@{edge.domain}", "to": to}),
        ]
        up = await connect(edge, caller, callee, routes=routes)
        assert edge.callcontrol.asked("admit")[-1]["from_kind"] == "carrier"
        assert edge.callcontrol.asked("admit")[-1]["from_id"] == CARRIER_ID
        assert caller.transcript.received(status=407) == []
        invite = up.callee.invite
        assert invite.uri == f"sip:12025550110@{callee.wire.local};rinstance=a1"
        assert invite.get("to") == f"<{to}>"
        assert invite.get("from").startswith(f"<sip:+442079460123@{edge.domain}>;tag=")
        assert (await up.callee.bye()).status == 200
        await up.caller.ended()


@scenario
async def test_a_pbx_with_a_fixed_address_is_not_challenged(edge: EdgeInstance) -> None:
    async with pbx(edge, user="anything", password="", host="127.0.0.5") as caller, carrier(edge) as callee:
        edge.callcontrol.sources[str(caller.wire.local)] = ("profile", 11)
        up = await connect(edge, caller, callee)
        question = edge.callcontrol.asked("admit")[-1]
        assert (question["from_kind"], question["from_id"]) == ("profile", 11)
        assert (await up.caller.bye()).status == 200


@scenario
async def test_a_stranger_is_challenged_and_a_wrong_password_too(edge: EdgeInstance) -> None:
    async with pbx(edge, password="wrong", host="127.0.0.6") as caller:
        call = await caller.invite("33123456789")
        assert (await call.final()).status == 407
        assert len(caller.transcript.received(status=407)) == 2
        assert edge.callcontrol.wait_for("auth", user=USER)["why"] == "wrong password"


@scenario
async def test_cancel(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring()
        await ringing
        assert (await call.cancel()).status == 200
        await incoming.expect_cancel()
        await call.final(487)
        failed = edge.callcontrol.wait_for("fail", c=verdict["call"])
        assert (failed["status"], failed["by"]) == (487, "caller")
        assert failed["ring_at"] > 0


@pytest.mark.parametrize(("sent", "seen"), [(486, 486), (404, 404), (603, 603), (302, 480), (407, 503)])
@scenario
async def test_a_final_refusal_goes_back(edge: EdgeInstance, sent: int, seen: int) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"), route("sip:never@127.0.0.9:9"))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        final = caller.spawn(call.final())
        incoming = await callee.incoming()
        await incoming.reject(sent)
        response = await final
        assert response.status == seen
        failed = edge.callcontrol.wait_for("fail", c=verdict["call"])
        assert (failed["status"], failed["by"], failed["tried"]) == (sent, "callee", [[0, sent]])


@scenario
async def test_fail_over_on_5xx(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as first, carrier(edge, host="127.0.0.3") as second:
        verdict = allowed(
            route(f"sip:+33123456789@{first.wire.local}", **{"from": f"sip:first@{edge.domain}", "carrier": 3}),
            route(f"sip:+33123456789@{second.wire.local}", **{"from": f"sip:second@{edge.domain}", "carrier": 4}),
        )
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        answered = caller.spawn(call.answered())
        await (await first.incoming()).reject(503)
        incoming = await second.incoming()
        assert incoming.invite.address("from").uri == f"sip:second@{edge.domain}"
        assert len(incoming.invite.all("record-route")) == 1
        await incoming.answer()
        await answered
        event = edge.callcontrol.wait_for("ans", c=verdict["call"])
        assert (event["route"], event["tried"]) == (1, [[0, 503]])
        assert (await incoming.bye()).status == 200
        await call.ended()
        edge.callcontrol.wait_for("end", c=verdict["call"], by="callee")


@scenario
async def test_fail_over_when_nobody_answers(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as dead, carrier(edge, host="127.0.0.3") as second:
        dead.silent = True
        verdict = allowed(route(f"sip:+33123456789@{dead.wire.local}"), route(f"sip:+33123456789@{second.wire.local}"))
        edge.callcontrol.admit = lambda question: verdict
        started = time.monotonic()
        call = await caller.invite("33123456789")
        answered = caller.spawn(call.answered(within=10))
        incoming = await second.incoming(within=6)
        assert 2.5 < time.monotonic() - started < 5
        await incoming.answer()
        await answered
        assert edge.callcontrol.wait_for("ans", c=verdict["call"])["tried"] == [[0, 408]]
        await call.bye()


@scenario
async def test_no_fail_over_after_ringing(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as first, carrier(edge, host="127.0.0.3") as second:
        verdict = allowed(route(f"sip:+33123456789@{first.wire.local}"), route(f"sip:+33123456789@{second.wire.local}"))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        final = caller.spawn(call.final())
        incoming = await first.incoming()
        await incoming.ring()
        await asyncio.sleep(0.1)
        await incoming.reject(503)
        assert (await final).status == 503
        assert second.transcript.received("INVITE") == []
        assert edge.callcontrol.wait_for("fail", c=verdict["call"])["status"] == 503


@scenario
async def test_a_route_that_cannot_be_followed_is_skipped(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as second:
        verdict = allowed(route("sip:1@nowhere.invalid"), route(f"sip:+33123456789@{second.wire.local}"))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        answered = caller.spawn(call.answered(within=10))
        incoming = await second.incoming(within=8)
        assert len(incoming.invite.all("record-route")) == 1
        await incoming.answer()
        await answered
        assert edge.callcontrol.wait_for("ans", c=verdict["call"])["tried"][0][0] == 0
        await call.bye()
    edge.forgive("nowhere.invalid", "failure to add branches", "t_forward_noack failed")


@scenario
async def test_nobody_answers_in_time(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"), expires_s=2)
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        final = caller.spawn(call.final(408, within=10))
        incoming = await callee.incoming()
        await incoming.ring()
        await final
        await incoming.expect_cancel()
        failed = edge.callcontrol.wait_for("fail", c=verdict["call"])
        assert (failed["status"], failed["by"]) == (408, "timeout")


@scenario
async def test_a_carrier_that_wants_a_password(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}", auth=["trunk", "secret"]))
        edge.callcontrol.admit = lambda question: verdict
        call = await caller.invite("33123456789")
        ringing = caller.spawn(call.expect(180))
        first = await callee.incoming()
        await first.reject(407, headers=[("Proxy-Authenticate", 'Digest realm="carrier", nonce="abc", algorithm=MD5, qop="auth"')])
        second = await callee.incoming()
        given = second.invite.get("proxy-authorization")
        assert 'username="trunk"' in given
        assert 'realm="carrier"' in given
        assert USER not in given
        assert second.invite.cseq == first.invite.cseq + 1
        second.auto_answer |= {"PRACK"}
        await second.ring(headers=[("Require", "100rel"), ("RSeq", "7")])
        await ringing
        assert (await call.request("PRACK", headers=[("RAck", f"7 {call.invite.cseq} INVITE")])).status == 200
        assert (await second.expect_request("PRACK")).get("rack") == f"7 {second.invite.cseq} INVITE"
        answered = caller.spawn(call.answered())
        await second.answer()
        await answered
        assert (await call.bye()).status == 200
        bye = await second.ended()
        assert bye.cseq > second.invite.cseq


@scenario
async def test_update_and_reinvite_from_both_sides(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        assert (await up.caller.reinvite()).status == 200
        assert (await up.callee.reinvite()).status == 200
        assert (await up.caller.update()).status == 200
        assert (await up.callee.update()).status == 200
        assert (await up.caller.request("OPTIONS")).status == 200
        assert (await up.caller.request("INFO")).status == 200
        assert (await up.caller.request("REFER", headers=[("Refer-To", "<sip:1@example.com>")])).status == 405
        sides = {event["side"] for event in edge.callcontrol.events("legs", c=up.verdict["call"])}
        assert sides == {"caller", "callee"}
        assert (await up.caller.bye()).status == 200


@scenario
async def test_a_lost_answer_is_repeated(edge: EdgeInstance) -> None:
    """An INVITE sent twice is one question; what was answered is answered again."""
    async with pbx(edge, host="127.0.0.5") as caller, carrier(edge) as callee:
        edge.callcontrol.sources[str(caller.wire.local)] = ("profile", 11)
        verdict = allowed(route(f"sip:+33123456789@{callee.wire.local}"))
        edge.callcontrol.admit = lambda question: verdict
        asked = len(edge.callcontrol.asked("admit"))
        call = await caller.invite("33123456789")
        await caller.send(call.invite)
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await caller.send(call.invite)
        await incoming.ring()
        await ringing
        assert len(edge.callcontrol.asked("admit")) == asked + 1
        assert len(callee.transcript.received("INVITE")) == 1
        await call.cancel()


@scenario
async def test_cancel_before_call_control_has_answered(edge: EdgeInstance) -> None:
    async with pbx(edge) as caller:
        verdict = allowed(route(f"sip:+33123456789@{CARRIER_ADDRESS}:9"))

        def decide_slowly(question: Json) -> Json:
            time.sleep(0.4)
            return verdict

        edge.callcontrol.admit = decide_slowly
        before = len(edge.callcontrol.asked("admit"))
        call = await caller.invite("33123456789")
        final = caller.spawn(call.final(487))
        while len(edge.callcontrol.asked("admit")) == before:
            await asyncio.sleep(0.01)
        assert (await call.cancel()).status == 200
        await final
        edge.callcontrol.wait_for("fail", c=verdict["call"])


@scenario
async def test_anonymous_callers_are_marked(edge: EdgeInstance) -> None:
    async with UserAgent(server=edge.server, domain=edge.domain, host=CARRIER_ADDRESS, name="carrier") as caller:
        edge.callcontrol.admit = lambda question: refused(404, "Not Found")
        call = await caller.invite("12025550110", headers=[("Privacy", "id"), ("P-Asserted-Identity", "<sip:+442079460123@example.com>")])
        await call.final(404)
        question = edge.callcontrol.asked("admit")[-1]
        assert (question["anonymous"], question["pai"]) == (1, "+442079460123")
