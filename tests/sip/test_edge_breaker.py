"""Call control frozen or gone: the edge goes on with all that needs no decision, and refuses new calls at once (DESIGN D3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.sip.edge_instance import EdgeInstance, carrier, connect, introduce, pbx
from tests.sip.fake_callcontrol import allowed, refused, route
from tests.siptest import Message, UserAgent, scenario

pytestmark = pytest.mark.engines

AT_ONCE_SECONDS = 0.1


@pytest.fixture
def edge() -> Iterator[EdgeInstance]:
    with EdgeInstance() as instance:
        introduce(instance)
        yield instance


async def refusal(agent: UserAgent) -> tuple[Message, float]:
    """A new call's final answer, and how long it took."""
    started = time.monotonic()
    call = await agent.invite("33123456789")
    response = await call.final(within=4)
    return response, time.monotonic() - started


async def warm(edge: EdgeInstance, agent: UserAgent) -> None:
    """The edge knows this PBX and its address."""
    assert (await agent.register()).status == 200
    edge.callcontrol.admit = lambda question: refused(404, "Not Found")
    assert (await (await agent.invite("1")).final()).status == 404


@scenario
async def test_frozen(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent, pbx(edge) as other, carrier(edge) as callee:
        await warm(edge, agent)
        await warm(edge, other)
        up = await connect(edge, other, callee)
        edge.callcontrol.freeze()
        waiting = [agent.spawn(refusal(agent)) for _ in range(40)]
        await asyncio.sleep(0.3)
        for _ in range(20):
            started = time.monotonic()
            assert (await agent.register()).status == 200
            assert (await up.caller.request("OPTIONS")).status == 200
            assert time.monotonic() - started < AT_ONCE_SECONDS
        for first, seconds in [await task for task in waiting]:
            assert (first.status, first.get("retry-after")) == (503, "5")
            assert seconds < 2.0
        for _ in range(10):
            later, seconds = await refusal(agent)
            assert later.status == 503
            assert seconds < AT_ONCE_SECONDS
        assert (await up.caller.bye()).status == 200
        edge.callcontrol.thaw()
        await until_it_asks_again(edge, agent)
        given_up = edge.callcontrol.events("fail")
        assert {event["by"] for event in given_up} == {"edge"}
        assert all(event.get("key") or event.get("c") for event in given_up)


@scenario
async def test_one_answer_that_never_comes_stops_nobody_else(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        await warm(edge, agent)
        edge.callcontrol.admit = lambda question: refused(486, "Busy Here")
        edge.callcontrol.mute = lambda question: question.get("ruri") == "lost"
        lost = await agent.invite("lost")
        unanswered = agent.spawn(lost.final(503, within=4))
        while not unanswered.done():
            response, seconds = await refusal(agent)
            assert response.status == 486
            assert seconds < AT_ONCE_SECONDS * 3
            await asyncio.sleep(0.05)
        for _ in range(5):
            assert (await refusal(agent))[0].status == 486


@scenario
async def test_gone_and_back(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        await warm(edge, agent)
        edge.callcontrol.kill()
        for _ in range(5):
            response, seconds = await refusal(agent)
            assert (response.status, response.get("retry-after")) == (503, "5")
            assert seconds < AT_ONCE_SECONDS
        assert (await agent.register()).status == 200
        edge.callcontrol.restart()
        await until_it_asks_again(edge, agent)


@scenario
async def test_an_unknown_pbx_cannot_register_meanwhile(edge: EdgeInstance) -> None:
    """And it is told so, instead of taking it for a wrong password."""
    async with pbx(edge) as agent:
        edge.callcontrol.kill()
        assert (await agent.register()).status == 503
        edge.callcontrol.restart()
        deadline = time.monotonic() + 5
        while (await agent.register()).status != 200:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


@scenario
async def test_one_at_a_time_tries_whether_it_is_back(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        await warm(edge, agent)
        edge.callcontrol.freeze()
        assert (await refusal(agent))[0].status == 503
        await asyncio.sleep(1.1)  # the breaker's pause
        outcomes = await asyncio.gather(*(refusal(agent) for _ in range(8)))
        slow = [seconds for _, seconds in outcomes if seconds > AT_ONCE_SECONDS]
        assert [response.status for response, _ in outcomes] == [503] * 8
        assert len(slow) == 1
        edge.callcontrol.thaw()


@scenario
async def test_more_questions_than_the_kernel_queues(edge: EdgeInstance) -> None:
    """A datagram socket holds ten; a burst while call control commits must not become refusals."""
    async with pbx(edge) as agent:
        await warm(edge, agent)
        edge.callcontrol.admit = lambda question: refused(486, "Busy Here")
        edge.callcontrol.freeze()
        calls = [agent.spawn(refusal(agent)) for _ in range(60)]
        await asyncio.sleep(0.5)
        edge.callcontrol.thaw()
        assert {(await task)[0].status for task in calls} == {486}


async def until_it_asks_again(edge: EdgeInstance, agent: UserAgent) -> None:
    edge.callcontrol.admit = lambda question: refused(486, "Busy Here")
    deadline = time.monotonic() + 5
    while (await refusal(agent))[0].status != 486:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


@scenario
async def test_an_answer_that_nobody_waits_for_releases_its_call(edge: EdgeInstance) -> None:
    async with pbx(edge) as agent:
        await warm(edge, agent)
        verdict = allowed(route("sip:1@127.0.0.2:9"))
        edge.callcontrol.admit = lambda question: verdict
        edge.callcontrol.freeze()
        assert (await refusal(agent))[0].status == 503
        edge.callcontrol.thaw()
        assert edge.callcontrol.wait_for("fail", c=verdict["call"])
