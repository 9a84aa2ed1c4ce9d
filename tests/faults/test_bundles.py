"""A call over the real edge that draws a bundle's last minutes, then the Manager's last Credit; call control dies in between (SPEC R5.4)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.company import BY, RATES, Company, Pbx
from tests.faults.test_cut_off import Bounded, connect
from trunkline.domain import destinations, numbers
from trunkline.store.ledger import open_account, outside, post
from trunkline.store.models import Account, BundleProduct, Change, Manager, Posting, Term
from trunkline.store.work import work
from trunkline.usecases import credit

pytestmark = pytest.mark.engines

LEFT_SECONDS = 8
INCREMENT_SECONDS = RATES["33"][2]
INCREMENT_MICROS = RATES["33"][0] * INCREMENT_SECONDS // 60
CALLEE = "+33123456789"


def nearly_used_up(company: Company, pbx: Pbx) -> Account:
    """A bundle for France with some seconds left."""
    now = datetime.now(UTC)
    manager = Manager.objects.get(pk=company.manager_id)
    product, _ = BundleProduct.objects.get_or_create(
        price_list=manager.price_list, code="fr", name="France", minutes=5000, price_micros=1, country="FR"
    )
    funding, used = (outside(kind, "SEC") for kind in (Account.Kind.FUNDING, Account.Kind.REVENUE))
    assert used.pk
    purse = open_account(kind=Account.Kind.BUNDLE, name="minutes", currency="SEC")
    period = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=29)}
    with work(now=now, by=BY) as doing:
        accounts = doing.locks.many(Account, [funding.pk, purse.pk])
        Term.objects.create(
            kind="bundle", manager=manager, profile_id=pbx.profile_id, product=product, minutes=purse, granted_seconds=LEFT_SECONDS, price_micros=0,
            **period,
        )  # fmt: skip
        post(
            key=f"granted/{purse.pk}", debit=accounts[funding.pk], credit=accounts[purse.pk], amount=LEFT_SECONDS, kind="minutes_granted", now=now
        )  # fmt: skip
        doing.changed(Change.What.PROFILE, pbx.profile_id)
    return purse


def managers_credit(company: Company) -> int:
    return Manager.objects.select_related("account").get(pk=company.manager_id).account.balance


def give_manager(company: Company, amount_micros: int) -> None:
    acting: dict[str, Any] = {"now": datetime.now(UTC), "by": BY}
    credit.book_payment(**acting, manager_id=company.manager_id, amount_micros=amount_micros, reference="for the end of the minutes")


def test_minutes_then_the_managers_credit_then_the_cut(company: Company) -> None:
    assert destinations.destination_set("FR").covers(CALLEE.lstrip("+")), numbers.country_of(CALLEE.lstrip("+"))
    assert managers_credit(company) == 0, "nobody else leaves anything to this Manager"
    pbx = company.pbx(credit_micros=0, channels=1)
    purse = nearly_used_up(company, pbx)
    give_manager(company, INCREMENT_MICROS)

    async def scenario() -> Bounded:
        async with AsyncExitStack() as agents:
            carrier = await agents.enter_async_context(company.carrier())
            seconds = LEFT_SECONDS + INCREMENT_SECONDS
            call = await connect(company, CALLEE, pbx, seconds=seconds, media="direct", agents=agents, carrier=carrier)
            talk = asyncio.create_task(call.talk(reinvites=False))
            await asyncio.sleep(INCREMENT_SECONDS - 1)
            await asyncio.to_thread(company.instance.killed_and_back, "callcontrol")
            await talk
            return call

    call = asyncio.run(scenario())
    company.instance.await_empty(5)
    call.check()
    record = call.record()
    assert (record.bundle_seconds, record.cost_micros, record.paid_by) == (LEFT_SECONDS, INCREMENT_MICROS, "both")
    drawn = Posting.objects.filter(call_ref=record.call_ref).order_by("id").values_list("kind", "amount")
    assert list(drawn) == [("minutes", INCREMENT_SECONDS), ("minutes", LEFT_SECONDS - INCREMENT_SECONDS), ("call", INCREMENT_MICROS)]
    purse.refresh_from_db()
    assert (purse.balance, purse.held, managers_credit(company)) == (0, 0, 0)
