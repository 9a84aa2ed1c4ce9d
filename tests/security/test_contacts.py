"""Contacts that want calls, requests and BYEs to go where their owner is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.security.instance import WholeInstance
from tests.security.people import LANDLINE, agent, alpha, carrier, connect, everybody, hang_up
from tests.siptest import Call, UserAgent, scenario
from tests.siptest.message import uri_user

pytestmark = pytest.mark.engines

VICTIM = "127.0.0.77"


@dataclass
class Scene:
    """A subscriber, the carrier, and one who has nothing to do with it. Subscriber and victim have the same port: a port alone proves nothing."""

    instance: WholeInstance
    pbx: UserAgent
    carrier: UserAgent
    victim: UserAgent

    def fill(self, contact: str) -> str:
        settings = self.instance.settings
        return contact.format(
            me=self.pbx.wire.local, victim=self.victim.wire.local, port=self.pbx.wire.local.port, carrier=self.carrier.wire.local,
            edge=f"127.0.0.1:{settings.sip_port}", rtpengine=f"127.0.0.1:{settings.rtpengine_port}", metrics=f"127.0.0.1:{settings.metrics_port}",
            echo=f"127.0.0.1:{settings.echo_port}",
        )  # fmt: skip

    def assert_victim_heard_nothing(self) -> None:
        assert [entry.raw for entry in self.victim.transcript.entries if not entry.sent] == []


@asynccontextmanager
async def scene(instance: WholeInstance) -> AsyncIterator[Scene]:
    async with agent(instance, user="victim", host=VICTIM, name="victim") as victim:
        pbx, gateway = alpha(instance, port=victim.wire.local.port), carrier(instance)
        async with everybody(pbx, gateway):
            yield Scene(instance, pbx, gateway, victim)


HEADERS = "<sip:x@{me}?Route=%3Csip:{victim};lr%3E>"
# What is accepted leads to where it came from; what could not be put into a message is refused.
ELSEWHERE = {
    "another host": "<sip:x@{victim}>",
    "the edge itself": "<sip:x@{edge}>",
    "RTPengine's control port": "<sip:x@{rtpengine}>",
    "the metrics": "<sip:x@{metrics};transport=tcp>",
    "the echo service": "<sip:echo@{echo}>",
    "the carrier": "<sip:+442079460999@{carrier}>",
    "a name": "<sip:x@localhost:{port}>",
    "a name of nobody": "<sip:x@nowhere.invalid:{port}>",
    "maddr": "<sip:x@{me};maddr=127.0.0.77>",
    "an alias like nathelper's": "<sip:x@{me};alias=127.0.0.77~{port}~1>",
    "an alias like ours": "<sip:x@{me};tla=127.0.0.77~{port}~1>",
    "received": "<sip:x@{me};received=sip:{victim}>",
    "our own parameters": "<sip:x@{me};lr;tl=1838515049011821568rpp.973fb93d;tlc=00000000>",
    "escaped line ends": "<sip:x%0d%0aRoute:%20a@{me};p=%0d%0aRoute:%20sip:{victim}>",
    "another transport": "<sip:x@{me};transport=tcp>",
    "a user with parameters": "<sip:x;y=1@{me}>",
    "no user": "<sip:{me}>",
    "no brackets": "sip:x@{me}",
    "many": ",".join(f"<sip:x{number}@{{me}}>" for number in range(200)),
    "a long one": f"<sip:x@{{me}};p={'a' * 400}>",
}
UNUSABLE = {
    "a line end": "<sip:x@{me};p=\r\n Route: <sip:{victim}>>",
    "a carriage return": "<sip:x@{me};p=\rRoute: <sip:{victim}>>",
    "NUL": "<sip:x\0y@{me}>",
    "an escape sequence": "<sip:x@{me};p=\x1b[2J>",
    "no UTF-8": "<sip:x@{me};p=\udcff\udcfe>",
    "letters beyond ASCII": "<sip:j\u00fcrgen@{me}>",
    "quotation marks": '<sip:x"y@{me}>',
    "two hosts": "<sip:x@{victim}@{me}>",
    "no host": "<sip:x@>",
    "telephone": "<tel:+442079460999>",
    "mail": "<mailto:x@example.net>",
    "a very long one": f"<sip:x@{{me}};p={'a' * 4000}>",
}


async def rings(scene: Scene, contact: str) -> Call:
    """The carrier calls the subscriber's number; what comes to the subscriber."""
    assert (await scene.pbx.register(contact=scene.fill(contact))).status == 200
    scene.instance.await_row("SELECT 1 FROM store_registration WHERE profile_id = ?", scene.instance.cast.alpha.profile_id)
    call = await scene.carrier.invite(f"+{scene.instance.cast.alpha.number}")
    final = scene.carrier.spawn(call.final(486))
    incoming = await scene.pbx.incoming()
    await incoming.reject(486)
    await final
    return incoming


@pytest.mark.parametrize("contact", [*ELSEWHERE.values(), HEADERS], ids=[*ELSEWHERE, "headers"])
@scenario
async def test_calls_go_to_where_the_registration_came_from(instance: WholeInstance, contact: str) -> None:
    async with scene(instance) as at:
        incoming = await rings(at, contact)
        assert uri_user(incoming.invite.uri) == instance.cast.alpha.number
        assert incoming.invite.all("route") == []
        at.assert_victim_heard_nothing()
        assert (await at.pbx.register(contact="*", expires=0)).status == 200
    instance.eventually(lambda: not instance.rows("SELECT 1 FROM store_registration"), "the registration is gone")


