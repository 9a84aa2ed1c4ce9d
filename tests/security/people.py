"""Who takes part: two subscribers, a PBX known by its address, the carrier, and strangers; and a proper call between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.security.company import CARRIER_ADDRESS, FIXED_ADDRESS, Subscriber
from tests.security.instance import WholeInstance
from tests.siptest import Call, UserAgent

ALPHA_ADDRESS, BETA_ADDRESS, STRANGER_ADDRESS = "127.0.0.10", "127.0.0.11", "127.0.0.66"
LANDLINE = "+442079460100"


def agent(instance: WholeInstance, **details: Any) -> UserAgent:
    return UserAgent(**({"server": instance.server, "domain": instance.domain} | details))


def pbx(instance: WholeInstance, who: Subscriber, **details: Any) -> UserAgent:
    return agent(instance, **({"user": who.user, "password": who.password} | details))


def alpha(instance: WholeInstance, **details: Any) -> UserAgent:
    return pbx(instance, instance.cast.alpha, **({"name": "alpha", "host": ALPHA_ADDRESS} | details))


def beta(instance: WholeInstance, **details: Any) -> UserAgent:
    return pbx(instance, instance.cast.beta, **({"name": "beta", "host": BETA_ADDRESS} | details))


def fixed(instance: WholeInstance, **details: Any) -> UserAgent:
    """The PBX that is known by its address: it has no password to give."""
    plain = {"user": "anybody", "host": FIXED_ADDRESS, "port": instance.cast.fixed.port, "name": "fixed"}
    return agent(instance, **(plain | details))


def carrier(instance: WholeInstance, **details: Any) -> UserAgent:
    plain = {"user": "gateway", "host": CARRIER_ADDRESS, "port": instance.carrier_port, "name": "carrier"}
    return agent(instance, **(plain | details))


def stranger(instance: WholeInstance, **details: Any) -> UserAgent:
    return agent(instance, **({"user": "stranger", "host": STRANGER_ADDRESS, "name": "stranger"} | details))


@dataclass
class Connected:
    """A call that is up, from both ends; `ref` is its reference in the store."""

    caller: Call
    callee: Call
    ref: int


async def connect(instance: WholeInstance, caller: UserAgent, callee: UserAgent, to: str = LANDLINE, **details: Any) -> Connected:
    """`caller` calls, `callee` answers."""
    call = await caller.invite(to, **details)
    answered = caller.spawn(call.answered())
    incoming = await callee.incoming()
    await incoming.answer()
    await answered
    (ref,) = instance.await_row("SELECT call_ref FROM store_livecall WHERE state = 'answered' AND facts LIKE ?", f'%"{call.call_id}"%')
    return Connected(call, incoming, ref)


async def hang_up(instance: WholeInstance, call: Connected) -> tuple[Any, ...]:
    """The caller says BYE; the record's result and cost."""
    assert (await call.caller.bye()).status == 200
    await call.callee.ended()
    return instance.await_row("SELECT result, cost_micros FROM store_callrecord WHERE call_ref = ?", call.ref)


@asynccontextmanager
async def everybody(*agents: UserAgent) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for each in agents:
            await stack.enter_async_context(each)
        yield


async def a_call_works(instance: WholeInstance) -> None:
    """A subscriber calls a landline, talks, hangs up, and has paid for a minute and the connection fee."""
    caller, callee = alpha(instance), carrier(instance)
    async with everybody(caller, callee):
        assert await hang_up(instance, await connect(instance, caller, callee)) == ("answered", 30_000)
