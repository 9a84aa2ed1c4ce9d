"""A company that is suspended has nothing new, and keeps what it has (SPEC R12, docs/explanation/terms.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW, SIP_DOMAIN
from tests.store.market import CHANNEL, DAY, Market, drain, refused
from tests.store.test_recharge import Provider, of_manager
from tests.store.test_renewals import END, Recharger, sweep
from trunkline.domain.errors import Conflict
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.domain.terms import SUSPENDED
from trunkline.store.audit import audit
from trunkline.store.models import Number, RechargeRule
from trunkline.store.reminders import recharges_by_itself
from trunkline.usecases import bundles, credit, managers, number_fees, numbers, profiles, subscriptions
from trunkline.usecases.profile_orders import Order, preview_profile
from trunkline.usecases.recharge_payments import Outcome, recharge_manager_now
from trunkline.usecases.renewals import due_since


@pytest.fixture
def market(store: Store) -> Market:
    numbers.add_numbers(now=NOW, by=BY, stock=[stock_number("+12025550100")])
    made = Market()
    subscriptions.buy_channels(**made.me(), channels=5)
    managers.suspend_manager(now=NOW, by=BY, manager_id=made.company.manager_id, reason="a disputed payment")
    return made


def resume(market: Market) -> None:
    managers.resume_manager(now=NOW, by=BY, manager_id=market.company.manager_id)


def test_nothing_new_is_bought(market: Market) -> None:
    company: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": market.company.manager_id}
    number_id = Number.objects.get().pk
    with refused(Conflict, "suspended"):
        subscriptions.change_channels(**market.me(), channels=6)
    with refused(Conflict, "suspended"):
        bundles.buy_bundles(**market.bundle(), quantity=1)
    with refused(Conflict, "suspended"):
        number_fees.rent_number(**company, number_id=number_id)
    with refused(Conflict, "suspended"):
        profiles.create_profile(**company, name="New", sip_domain=SIP_DOMAIN, order=Order(channels=1))
    resume(market)
    assert subscriptions.change_channels(**market.me(), channels=6).quantity == 6


def test_the_preview_says_so_once(market: Market) -> None:
    assert subscriptions.preview_channels(now=NOW, profile_id=market.profile_id, channels=6).problems == (SUSPENDED,)
    order = Order(channels=1, bundles=((market.product_id, 1),))
    assert preview_profile(now=NOW, manager_id=market.company.manager_id, name="New", order=order).problems == (SUSPENDED,)


def test_what_runs_goes_on_and_can_be_cancelled(market: Market) -> None:
    assert sweep(END) == (1, 0, 0, 0)
    subscriptions.cancel_channels(**market.me(END))
    subscriptions.undo_cancel_channels(**market.me(END))
    drain(market)
    credit.take_back_everything(**market.me(END), reference="back")
    assert (market.channels, market.credit) == (5, 1000 * MICROS - 2 * 5 * CHANNEL)
    assert audit().ok


def test_its_card_is_not_charged_for_a_renewal_which_waits(market: Market) -> None:
    """It lapses after the grace, as without Auto-recharge; resumed before, the card pays."""
    provider = Provider()
    of_manager(market.company)
    drain(market)
    due: dict[str, Any] = {"by": BY, "manager_id": market.company.manager_id, "need_micros": CHANNEL, "charge": provider}
    assert recharge_manager_now(now=END, **due).outcome is Outcome.LATER
    assert (provider.asked, recharges_by_itself(market.company.manager)) == ([], False)
    recharge = Recharger(market, "later")
    assert (sweep(END, recharge), due_since(END + DAY)) == ((0, 0, 0, 1), None)
    resume(market)
    assert due_since(END + DAY) == END
    assert recharge_manager_now(now=END + DAY, **due).outcome is Outcome.RECHARGED
    assert RechargeRule.objects.get().pending_micros == 0


def test_a_person_may_still_pay(market: Market) -> None:
    before = market.credit
    credit.book_payment(now=NOW, by=BY, manager_id=market.company.manager_id, amount_micros=MICROS, reference="owed")
    assert market.credit == before + MICROS
