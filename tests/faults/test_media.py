"""RTPengine gone, or silent: calls that need it are told to try elsewhere at once, the others go on, and all is well when it is back."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.faults.company import Company
from tests.faults.evidence import check
from tests.faults.load import DESCRIPTION, Load, by_status
from tests.siptest import Message, UserAgent

pytestmark = [pytest.mark.engines, pytest.mark.slow]

FROZEN_SECONDS = 5.0
EVERY_SECONDS = 0.05
SERVES_AGAIN_SECONDS = 5.0
QUICKLY_SECONDS = 1.5
"""Kamailio waits 400 ms for RTPengine, twice."""


async def refusal(company: Company, pbx: UserAgent) -> tuple[Message, float]:
    started = time.monotonic()
    final = await (await pbx.invite(company.callee("44"), body=DESCRIPTION)).final()
    return final, time.monotonic() - started


async def serves_again(load: Load, pbx: UserAgent) -> float:
    started = time.monotonic()
    async with asyncio.timeout(SERVES_AGAIN_SECONDS):
        while (await load.call(pbx, 0.1)).status != 200:
            await asyncio.sleep(0.05)
    return time.monotonic() - started


def test_killed(company: Company) -> None:
    instance, relayed = company.instance, company.pbx(media="relay")

    async def scenario() -> Load:
        async with relayed.agent(instance) as pbx, company.carrier() as carrier:
            load = Load(carrier)
            await serves_again(load, pbx)
            instance.kill("rtpengine")
            final, seconds = await refusal(company, pbx)
            assert (final.status, final.get("retry-after")) == (503, "5")
            assert seconds < QUICKLY_SECONDS
            print(f"refused after {seconds:.3f} s, served again after {await serves_again(load, pbx):.2f} s")
            return load

    load = asyncio.run(scenario())
    instance.await_empty()
    check(load.seen.values())


def test_silent(company: Company) -> None:
    """It holds its port and answers nothing: the worst that it can do to those who wait for it."""
    instance, direct, relayed = company.instance, company.pbx(), company.pbx(media="relay")
    registering: list[float] = []

    async def scenario() -> Load:
        async with direct.agent(instance) as one, relayed.agent(instance) as other, company.carrier() as carrier:
            load = Load(carrier)
            await serves_again(load, other)
            assert (await one.register()).status == 200
            running = asyncio.create_task(load.run([one, other], per_second=10, seconds=FROZEN_SECONDS, talk=(0.1, 2.0)))
            await asyncio.sleep(1)
            with instance.frozen("rtpengine"):
                end = time.monotonic() + FROZEN_SECONDS
                while (started := time.monotonic()) < end:
                    assert (await one.register()).status == 200
                    registering.append(time.monotonic() - started)
                    await asyncio.sleep(EVERY_SECONDS)
            await running
            print(f"served again after {await serves_again(load, other):.2f} s")
            return load

    load = asyncio.run(scenario())
    without, needing = [[call for call in load.seen.values() if call.sip_user == each.sip_user] for each in (direct, relayed)]
    print(f"REGISTER: worst {max(registering) * 1000:.0f} ms; without media {by_status(without)}, with media {by_status(needing)}")
    assert by_status(without) == {200: len(without)}
    refused_us = [call.status_us - call.invited_us for call in needing if call.status == 503]
    print(f"refused after {min(refused_us) / 1e6:.3f} to {max(refused_us) / 1e6:.3f} s")
    assert set(by_status(needing)) == {200, 503}
    assert max(refused_us) / 1e6 < QUICKLY_SECONDS
    instance.await_empty()
    check(load.seen.values())
