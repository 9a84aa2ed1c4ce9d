"""One channel left, an outgoing and an incoming call at the same moment: exactly one gets it (SPEC R3.8)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import pytest

from tests.faults.company import Company, Pbx
from tests.faults.load import DESCRIPTION
from tests.siptest import Call, Message, UserAgent
from trunkline.store.models import ChannelUse

pytestmark = pytest.mark.engines

FREE_SECONDS = 3.0
KNOWN_SECONDS = 2.0
LARGEST_LEAD_SECONDS = 0.003
"""How much earlier one of the two may be sent: chance decides who is first."""
FAIR_SHARE = 0.1
"""Each side wins at least so many of the tries: else it would not be a fight."""


class Fight:
    """Whoever gets through rings until the other one has its refusal, and is declined then."""

    def __init__(self, company: Company, profile: Pbx, pbx: UserAgent, carrier: UserAgent) -> None:
        self.company, self.profile, self.pbx, self.carrier = company, profile, pbx, carrier
        self.chance = random.Random(27)
        self.reached: list[Call] = []
        self.is_decided = asyncio.Event()
        pbx.on_invite = carrier.on_invite = self._ring

    async def _ring(self, call: Call) -> None:
        self.reached.append(call)
        await call.ring()
        await self.is_decided.wait()
        await call.reject(603)

    async def once(self) -> str:
        """Who won."""
        self.reached.clear()
        self.is_decided.clear()
        sides = {"outgoing": (self.pbx, "+33199009999"), "incoming": (self.carrier, f"+{self.profile.number}")}
        finals: dict[str, Message] = {}

        async def try_it(side: str) -> None:
            agent, number = sides[side]
            call = await agent.invite(number, body=DESCRIPTION)
            finals[side] = await call.final()
            self.is_decided.set()

        first, second = self.chance.sample(list(sides), 2)
        attempt = asyncio.create_task(try_it(first))
        await asyncio.sleep(self.chance.choice((0.0, self.chance.uniform(0, LARGEST_LEAD_SECONDS))))
        await asyncio.gather(attempt, try_it(second))
        return self._judge(finals)

    def _judge(self, finals: dict[str, Message]) -> str:
        statuses = {side: final.status for side, final in finals.items()}
        (winner,) = [side for side, status in statuses.items() if status == 603]
        assert len(self.reached) == 1, statuses
        refusal = finals["incoming" if winner == "outgoing" else "outgoing"]
        assert refusal.status == (486 if winner == "outgoing" else 403), statuses
        assert refusal.get("reason").startswith("Q.850;cause=34" if winner == "incoming" else "Q.850;cause=17"), refusal.headers
        return winner

    async def number_is_known(self) -> None:
        """Call control hears of new numbers a few times a second."""
        self.is_decided.set()
        deadline = time.monotonic() + KNOWN_SECONDS
        while (await (await self.carrier.invite(f"+{self.profile.number}", body=DESCRIPTION)).final()).status != 603:
            assert time.monotonic() < deadline
        await self.channel_is_free()

    async def channel_is_free(self) -> None:
        deadline = time.monotonic() + FREE_SECONDS
        while ChannelUse.objects.get(profile_id=self.profile.profile_id).in_use:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("tries", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_last_channel(company: Company, tries: int) -> None:
    port = company.instance.ports.take()
    profile = company.pbx(channels=1, port=port)

    async def scenario() -> Counter[str]:
        async with profile.agent(company.instance, port) as pbx, company.carrier() as carrier:
            fight, winners = Fight(company, profile, pbx, carrier), Counter[str]()
            await fight.number_is_known()
            for _ in range(tries):
                winners[await fight.once()] += 1
                await fight.channel_is_free()
            return winners

    winners = asyncio.run(scenario())
    print(f"{tries} tries: {dict(winners)}")
    assert min(winners["outgoing"], winners["incoming"]) >= FAIR_SHARE * tries
