"""kill -9 of every process, in turn and all at once, under load: nothing is lost, nothing is paid twice, nothing is held for ever (issue 2)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.faults.company import Company
from tests.faults.evidence import check
from tests.faults.instance import READY_SECONDS, Instance
from tests.faults.load import Load, Seen, by_status, now_us

pytestmark = pytest.mark.engines

PROCESSES = ["callcontrol", "kamailio", "rtpengine", "web"]
CALM_SECONDS = 3.0
"""After this a process that is back serves as before: Kamailio asks a RTPengine that was away again after two seconds."""
CALL_CONTROLS_SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%FROM store_change%%' AND pid <> pg_backend_pid()"
)


@dataclass
class Faults:
    """When something was amiss."""

    instance: Instance
    amiss: list[tuple[int, int]] = field(default_factory=list)

    async def kill(self, *names: str) -> None:
        """Returns when they are back."""
        await self._note(" and ".join(names), lambda: self.instance.killed_and_back(*names))

    async def kill_database_session(self) -> None:
        """PostgreSQL ends all sessions when one is killed, and recovers; call control ends, and is started until it is there again."""
        await self._note("call control's database session", self._kill_database_session)

    async def _note(self, what: str, kill: Callable[[], None]) -> None:
        started_us = now_us()
        await asyncio.to_thread(kill)
        print(f"{what}: back after {(now_us() - started_us) / 1e6:.2f} s")
        self.amiss.append((started_us, now_us() + int(CALM_SECONDS * 1e6)))

    def _kill_database_session(self) -> None:
        before = self.instance.restarts()["callcontrol"]
        os.kill(self._session_pid(), signal.SIGKILL)
        self.instance.await_status(lambda now: now.ready and self.instance.restarts()["callcontrol"] > before)

    def _session_pid(self) -> int:
        """It looks for changes five times a second."""
        url = self.instance.settings.database_url
        deadline = time.monotonic() + READY_SECONDS
        with psycopg.connect(url, autocommit=True) as connection:
            while not (found := connection.execute(CALL_CONTROLS_SESSIONS, [connection.info.dbname]).fetchall()):
                assert time.monotonic() < deadline
                time.sleep(0.001)
        ((pid,),) = found
        return int(pid)

    def spared(self, call: Seen) -> bool:
        """Its set-up met no fault."""
        until = call.status_us or now_us()
        return not any(call.invited_us < end and start < until for start, end in self.amiss)


def judge(load: Load, faults: Faults) -> None:
    faults.instance.lead_django_here()  # its own session may have died
    empty_seconds = faults.instance.await_empty()
    spared = [call for call in load.seen.values() if faults.spared(call)]
    print(f"{len(load.seen)} calls: {by_status(load.seen.values())}; not disturbed {len(spared)}: {by_status(spared)}")
    print(f"nothing in progress {empty_seconds:.2f} s after the last BYE")
    assert by_status(spared) == {200: len(spared)}
    check(load.seen.values())


def test_call_control_and_kamailio_under_load(company: Company) -> None:
    """The short one."""
    instance, direct, relayed = company.instance, company.pbx(), company.pbx(media="relay")
    faults = Faults(instance)

    async def disturb() -> None:
        await asyncio.sleep(2)
        await faults.kill("callcontrol")
        await asyncio.sleep(1)
        await faults.kill("kamailio")

    async def scenario() -> Load:
        async with direct.agent(instance) as one, relayed.agent(instance) as other, company.carrier() as carrier:
            load = Load(carrier)
            standing = [asyncio.create_task(load.call(pbx, 10)) for pbx in (one, other)]
            await asyncio.gather(load.run([one, other], per_second=20, seconds=8, talk=(0.5, 2.0)), disturb())
            await went_on(standing)
            return load

    judge(asyncio.run(scenario()), faults)


@pytest.mark.slow
def test_everything_in_turn_and_all_at_once(company: Company) -> None:
    disturb_everything(company, lambda faults: asyncio.sleep(0))


@pytest.mark.slow
@pytest.mark.postgresql
def test_everything_on_postgresql(company_on_postgresql: Company) -> None:
    disturb_everything(company_on_postgresql, Faults.kill_database_session)


def disturb_everything(company: Company, also: Callable[[Faults], Awaitable[None]]) -> None:
    """50 calls a second, and ten that last: five without media, which go on through everything, and five with it."""
    instance, direct, relayed = company.instance, company.pbx(), company.pbx(media="relay")
    faults = Faults(instance)

    async def disturb() -> None:
        for name in PROCESSES:
            await asyncio.sleep(3)
            await faults.kill(name)
        await asyncio.sleep(2)
        await also(faults)
        await asyncio.sleep(2)
        await faults.kill(*PROCESSES)

    async def scenario() -> Load:
        async with direct.agent(instance) as one, relayed.agent(instance) as other, company.carrier() as carrier:
            load = Load(carrier)
            standing = {pbx: [asyncio.create_task(load.call(pbx, 75)) for _ in range(5)] for pbx in (one, other)}
            await asyncio.gather(load.run([one, other]), disturb())
            await went_on(standing[one])
            ended_us = await lost_their_media(standing[other])
            print(f"calls whose RTPengine was killed: both sides told after {(ended_us - faults.amiss[-1][0]) / 1e6:.1f} s")
            return load

    judge(asyncio.run(scenario()), faults)


async def went_on(calls: list[asyncio.Task[Seen]]) -> None:
    """Through everything, until the caller hung up."""
    for call in await asyncio.gather(*calls):
        assert (call.status, call.bye_status, call.callee_ended) == (200, 200, True), call


async def lost_their_media(calls: list[asyncio.Task[Seen]]) -> int:
    """Their RTPengine was killed: both sides were told, the last of them at the moment returned."""
    ended = await asyncio.gather(*calls)
    for call in ended:
        assert (call.status, call.bye_us, call.callee_ended) == (200, 0, True), call
        assert call.reason.startswith("SIP;cause=500"), call
    return max(call.ended_us for call in ended)
