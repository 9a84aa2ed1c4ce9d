"""Headers that only we may write, calls of other people, and requests that want to be sent on."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Sequence

import pytest

from tests.security.company import CARRIER_ADDRESS
from tests.security.instance import WholeInstance
from tests.security.people import LANDLINE, agent, alpha, beta, carrier, connect, everybody, fixed, hang_up, stranger
from tests.security.strangers import SILENCE, Sender, request, tally
from tests.siptest import Message, UserAgent, scenario

pytestmark = pytest.mark.engines

VICTIM = "127.0.0.77"


def bystander(instance: WholeInstance, **details: object) -> UserAgent:
    """Somebody on the Internet, or a service on loopback, to whom our requests shall be led."""
    return agent(instance, **({"user": "bystander", "host": VICTIM, "name": "bystander"} | details))


def received(someone: UserAgent) -> list[str]:
    return [message.start for message in someone.transcript.messages(False)]


SPOOFED = {
    "P-Asserted-Identity": "<sip:+442079460999@example.net>",
    "P-Preferred-Identity": "<sip:+442079460999@example.net>",
    "Remote-Party-ID": "<sip:+442079460999@example.net>;party=calling;screen=yes",
    "P-Charge-Info": "<sip:+442079460999@example.net>",
    "P-Charging-Vector": "icid-value=1",
    "Identity": "eyJhbGciOiJFUzI1NiJ9.e30.x;info=<https://example.net/x>;alg=ES256;ppt=shaken",
    "y": "eyJhbGciOiJFUzI1NiJ9.e30.x;info=<https://example.net/x>;alg=ES256;ppt=shaken",
    "History-Info": "<sip:+442079460999@example.net>;index=1",
    "X-Trunkline-Profile": "1",
    "X-Account": "1",
    "P-Src-IP": "127.0.0.2",
    "Path": "<sip:127.0.0.77;lr>",
    "Service-Route": "<sip:127.0.0.77;lr>",
    "Subject": "password",
    "Geolocation": "<cid:x>",
    "Refer-To": "<sip:+442079460999@example.net>",
    "Replaces": "a;to-tag=b;from-tag=c",
    "Join": "a;to-tag=b;from-tag=c",
    "Alert-Info": "<http://127.0.0.77/>",
    "Call-Info": "<http://127.0.0.77/>",
    "Error-Info": "<http://127.0.0.77/>",
    "Target-Dialog": "a;local-tag=b;remote-tag=c",
}


@scenario
async def test_what_a_pbx_says_about_itself_does_not_reach_the_carrier(instance: WholeInstance) -> None:
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        up = await connect(instance, caller, callee, headers=list(SPOOFED.items()))
        sent = up.callee.invite
        assert sent.all("p-asserted-identity") == [f"<sip:+{instance.cast.alpha.number}@{instance.domain}>"]
        assert up.callee.caller == f"+{instance.cast.alpha.number}"
        names = {name.lower() for name, _ in sent.headers}
        assert names & {name.lower() for name in SPOOFED} == {"p-asserted-identity"}
        assert b"example.net" not in sent.encode()
        await hang_up(instance, up)


SPELLINGS = ("Route", "route", "ROUTE", "Route ", "Route\t", "rOuTe")


@pytest.mark.parametrize("name", SPELLINGS, ids=[repr(name) for name in SPELLINGS])
@scenario
async def test_a_call_goes_where_we_say_not_by_route(instance: WholeInstance, name: str) -> None:
    async with everybody(caller := alpha(instance), callee := carrier(instance), other := bystander(instance)):
        ours = f"<sip:127.0.0.1:{instance.settings.sip_port};lr;tl=1838515049011821568rpp.973fb93d>"
        up = await connect(instance, caller, callee, headers=[(name, ours), (name, f"<sip:{other.wire.local};lr>")])
        assert received(other) == []
        assert up.callee.invite.all("route") == []
        await hang_up(instance, up)


@pytest.mark.parametrize(
    "method", ["INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "INFO", "BYE", "UPDATE", "ANYTHING"]
)
@scenario
async def test_nothing_of_a_stranger_is_sent_on(instance: WholeInstance, method: str) -> None:
    async with everybody(sender := stranger(instance), other := bystander(instance)):
        target = f"sip:x@{other.wire.local}"
        routes = [
            ("Route", f"<sip:127.0.0.1:{instance.settings.sip_port};lr>"),
            ("Route", f"<{target};lr>"),
            ("Contact", f"<{sender.contact}>"),
        ]
        for headers, uri in (([], target), (routes, f"sip:x@{instance.domain}"), (routes, target)):
            given = [*headers, ("Contact", f"<{sender.contact}>"), ("Refer-To", f"<{target}>")]
            response = await sender.request(method, uri, headers=list(dict(given).items()) if not headers else [*headers, given[-1]])
            assert response.status in (200, 405, 407, 481, 501)
        assert received(other) == []


@scenario
async def test_a_user_calls_through_us_not_by_us(instance: WholeInstance) -> None:
    """A Request-URI elsewhere, with the right password: its user part is dialled like any other number; nobody else gets the INVITE."""
    async with everybody(caller := alpha(instance), callee := carrier(instance), other := bystander(instance)):
        call = await caller.invite(LANDLINE, uri=f"sip:{LANDLINE}@{other.wire.local};maddr={VICTIM};transport=tcp")
        answered = caller.spawn(call.answered())
        incoming = await callee.incoming()
        assert incoming.invite.uri == f"sip:{LANDLINE}@{callee.wire.local}"
        await incoming.answer()
        await answered
        await call.bye()
        assert received(other) == []


@scenario
async def test_replies_to_nothing_go_nowhere(instance: WholeInstance) -> None:
    """A reply is sent on to its second Via, which anybody can write."""
    with Sender(instance.server, VICTIM) as victim, Sender(instance.server) as sender:
        for status in ("100 Trying", "180 Ringing", "200 OK", "302 Moved", "486 Busy", "603 No"):
            for top in (f"127.0.0.1:{instance.settings.sip_port}", instance.domain, "192.0.2.1"):
                for route in ("", f"Record-Route: <sip:127.0.0.1:{instance.settings.sip_port};lr;tl=1838515049011821568rpp.973fb93d>\r\n"):
                    sender.send(stray(status, top, f"{victim.host}:{victim.port}", route))
        assert victim.answers(within=0.5) == []


def stray(status: str, top: str, second: str, route: str) -> bytes:
    lines = [
        f"SIP/2.0 {status}",
        f"Via: SIP/2.0/UDP {top};branch=z9hG4bK0",
        f"Via: SIP/2.0/UDP {second};branch=z9hG4bK1",
        "From: <sip:a@b>;tag=1",
        "To: <sip:c@d>;tag=2",
        "Call-ID: stray",
        "CSeq: 1 INVITE",
        "Contact: <sip:a@127.0.0.1>",
        "Content-Length: 0",
    ]
    return ("\r\n".join([*lines[:3], *([route.strip()] if route else []), *lines[3:]]) + "\r\n\r\n").encode()


# Inside calls


@scenario
async def test_nobody_ends_other_peoples_calls(instance: WholeInstance) -> None:
    """Who knows a call's Call-ID and tags, but not what we sealed; who has the seals of another call; who has only guessed."""
    async with everybody(caller := alpha(instance), callee := carrier(instance), thief := beta(instance)):
        mine = await connect(instance, thief, callee)
        theirs = await connect(instance, caller, callee)
        call, other = theirs.caller, mine.caller
        attempts: Sequence[tuple[str, Sequence[str], str]] = (
            ("sip:" + LANDLINE + "@" + instance.domain, [], "nothing"),
            (f"sip:gateway@{callee.wire.local}", call.routes, "no seal"),
            (f"sip:gateway@{callee.wire.local};tlc=00000000", call.routes, "a guessed seal"),
            (changed(call.remote_target), call.routes, "a Contact that was changed"),
            (other.remote_target, call.routes, "the seal of another call"),
            (other.remote_target, other.routes, "all of another call"),
            (call.remote_target, other.routes, "the mark of another call"),
        )
        for target, routes, what in attempts:
            for method in ("BYE", "INVITE", "UPDATE", "INFO", "REFER"):
                headers = [*(("Route", route) for route in routes), ("Contact", f"<{thief.contact}>")]
                forged = thief.build(method, target, to=call.remote, from_=call.local, call_id=call.call_id, cseq=99, headers=headers)
                response = await (await thief.transact(forged)).final()
                assert response.status == 481, (what, method, response.start)
        assert instance.rows("SELECT count(*) FROM store_livecall WHERE state = 'answered'") == [(2,)]
        assert await hang_up(instance, theirs) == ("answered", 30_000)
        assert await hang_up(instance, mine) == ("answered", 30_000)


