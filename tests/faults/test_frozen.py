"""Call control stands still for five seconds: whoever needs no decision notices nothing, new calls are refused at once (DESIGN D3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from tests.faults.company import Company
from tests.faults.evidence import check
from tests.faults.load import DESCRIPTION, Load, by_status
from tests.siptest import Call, UserAgent

pytestmark = [pytest.mark.engines, pytest.mark.slow]

FROZEN_SECONDS = 5.0
EVERY_SECONDS = 0.05
AT_ONCE_SECONDS = 0.1
FIRST_TIME_OUT_SECONDS = 2.0
"""Until then questions that were asked before anybody knew wait for their answer; after it, one at a time tries again."""
SERVES_AGAIN_SECONDS = 5.0


@dataclass
class Answers:
    """When each request was sent, its final status, and how long that took."""

    name: str
    seen: list[tuple[float, int, float]] = field(default_factory=list)

    async def ask_until(self, end: float, ask: Callable[[], Awaitable[int]]) -> None:
        """One after the other."""
        while time.monotonic() < end:
            await asyncio.gather(asyncio.sleep(EVERY_SECONDS), self._once(ask))

    async def ask_all_until(self, end: float, ask: Callable[[], Awaitable[int]]) -> None:
        """Without waiting for the one before."""
        asked = []
        while time.monotonic() < end:
            asked.append(asyncio.create_task(self._once(ask)))
            await asyncio.sleep(EVERY_SECONDS)
        await asyncio.gather(*asked)

    async def _once(self, ask: Callable[[], Awaitable[int]]) -> None:
        started = time.monotonic()
        status = await ask()
        self.seen.append((started, status, time.monotonic() - started))

    def report(self) -> None:
        times = sorted(took for _, _, took in self.seen)
        print(f"{self.name}: {len(times)}, median {times[len(times) // 2] * 1000:.1f} ms, worst {times[-1] * 1000:.1f} ms")

    def are_at_once(self, status: int) -> None:
        """All but one in a hundred: this machine may be busy with something else."""
        self.report()
        assert {each for _, each, _ in self.seen} == {status}
        assert sorted(took for _, _, took in self.seen)[-1 - len(self.seen) // 100] < AT_ONCE_SECONDS


async def registers(pbx: UserAgent) -> int:
    return (await pbx.register()).status


async def reinvites(call: Call) -> int:
    return (await call.reinvite(DESCRIPTION)).status


async def asks(call: Call) -> int:
    return (await call.request("OPTIONS")).status


async def calls(company: Company, pbx: UserAgent) -> int:
    return (await (await pbx.invite(company.callee("44"), body=DESCRIPTION)).final()).status


def test_frozen_and_thawed(company: Company) -> None:
    instance, direct, relayed = company.instance, company.pbx(), company.pbx(media="relay")
    registered, inside, offered, refused = Answers("REGISTER"), Answers("OPTIONS in a call"), Answers("re-INVITE"), Answers("new INVITE")

    async def scenario() -> Load:
        async with direct.agent(instance) as one, relayed.agent(instance) as other, company.carrier() as carrier:
            up = [await connected(company, pbx, carrier) for pbx in (one, other)]
            assert await registers(one) == 200
            load = Load(carrier)
            running = asyncio.create_task(load.run([one, other], per_second=10, seconds=FROZEN_SECONDS + 4, talk=(1.0, 3.0)))
            await asyncio.sleep(2)
            with instance.frozen("callcontrol"):
                end = time.monotonic() + FROZEN_SECONDS
                await asyncio.gather(
                    registered.ask_until(end, lambda: registers(one)),
                    inside.ask_until(end, lambda: asks(up[0])),
                    offered.ask_until(end, lambda: reinvites(up[1])),
                    refused.ask_all_until(end - FIRST_TIME_OUT_SECONDS, lambda: calls(company, one)),
                )
            await running
            async with asyncio.timeout(SERVES_AGAIN_SECONDS):
                while (await load.call(one, 0.1)).status != 200:
                    await asyncio.sleep(0.1)
            for call in up:
                assert (await call.bye()).status == 200
            return load

    load = asyncio.run(scenario())
    for answers in (registered, inside, offered):
        answers.are_at_once(200)
    refused.report()
    slow = [took for started, _, took in refused.seen if took > AT_ONCE_SECONDS and started > refused.seen[0][0] + FIRST_TIME_OUT_SECONDS]
    assert {status for _, status, _ in refused.seen} == {503}
    assert max(took for _, _, took in refused.seen) < FIRST_TIME_OUT_SECONDS
    assert len(slow) <= 2, "one at a time tries whether it is back"
    print(f"beside them: {by_status(load.seen.values())}")
    instance.await_empty()
    check(load.seen.values())


async def connected(company: Company, pbx: UserAgent, carrier: UserAgent) -> Call:
    caller = await pbx.invite(company.callee("44"), body=DESCRIPTION)
    answering = pbx.spawn(caller.answered())
    await (await carrier.incoming()).answer(body=DESCRIPTION)
    await answering
    return caller
