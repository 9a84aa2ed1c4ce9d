"""Credit for exactly two increments: the call ends where they end, whatever happens in between, and both sides are told why (SPEC R6.3)."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.faults.company import RATES, Company, Pbx
from tests.faults.evidence import records_of
from tests.faults.load import DESCRIPTION
from tests.siptest import Call, UserAgent
from trunkline.store.models import CallRecord

pytestmark = pytest.mark.engines

PRECISION_SECONDS = 0.5
LONGEST_SILENCE_SECONDS = 1.0
REINVITE_EVERY_SECONDS = 1.5
FAULTS = [
    pytest.param((), id="nothing", marks=pytest.mark.slow),
    pytest.param(("callcontrol", "kamailio"), id="both"),
    pytest.param(("callcontrol",), id="callcontrol", marks=pytest.mark.slow),
    pytest.param(("kamailio",), id="kamailio", marks=pytest.mark.slow),
]


@dataclass
class Bounded:
    """A call with Credit for two increments, seen from both its ends."""

    number: str
    pbx: Pbx
    seconds: int
    caller: Call
    callee: Call
    answered_at: float

    @property
    def left_seconds(self) -> float:
        return self.answered_at + self.seconds - time.monotonic()

    async def talk(self, *, reinvites: bool) -> None:
        """Until the cut. re-INVITEs come from both sides in turn; none may set the clock back."""
        for side in itertools.cycle((self.caller, self.callee)):
            if not reinvites or self.left_seconds < 2 * REINVITE_EVERY_SECONDS:
                break
            await asyncio.sleep(REINVITE_EVERY_SECONDS)
            assert (await side.reinvite(None if side.media else DESCRIPTION)).status == 200
        to_caller, to_callee = await self.cut()
        print(
            f"{self.number}: BYE to the caller {to_caller * 1000:+.0f} ms, to the callee {to_callee * 1000:+.0f} ms from the end of what was paid"
        )
        assert max(abs(to_caller), abs(to_callee)) < PRECISION_SECONDS

    async def cut(self) -> tuple[float, float]:
        """Waits for both BYEs; how late each came, in seconds."""
        for side in (self.caller, self.callee):
            bye = await side.ended(within=self.left_seconds + 5)
            assert bye.get("reason") == 'SIP;cause=402;text="Credit exhausted"', bye
            assert (bye.to_tag, bye.from_tag) == (side.local_tag, side.remote_tag)
        end = self.answered_at + self.seconds
        return self.caller.bye_at - end, self.callee.bye_at - end

    def check(self) -> None:
        record = self.record()
        assert record.answered_us is not None
        assert (record.result, record.ended_by, record.billed_seconds) == ("answered", "edge", self.seconds)
        assert record.ended_us - record.answered_us == self.seconds * 1_000_000, "not longer than was paid"
        assert self.pbx.credit_micros == 0
        for media in filter(None, (self.caller.media, self.callee.media)):
            moments = [self.answered_at, *(packet.at for packet in media.received), self.answered_at + self.seconds]
            assert max(later - earlier for earlier, later in itertools.pairwise(moments)) < LONGEST_SILENCE_SECONDS

    def record(self) -> CallRecord:
        (record,) = records_of([self.number])[self.number]
        return record


async def begin(company: Company, prefix: str, media: str, agents: AsyncExitStack, carrier: UserAgent) -> Bounded:
    """`direct`: signalling only. `relay`: both sides talk all the time, through RTPengine."""
    per_minute, fee, seconds = RATES[prefix]
    pbx = company.pbx(credit_micros=fee + 2 * per_minute * seconds // 60, channels=1, media=media)
    return await connect(company, company.callee(prefix), pbx, seconds=2 * seconds, media=media, agents=agents, carrier=carrier)


async def connect(
    company: Company, number: str, pbx: Pbx, *, seconds: int, media: str, agents: AsyncExitStack, carrier: UserAgent
) -> Bounded:  # fmt: skip
    """A call that can be paid for so many seconds."""
    agent = await agents.enter_async_context(pbx.agent(company.instance))
    body = DESCRIPTION if media == "direct" else None
    caller = await agent.invite(number, body=body)
    answering = agent.spawn(caller.answered())
    callee = await carrier.incoming()
    await callee.answer(body=body)
    await answering
    for side in (caller, callee):
        if side.media:
            side.agent.spawn(side.media.play(seconds))
    return Bounded(number, pbx, seconds, caller, callee, time.monotonic())


def talk_to_the_end(company: Company, prefix: str, faults: tuple[str, ...], kill_after_seconds: float) -> None:
    """Four calls at once: with and without media, with and without re-INVITEs."""

    async def scenario() -> list[Bounded]:
        async with AsyncExitStack() as agents:
            carrier = await agents.enter_async_context(company.carrier())
            calls = [await begin(company, prefix, media, agents, carrier) for media in ("direct", "relay", "direct", "relay")]
            talks = [asyncio.create_task(call.talk(reinvites=place < 2)) for place, call in enumerate(calls)]
            await asyncio.sleep(kill_after_seconds)
            if faults:
                await asyncio.to_thread(company.instance.killed_and_back, *faults)
            await asyncio.gather(*talks)
            return calls

    calls = asyncio.run(scenario())
    company.instance.await_empty(5)
    for call in calls:
        call.check()


@pytest.mark.parametrize("faults", FAULTS)
def test_two_increments_of_five_seconds(company: Company, faults: tuple[str, ...]) -> None:
    talk_to_the_end(company, "33", faults, kill_after_seconds=3.5)


@pytest.mark.slow
def test_two_minutes(company: Company) -> None:
    talk_to_the_end(company, "39", ("callcontrol", "kamailio"), kill_after_seconds=50)


@pytest.mark.slow
def test_call_control_is_frozen_over_the_end(company: Company) -> None:
    """Cut as soon as it is back; the record says how long the call was, and what nobody paid for."""

    async def scenario() -> tuple[Bounded, float]:
        async with AsyncExitStack() as agents:
            call = await begin(company, "33", "direct", agents, await agents.enter_async_context(company.carrier()))
            await asyncio.sleep(call.left_seconds - 1)
            with company.instance.frozen("callcontrol"):
                await asyncio.sleep(call.left_seconds + 2)
            return call, max(await call.cut())

    call, late = asyncio.run(scenario())
    assert 2 < late < 2 + PRECISION_SECONDS
    company.instance.await_empty(5)
    record = call.record()
    assert record.answered_us is not None
    talked_seconds = (record.ended_us - record.answered_us) / 1e6
    assert call.seconds + 2 < talked_seconds < call.seconds + 2 + PRECISION_SECONDS
    assert json.loads(record.trace)["sip"]["unpaid_us"] / 1e6 == pytest.approx(talked_seconds - call.seconds)
    assert (record.billed_seconds, call.pbx.credit_micros) == (call.seconds, 0)


@pytest.mark.slow
def test_a_call_id_that_is_used_again(company: Company) -> None:
    """Who pays little can't have another call ended in its place: a Call-ID is the PBX's to choose."""
    rich, poor = company.pbx(channels=2), company.pbx(credit_micros=100_000, channels=1)

    async def scenario() -> None:
        async with rich.agent(company.instance) as one, poor.agent(company.instance) as other, company.carrier() as carrier:
            before, cheap, after = [await answered(company, agent, carrier) for agent in (one, other, one)]
            for side in cheap:
                assert (await side.ended(within=12)).get("reason").startswith("SIP;cause=402")
            for caller, callee in (before, after):
                assert not caller.bye_at
                assert not callee.bye_at
                assert (await caller.bye()).status == 200
                await callee.ended()

    asyncio.run(scenario())


async def answered(company: Company, agent: UserAgent, carrier: UserAgent) -> tuple[Call, Call]:
    """Both ends of a call with the Call-ID that all of them have."""
    caller = await agent.invite(company.callee("33"), body=DESCRIPTION, call_id="always-the-same")
    answering = agent.spawn(caller.answered())
    callee = await carrier.incoming()
    await callee.answer(body=DESCRIPTION)
    await answering
    return caller, callee
