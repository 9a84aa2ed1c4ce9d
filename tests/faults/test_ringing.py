"""Kamailio dies while a call rings: nothing is held for long, and an answer that comes after all is a call like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.company import Company, Pbx, fair_price
from tests.faults.evidence import records_of
from tests.faults.instance import EMPTY_SECONDS
from tests.faults.load import DESCRIPTION, now_us
from tests.siptest import Call
from trunkline.store.models import CallRecord

pytestmark = [pytest.mark.engines, pytest.mark.slow]


@asynccontextmanager
async def ringing(company: Company, profile: Pbx, number: str) -> AsyncIterator[tuple[Call, Call]]:
    """The caller hears it ring; Kamailio has died since, and is back."""
    async with profile.agent(company.instance) as pbx, company.carrier() as carrier:
        caller = await pbx.invite(number, body=DESCRIPTION)
        hearing = pbx.spawn(caller.expect(180))
        callee = await carrier.incoming()
        await callee.ring()
        await hearing
        await asyncio.to_thread(company.instance.killed_and_back, "kamailio")
        yield caller, callee


def record_of(number: str) -> CallRecord:
    (record,) = records_of([number])[number]
    return record


@pytest.mark.parametrize("media", ["direct", "relay"])
def test_it_is_answered_after_all(company: Company, media: str) -> None:
    """The 200 finds its way by what it carries; it is charged, and the BYE ends it."""
    profile, number = company.pbx(media=media), company.callee("33")

    async def scenario() -> tuple[int, int]:
        async with ringing(company, profile, number) as (caller, callee):
            answering = callee.agent.spawn(callee.answer(body=DESCRIPTION))
            await caller.answered()
            await answering
            await asyncio.sleep(1)
            before = now_us()
            assert (await caller.bye()).status == 200
            await callee.ended()
            return before, now_us()

    before_us, after_us = asyncio.run(scenario())
    company.instance.await_empty(5)
    record = record_of(number)
    assert record.answered_us is not None
    assert record.result == "answered"
    assert before_us <= record.ended_us <= after_us
    assert record.cost_micros == fair_price(number, record.ended_us - record.answered_us)


def test_it_is_answered_after_all_until_credit_ends(company: Company) -> None:
    """Of the caller nothing is known but where his answer went to: that is enough to tell him."""
    profile, number = company.pbx(credit_micros=50_000), company.callee("33")

    async def scenario() -> None:
        async with ringing(company, profile, number) as (caller, callee):
            answering = callee.agent.spawn(callee.answer(body=DESCRIPTION))
            await caller.answered()
            await answering
            for side in (callee, caller):
                assert (await side.ended(within=8)).get("reason").startswith("SIP;cause=402")

    asyncio.run(scenario())
    company.instance.await_empty(5)
    assert (record_of(number).billed_seconds, profile.credit_micros) == (5, 0)


def test_the_caller_gives_up(company: Company) -> None:
    """His CANCEL finds no transaction any more; nothing stays held."""
    profile, number = company.pbx(credit_micros=1_000_000, channels=1), company.callee("33")

    async def scenario() -> None:
        async with ringing(company, profile, number) as (caller, _):
            assert (await caller.cancel()).status == 481

    asyncio.run(scenario())
    print(f"given up after {company.instance.await_empty(EMPTY_SECONDS):.1f} s")
    assert (record_of(number).result, record_of(number).cost_micros, profile.credit_micros) == ("lost", 0, 1_000_000)


def test_it_is_answered_when_it_was_given_up(company: Company) -> None:
    """Too late: the hold is given back, so neither side may talk. Both are told."""
    profile, number = company.pbx(credit_micros=1_000_000, channels=1), company.callee("33")

    async def scenario() -> None:
        async with ringing(company, profile, number) as (caller, callee):
            await asyncio.to_thread(company.instance.await_empty, EMPTY_SECONDS)
            answering = callee.agent.spawn(callee.answer(body=DESCRIPTION))
            await caller.answered()
            await answering
            await callee.ended()
            await caller.ended()

    asyncio.run(scenario())
    assert (record_of(number).result, profile.credit_micros) == ("lost", 1_000_000)