MASK = ";line=sr-"
LETTERS = string.ascii_letters + string.digits + ".-"
OF_A_LETTER, OF_A_DIGIT = 11, 19
"""Where the lower six bits of the `w` in `sip:gateway@127.…`, and of the 7, are in what topology hiding makes of it: the one stays printable."""


def changed(masked: str, at: int = OF_A_LETTER, to: str = "") -> str:
    """Another letter in the midst of what topology hiding made of a Contact."""
    place = masked.index(MASK) + len(MASK) + at
    return masked[:place] + (to or ("A" if masked[place] != "A" else "B")) + masked[place + 1 :]


@scenario
async def test_whatever_is_changed_in_a_masked_contact_leads_nowhere(instance: WholeInstance) -> None:
    """Every letter in one place. It is no Contact of this call; with a line end or a space in it, it is no SIP, which nobody hears of."""
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        up = await connect(instance, caller, callee)
        call, told = up.caller, received(callee)
        inside = [*(("Route", route) for route in call.routes), ("From", call.local), ("To", call.remote), ("Call-ID", call.call_id)]
        with Sender(instance.server, caller.host) as sender:
            via = f"SIP/2.0/UDP {sender.host}:{sender.port};rport;branch=z9hG4bK"
            targets = [changed(call.remote_target, OF_A_DIGIT, letter) for letter in LETTERS]
            answers = tally(
                sender.ask(request("BYE", target, via=via + secrets.token_hex(6), headers=inside), within=0.2)
                for target in targets
                if target != call.remote_target
            )
        assert answers == {"481": 59, SILENCE: 4}
        assert received(callee) == told
        assert await hang_up(instance, up) == ("answered", 30_000)


