"""REGISTER at the edge (R2.6, R2.3): digest, NAT, what is granted, what is reported."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.sip.edge_instance import PASSWORD, PROFILE, USER, EdgeInstance, pbx
from tests.siptest import Message, UserAgent, scenario, untrusting

pytestmark = pytest.mark.engines


async def register(agent: UserAgent, contact: str | None, expires: int | None = 600, **headers: str) -> Message:
    """A REGISTER with exactly this Contact header."""
    given = [("Contact", contact)] if contact is not None else []
    given += [("Expires", str(expires))] if expires is not None else []
    given += list(headers.items())
    request = agent.build(
        "REGISTER",
        f"sip:{agent.domain}",
        to=f"<sip:{USER}@{agent.domain}>",
        from_=f"<sip:{USER}@{agent.domain}>;tag={agent.new_id()}",
        call_id=agent.new_id(),
        cseq=1,
        headers=given,
    )
    proven = await prove(agent, request)
    via = headers.get("Via")
    proven.headers = [(name, via if via and name == "Via" else value) for name, value in proven.headers]
    return await (await agent.transact(proven)).final()


async def prove(agent: UserAgent, request: Message) -> Message:
    """The request with the answer to the challenge that it meets; not sent yet."""
    refusal = await (await agent.transact(request)).final()
    answer = agent.credentials_answer(request, refusal)
    assert answer
    return answer


def granted(response: Message) -> int:
    return int(response.get("contact").partition(";expires=")[2])


@scenario
async def test_a_directly_connected_pbx_gets_what_it_asks_for(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        response = await register(agent, f"<{agent.contact};line=7>", 600)
        assert response.status == 200
        assert granted(response) == 600
        assert response.get("date").endswith(" GMT")
        event = edge.callcontrol.wait_for("reg", exp=600)
        assert (event["p"], event["nat"], event["old"]) == (PROFILE, 0, 0)
        assert event["contact"] == f"{agent.contact};line=7"
        assert event["src"] == f"udp:{agent.wire.local}"
        assert event["sock"] == "udp:{}:{}".format(*edge.server)
        assert event["ua"] == "siptest"


@pytest.mark.parametrize(("asked", "got"), [(None, 3600), (7200, 3600), (3600, 3600), (45, 45), (4_000_000_000, 3600)])
@scenario
async def test_longest_and_default(edge: EdgeInstance, asked: int | None, got: int) -> None:
    async with pbx(edge) as agent:
        assert granted(await register(agent, f"<{agent.contact}>", asked)) == got


@scenario
async def test_too_short(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        response = await register(agent, f"<{agent.contact}>", 44)
        assert response.status == 423
        assert response.get("min-expires") == "45"


@pytest.mark.parametrize("contact", ["sip:{user}@192.168.1.10:5060", "sip:{user}@127.0.0.1:9", "sip:{user}@pbx.example.com"])
@scenario
async def test_behind_nat_45_seconds(edge: EdgeInstance, contact: str) -> None:
    async with pbx(edge, host="127.0.0.7") as agent:
        via = [("Via", f"SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bK{agent.new_id()}")] if "example" in contact else []
        response = await register(agent, f"<{contact.format(user=USER)}>", 3600, **dict(via))
        assert granted(response) == 45
        assert edge.callcontrol.wait_for("reg", exp=45)["nat"] == 1
        assert edge.callcontrol.events("reg")[-1]["src"] == f"udp:{agent.wire.local}"


@scenario
async def test_the_contact_parameter_counts_before_the_header(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        assert granted(await register(agent, f"<{agent.contact}>;expires=90", 600)) == 90


@scenario
async def test_of_several_contacts_the_preferred_one(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        me = agent.contact
        for header in (
            f"<{me};a=1>;q=0.3, <{me};a=2>;q=0.7",
            f'"Smith, \\"J\\"" <{me};a=2>, <{me};a=1>',
            f"<{me};a=1>;expires=0, <{me};a=2>;expires=300",
        ):
            response = await register(agent, header)
            assert response.status == 200
            assert edge.callcontrol.events("reg")[-1]["contact"] == f"{me};a=2"


@pytest.mark.parametrize(("contact", "expires"), [("<{me}>;expires=0", None), ("*", 0), ("<{me}>", 0)])
@scenario
async def test_removal(edge: EdgeInstance, contact: str, expires: int | None) -> None:
    async with pbx(edge) as agent:
        response = await register(agent, contact.format(me=agent.contact), expires)
        assert response.status == 200
        assert response.get("contact") == ""
        assert edge.callcontrol.events("reg")[-1]["exp"] == 0


@scenario
async def test_star_without_expires_0(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        assert (await register(agent, "*", 60)).status == 400


@scenario
async def test_what_is_registered(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        edge.callcontrol.bindings[PROFILE] = ("sip:there@192.0.2.1:5060", time.time_ns() // 1000 + 100_500_000)
        response = await register(agent, None, None)
        assert response.status == 200
        assert response.get("contact") == "<sip:there@192.0.2.1:5060>;expires=100"
        edge.callcontrol.bindings.clear()
        assert (await register(agent, None, None)).get("contact") == ""


@scenario
async def test_the_answer_is_cached(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        await register(agent, f"<{agent.contact}>")
        asked = len(edge.callcontrol.asked("who"))
        await register(agent, f"<{agent.contact}>")
        assert len(edge.callcontrol.asked("who")) == asked
        edge.rpc.forget(f"user:{USER}")
        assert (await register(agent, f"<{agent.contact}>")).status == 200
        assert len(edge.callcontrol.asked("who")) == asked + 1


@scenario
async def test_two_passwords_at_once(edge: EdgeInstance) -> None:
    user = "22345678901234"
    soon = time.time_ns() // 1000 + 3_600_000_000
    edge.callcontrol.add_user(user, 8, "new", "old", old_until_us=soon)
    for password, old in (("new", 0), ("old", 1)):
        async with pbx(edge, user=user, password=password) as agent:
            assert (await agent.register()).status == 200
            assert edge.callcontrol.wait_for("reg", p=8, old=old)


@scenario
async def test_the_old_password_stops(edge: EdgeInstance) -> None:
    user = "32345678901234"
    edge.callcontrol.add_user(user, 9, "new", "old", old_until_us=time.time_ns() // 1000 - 1)
    async with pbx(edge, user=user, password="old") as agent:
        assert (await agent.register()).status == 401


@scenario
async def test_an_unknown_user_looks_like_a_wrong_password(edge: EdgeInstance) -> None:
    async with pbx(edge, user="99999999999999", host="127.0.0.8") as agent:
        for _ in range(4):  # reported once a second at most
            assert (await agent.register()).status == 401
            await asyncio.sleep(0.4)
        assert edge.callcontrol.wait_for("auth", user="99999999999999")["why"] == "unknown user"


@scenario
async def test_guessing_is_stopped(edge: EdgeInstance) -> None:
    """From that address and for that user only."""
    async with pbx(edge, password="guess", host="127.0.0.9") as guesser, pbx(edge) as owner:
        statuses = [(await guesser.register()).status for _ in range(6)]
        assert statuses[:4] == [401] * 4
        assert statuses[-1] == 403
        guesser.password = PASSWORD
        assert (await guesser.register()).status == 403, "not even with the right one, for now"
        assert (await owner.register()).status == 200


@scenario
async def test_somebody_elses_address_of_record(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        request = agent.build(
            "REGISTER", f"sip:{edge.domain}", to=f"<sip:22345678901234@{edge.domain}>", call_id=agent.new_id(), cseq=1,
            headers=[("Contact", f"<{agent.contact}>")],
        )  # fmt: skip
        again = await prove(agent, request)
        assert (await agent.exchange(again)).status == 403


@scenario
async def test_credentials_are_not_taken_twice(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        request = agent.build(
            "REGISTER", f"sip:{edge.domain}", to=f"<sip:{USER}@{edge.domain}>", call_id=agent.new_id(), cseq=1,
            headers=[("Contact", f"<{agent.contact}>")],
        )  # fmt: skip
        again = await prove(agent, request)
        assert (await agent.exchange(again)).status == 200
        replay = Message(again.start, [(name, agent.via() if name == "Via" else value) for name, value in again.headers], again.body)
        response = await (await agent.transact(replay)).final()
        assert response.status == 401
        assert "stale=true" in response.get("www-authenticate").lower()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@scenario
async def test_over_streams(edge: EdgeInstance, transport: str) -> None:
    tls = {"server": edge.tls_server, "client_tls": untrusting()} if transport == "tls" else {}
    async with pbx(edge, transport=transport, **tls) as agent:
        response = await agent.register()
        assert response.status == 200
        event = edge.callcontrol.events("reg")[-1]
        assert event["src"].startswith(f"{transport}:127.0.0.1:")
        assert event["nat"] == 0


def test_nothing_was_complained_about(edge: EdgeInstance) -> None:
    assert edge.complaints() == []