@pytest.mark.parametrize("contact", UNUSABLE.values(), ids=UNUSABLE)
@scenario
async def test_what_could_not_be_put_into_a_message_is_not_registered(instance: WholeInstance, contact: str) -> None:
    async with scene(instance) as at:
        response = await at.pbx.register(contact=at.fill(contact))
        assert (response.status, response.get("contact")) == (400, "")
        assert instance.rows("SELECT 1 FROM store_registration") == []
        call = await at.pbx.invite(LANDLINE, headers=[("Contact", at.fill(contact))])
        await call.final(400)
        at.assert_victim_heard_nothing()


@pytest.mark.parametrize("contact", ELSEWHERE.values(), ids=ELSEWHERE)
@scenario
async def test_a_callers_contact_leads_nowhere_else(instance: WholeInstance, contact: str) -> None:
    """The callee's requests in the call, and the BYE when call control ends it, come to the caller."""
    async with scene(instance) as at:
        up = await connect(instance, at.pbx, at.carrier, headers=[("Contact", at.fill(contact).partition(",")[0])])
        assert (await up.callee.request("INFO")).status == 200
        await up.caller.expect_request("INFO")
        assert instance.rpc.end_call(ref=up.ref, call_id=up.caller.call_id, legs={}, headers="")
        await up.caller.ended()
        await up.callee.ended()
        at.assert_victim_heard_nothing()
    instance.await_row("SELECT 1 FROM store_callrecord WHERE call_ref = ?", up.ref)


@pytest.mark.parametrize("contact", [ELSEWHERE["another host"], ELSEWHERE["a name"], ELSEWHERE["an alias like nathelper's"]])
@scenario
async def test_a_callees_contact_leads_nowhere_else(instance: WholeInstance, contact: str) -> None:
    async with scene(instance) as at:
        assert (await at.pbx.register()).status == 200
        call = await at.carrier.invite(f"+{instance.cast.alpha.number}")
        answered = at.carrier.spawn(call.answered())
        incoming = await at.pbx.incoming()
        await incoming.answer(headers=[("Contact", at.fill(contact))])
        await answered
        assert (await call.request("INFO")).status == 200
        await incoming.expect_request("INFO")
        assert (await incoming.reinvite()).status == 200
        assert (await call.bye()).status == 200
        await incoming.ended()
        at.assert_victim_heard_nothing()
        await at.pbx.unregister()


@pytest.mark.parametrize(
    "route", ["<sip:{victim};lr>", "<sip:{victim}>", "<sip:localhost:{port};lr>", "<sip:x@{victim};lr>, <sip:{victim};lr>"]
)
@scenario
async def test_a_record_route_of_the_caller_leads_nowhere_else(instance: WholeInstance, route: str) -> None:
    """For the callee's requests. (The BYE of Kamailio's own follows it: see docs/explanation/security.md.)"""
    async with scene(instance) as at:
        call = await at.pbx.invite(LANDLINE, headers=[("Record-Route", at.fill(route))])
        final = at.pbx.spawn(call.final(200))
        incoming = await at.carrier.incoming()
        answering = at.carrier.spawn(incoming.answer())
        await final
        call.routes = [each for each in call.routes if ";tl=" in each]
        await call.ack()
        await answering
        assert (await incoming.request("INFO")).status == 200
        assert (await incoming.request("UPDATE")).status == 200
        at.assert_victim_heard_nothing()
        assert (await call.bye()).status == 200


@scenario
async def test_headers_in_a_contact_are_for_registrations(instance: WholeInstance) -> None:
    """RFC 3261 19.1.1: in an INVITE they are not allowed; our BYE could not be sent."""
    async with scene(instance) as at:
        call = await at.pbx.invite(LANDLINE, headers=[("Contact", at.fill(HEADERS))])
        await call.final(400)


@scenario
async def test_registering_for_another_domain_is_registering_here_or_nothing(instance: WholeInstance) -> None:
    """The credentials decide whose registration it is, whatever Request-URI and To say; nothing is sent on."""
    async with scene(instance) as at:
        for domain in (at.fill("{victim}"), "example.net", f"127.0.0.1:{instance.settings.sip_port}"):
            identity = f"<sip:{at.pbx.user}@{domain}>"
            headers = [("Contact", f"<{at.pbx.contact}>"), ("Expires", "60")]
            message = at.pbx.build(
                "REGISTER", f"sip:{domain}", to=identity, from_=f"{identity};tag=1", call_id=at.pbx.new_id(), cseq=1, headers=headers
            )
            assert (await at.pbx.exchange(message)).status == 200
        row = instance.await_row("SELECT profile_id, contact FROM store_registration")
        assert row == (instance.cast.alpha.profile_id, at.pbx.contact)
        at.assert_victim_heard_nothing()
        await at.pbx.unregister()


@scenario
async def test_hang_up_still_works_as_ever(instance: WholeInstance) -> None:
    async with scene(instance) as at:
        assert await hang_up(instance, await connect(instance, at.pbx, at.carrier)) == ("answered", 30_000)