@scenario
async def test_a_cancel_of_somebody_else_cancels_nothing(instance: WholeInstance) -> None:
    async with everybody(caller := alpha(instance), callee := carrier(instance), thief := beta(instance)):
        call = await caller.invite(LANDLINE)
        ringing = caller.spawn(call.expect(180))
        incoming = await callee.incoming()
        await incoming.ring()
        await ringing
        headers = [("Via", thief.via())]
        cancel = thief.build("CANCEL", call.remote_target, to=call.remote, from_=call.local, call_id=call.call_id, cseq=2, headers=headers)
        assert (await (await thief.transact(cancel)).final()).status == 481
        answered = caller.spawn(call.answered())
        await incoming.answer()
        await answered
        await call.bye()


@scenario
async def test_a_party_leads_its_requests_nowhere_else(instance: WholeInstance) -> None:
    """Not by Route headers of its own, neither behind ours nor before it, and not by another Request-URI."""
    async with everybody(caller := alpha(instance), callee := carrier(instance), other := bystander(instance)):
        up = await connect(instance, caller, callee)
        ours, elsewhere = list(up.caller.routes), f"<sip:{other.wire.local};lr>"
        for routes in (
            [*ours, elsewhere],
            [elsewhere, *ours],
            [*ours, elsewhere.replace(";lr", f"{ours[0][ours[0].index(';tl=') : -1]};lr")],
        ):
            for method in ("INFO", "UPDATE", "OPTIONS"):
                up.caller.cseq += 1
                headers = [("Route", route) for route in routes]
                request = caller.build(
                    method, up.caller.remote_target, to=up.caller.remote, from_=up.caller.local, call_id=up.caller.call_id,
                    cseq=up.caller.cseq, headers=headers,
                )  # fmt: skip
                await caller.send(request)
        await asyncio.sleep(0.3)  # whatever was to be sent on is there by then
        assert received(other) == []
        await hang_up(instance, up)


