"""Calls at a steady rate, and what each side saw of every one of them: the evidence against which the records are held.

A number is called only once, so it names its call on both sides, whatever the topology hiding does to Call-IDs. All moments are microseconds
since the epoch, on the one clock of this machine.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from tests.siptest import Call, Message, UnmetError, UserAgent, describe

PREFIXES = ("4420794", "49302345")
"""A whole minute for three cents, and seconds for a cent each."""
LONGEST_SECONDS = 40.0
"""How long either side waits for the other: longer than SIP's own time-outs (64*T1)."""
DESCRIPTION = describe("127.0.0.1", 9, ("PCMA",))


def now_us() -> int:
    return time.time_ns() // 1000


@dataclass
class Seen:
    """One call. `status` 0: the caller never got a final answer, and gave up. Moments are 0 until they come; `ended_us` and `reason` when the
    caller was told by a BYE that it is over."""

    number: str
    sip_user: str
    invited_us: int
    status: int = 0
    status_us: int = 0
    bye_us: int = 0
    bye_done_us: int = 0
    bye_status: int = 0
    ended_us: int = 0
    reason: str = ""
    taken_us: int = 0
    confirmed_us: int = 0
    callee_ended: bool = False

    @property
    def was_answered(self) -> bool:
        """The carrier answered, and knows that the caller heard of it."""
        return self.confirmed_us > 0

    def saw_bye(self, bye: Message) -> None:
        self.ended_us, self.reason = now_us(), bye.get("reason")


class Load:
    """`call` makes one call, `run` many; `carrier` answers them all. `seen` has them by number."""

    def __init__(self, carrier: UserAgent, seed: int = 1) -> None:
        self.seen: dict[str, Seen] = {}
        self._chance = random.Random(seed)
        self._numbers: Iterator[int] = count(10_000 + random.SystemRandom().randrange(80_000))
        carrier.on_invite = self._take

    async def run(
        self, pbxs: Sequence[UserAgent], *, per_second: float = 50.0, seconds: float = 30.0, talk: tuple[float, float] = (2.0, 4.0)
    ) -> None:
        """Returns when the last call has ended."""
        started, calls = time.monotonic(), []
        async with asyncio.timeout(seconds + talk[1] + 3 * LONGEST_SECONDS):
            for place in range(round(per_second * seconds)):
                await asyncio.sleep(max(0.0, started + place / per_second - time.monotonic()))
                calls.append(asyncio.create_task(self.call(pbxs[place % len(pbxs)], self._chance.uniform(*talk))))
            await asyncio.gather(*calls)

    async def call(self, pbx: UserAgent, talk_seconds: float) -> Seen:
        """The whole life of a call that lasts so long, unless somebody else ends it."""
        number = f"+{self._chance.choice(PREFIXES)}{next(self._numbers)}"
        seen = self.seen[number] = Seen(number, pbx.user, now_us())
        call = await pbx.invite(number, body=DESCRIPTION)
        try:
            answer = await call.final(within=LONGEST_SECONDS)
        except UnmetError:
            await self._give_up(call)
            return seen
        seen.status, seen.status_us = answer.status, now_us()
        if answer.status == 200:
            await call.ack()
            await self._talk(call, seen, talk_seconds)
        return seen

    @staticmethod
    async def _talk(call: Call, seen: Seen, seconds: float) -> None:
        try:
            seen.saw_bye(await call.ended(within=seconds))
        except UnmetError:
            seen.bye_us = now_us()
            try:
                seen.bye_status = (await call.bye(within=LONGEST_SECONDS)).status
                seen.bye_done_us = now_us()
            except UnmetError:
                return

    @staticmethod
    async def _give_up(call: Call) -> None:
        """Somebody lost patience. Whatever comes now comes too late."""
        try:
            await call.cancel(within=LONGEST_SECONDS)
        except UnmetError:
            return

    async def _take(self, call: Call) -> None:
        seen = self.seen[f"+{call.called.lstrip('+')}"]
        await call.ring()
        await asyncio.sleep(0.05)
        if call.cancelled:
            return
        seen.taken_us = now_us()
        try:
            await call.answer(body=DESCRIPTION, within=LONGEST_SECONDS)
        except UnmetError:  # nobody is there: it hangs up (RFC 3261 section 13.3.1.4)
            await self._hang_up(call)
            return
        seen.confirmed_us = now_us()
        try:
            await call.ended(within=10 * LONGEST_SECONDS)
            seen.callee_ended = True
        except UnmetError:
            return

    @staticmethod
    async def _hang_up(call: Call) -> None:
        try:
            await call.bye(within=LONGEST_SECONDS)
        except UnmetError:
            return


def by_status(calls: Iterable[Seen]) -> dict[int, int]:
    """How many calls got which final answer."""
    return dict(sorted(Counter(call.status for call in calls).items()))
