"""What the operator does to a company while it calls (SPEC R12): calls are hung up, outgoing ones refused; and both sides are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.faults.company import BY, Company
from tests.faults.evidence import records_of
from tests.faults.load import DESCRIPTION
from tests.siptest import Call, UserAgent
from trunkline.store.models import LiveCall, Registration
from trunkline.usecases import live_calls, managers

pytestmark = [pytest.mark.engines, pytest.mark.slow]

Sides = tuple[Call, Call]
HEARD_SECONDS = 0.5
"""Call control looks for changes every 0.2 s."""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.02)


def acting() -> dict[str, Any]:
    return {"now": datetime.now(UTC), "by": BY}


def hang_up() -> None:
    """The only call."""
    live_calls.hang_up(**acting(), call_ref=LiveCall.objects.get().call_ref, reason="fraud")


async def rung(pbx: UserAgent, carrier: UserAgent, number: str) -> Sides:
    """The caller hears it ring."""
    caller = await pbx.invite(number, body=DESCRIPTION)
    hearing = pbx.spawn(caller.expect(180))
    callee = await carrier.incoming()
    await callee.ring()
    await hearing
    return caller, callee


async def connected(pbx: UserAgent, carrier: UserAgent, number: str) -> Sides:
    caller, callee = await rung(pbx, carrier, number)
    answering = carrier.spawn(callee.answer(body=DESCRIPTION))
    await caller.answered()
    await answering
    return caller, callee


def test_a_call_is_hung_up(company: Company) -> None:
    """A second of talk is paid like any other."""
    profile, number = company.pbx(credit_micros=1_000_000, media="relay"), company.callee("49")

    async def scenario() -> None:
        async with profile.agent(company.instance) as pbx, company.carrier() as carrier:
            sides = await connected(pbx, carrier, number)
            await until(lambda: LiveCall.objects.get().state == "answered")
            hang_up()
            for side in sides:
                assert (await side.ended()).get("reason") == 'Q.850;cause=31;text="Ended by the operator"'

    asyncio.run(scenario())
    company.instance.await_empty(5)
    (record,) = records_of([number])[number]
    assert (record.result, record.ended_by, record.cost_micros) == ("answered", "edge", 10_000 * record.billed_seconds)
    assert ["cut", "the operator has hung up"] in json.loads(record.trace)["steps"]


def test_a_ringing_call_is_hung_up(company: Company) -> None:
    """The callee is not called any more, the caller is told, and nobody pays."""
    profile, number = company.pbx(credit_micros=1_000_000), company.callee("49")

    async def scenario() -> None:
        async with profile.agent(company.instance) as pbx, company.carrier() as carrier:
            caller, callee = await rung(pbx, carrier, number)
            final = pbx.spawn(caller.final(487))
            hang_up()
            await callee.expect_cancel()
            await final

    asyncio.run(scenario())
    company.instance.await_empty(5)
    (record,) = records_of([number])[number]
    assert (record.result, record.sip_status, record.ended_by, record.cost_micros) == ("cancelled", 487, "edge", 0)
    assert ["cut", "the operator has hung up"] in json.loads(record.trace)["steps"]
    assert profile.credit_micros == 1_000_000


def test_a_suspended_company_calls_nobody_and_is_still_called(company: Company) -> None:
    """Calls that are up go on."""
    profile, number = company.pbx(), company.callee("44")

    async def scenario() -> None:
        async with profile.agent(company.instance) as pbx, company.carrier() as carrier:
            assert (await pbx.register()).status == 200
            await until(Registration.objects.filter(profile_id=profile.profile_id).exists)
            caller, callee = await connected(pbx, carrier, number)
            managers.suspend_manager(**acting(), manager_id=company.manager_id, reason="unpaid")
            try:
                await asyncio.sleep(HEARD_SECONDS)
                refused = await (await pbx.invite(company.callee("44"), body=DESCRIPTION)).final(403)
                assert "suspended" in refused.get("reason")
                called, answering = await connected(carrier, pbx, profile.number)
                assert (await called.bye()).status == 200
                await answering.ended()
            finally:
                managers.resume_manager(**acting(), manager_id=company.manager_id)
            assert (await caller.bye()).status == 200
            await callee.ended()

    asyncio.run(scenario())
    company.instance.await_empty(5)
    assert [record.result for record in records_of([number])[number]] == ["answered"]