@scenario
async def test_no_transfer_is_followed(instance: WholeInstance) -> None:
    """A REFER would make the carrier, or the other PBX, call somebody at another's cost."""
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        up = await connect(instance, caller, callee)
        for side, refers in ((up.caller, caller), (up.callee, callee)):
            assert (await side.request("REFER", headers=[("Refer-To", "<sip:+442079460999@example.net>")])).status == 405
            assert "REFER" not in refers.transcript.full().partition("Allow:")[2].partition("\n")[0]
        assert [message.method for message in callee.transcript.messages(False) if message.start.startswith("REFER")] == []
        await hang_up(instance, up)


@scenario
async def test_the_carriers_address_is_not_enough_for_a_call_to_the_world(instance: WholeInstance) -> None:
    """What comes from a carrier is for our numbers. (Who can send with its address could call us for nothing: see docs/explanation/security.md.)"""
    async with carrier(instance) as caller:
        for to in (LANDLINE, "911", "+17606604690", "anybody"):
            call = await caller.invite(to)
            await call.final(404, 484)


@scenario
async def test_a_fixed_address_is_an_address_and_a_port(instance: WholeInstance) -> None:
    async with everybody(neighbour := fixed(instance, port=0), callee := carrier(instance)):
        call = await neighbour.invite(LANDLINE)
        await call.final(407)
        assert received(callee) == []


@pytest.mark.parametrize(("name", "value"), [("TH", "dlh"), ("th", "uc"), ("TH ", "dc"), ("TH", "\r\n uc")], ids=repr)
@scenario
async def test_notes_of_topology_hiding_to_itself_are_not_believed(instance: WholeInstance, name: str, value: str) -> None:
    """TH, and a Call-ID, Via or Contact in its clothes: an ordinary call, in which nothing of them is seen."""
    async with everybody(caller := alpha(instance), callee := carrier(instance)):
        disguised = [(name, value), ("Via", f"{caller.via()};TH=xx"), ("Contact", f"<{caller.contact};line=sr-{'A' * 40}>")]
        up = await connect(instance, caller, callee, call_id=f"tl!AEATP9sQnEAJnEuSAc{caller.new_id()}**", headers=disguised)
        assert up.callee.invite.uri == f"sip:{LANDLINE}@{callee.wire.local}"
        assert {header.strip().lower() for header, _ in up.callee.invite.headers} & {"th"} == set()
        assert caller.wire.local.host.encode() not in up.callee.invite.encode()
        assert await hang_up(instance, up) == ("answered", 30_000)


def test_private_services_are_not_reached_over_sip(instance: WholeInstance) -> None:
    """Neither RTPengine's control port, nor the metrics, nor the echo service has seen a byte of a stranger."""
    services = (instance.settings.rtpengine_port, instance.settings.metrics_port, instance.settings.echo_port)
    with Sender(instance.server, CARRIER_ADDRESS.replace("0.2", "0.66")) as sender:
        for port in services:
            for uri in (f"sip:x@127.0.0.1:{port}", f"sip:127.0.0.1:{port};transport=tcp"):
                message = Message.request("OPTIONS", uri, [("Via", f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{port}"), ("Max-Forwards", "9"),
                    ("From", "<sip:a@b>;tag=1"), ("To", f"<{uri}>"), ("Call-ID", str(port)), ("CSeq", "1 OPTIONS")])  # fmt: skip
                sender.send(message.encode())
        sender.answers(within=0.3)
    assert "OPTIONS sip:x" not in instance.log("rtpengine") + instance.log("echo")
