"""Online Numbers by the month (SPEC R7.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW, make_manager, make_price_list, make_profile
from tests.store.market import DAY, Market, drain, refused
from tests.store.test_renewals import Recharger, sweep
from trunkline.domain.errors import Conflict, NotEnoughCredit, NotFound
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.domain.terms import GRACE
from trunkline.store.audit import audit
from trunkline.store.models import Number, Term
from trunkline.usecases import number_fees, numbers, profiles

NUMBER = "12025550100"
LAST = datetime(2027, 1, 31, 15, tzinfo=UTC)  # 10 in the morning in New York


@pytest.fixture
def market(store: Store) -> Market:
    numbers.add_numbers(now=NOW, by=BY, stock=[stock_number(f"+{NUMBER}"), stock_number("+442079460001")])
    Number.objects.update(monthly_price_micros=3 * MICROS)
    return Market()


def number() -> Number:
    return Number.objects.get(e164=NUMBER)


def given(market: Market, now: datetime = LAST) -> dict[str, Any]:
    return {"now": now, "by": BY, "manager_id": market.company.manager_id, "number_id": number().pk}


def test_r7_1_a_number_is_rented_by_the_month_and_keeps_its_day(market: Market) -> None:
    offer = number_fees.preview_number(now=LAST, manager_id=market.company.manager_id, number_id=number().pk)
    bought = number_fees.rent_number(**given(market), profile_id=market.profile_id)
    assert (
        (bought.price_micros, bought.ends_at) == (offer.price_micros, offer.ends_at) == (3 * MICROS, datetime(2027, 2, 28, 15, tzinfo=UTC))
    )
    assert (number().manager_id, number().profile_id) == (market.company.manager_id, market.profile_id)
    assert sweep(datetime(2027, 6, 1, tzinfo=UTC)) == (4, 0, 0, 0)  # the channels of the profile are none
    ends = [each.ends_at for each in Term.objects.filter(kind="number").order_by("id")]
    assert [(each.month, each.day, each.hour) for each in ends] == [(2, 28, 15), (3, 31, 14), (4, 30, 14), (5, 31, 14), (6, 30, 14)]
    assert market.credit == 1000 * MICROS - 5 * 3 * MICROS
    assert audit().ok


def test_a_month_that_waits_is_tried_at_the_price_of_now(market: Market) -> None:
    bought = number_fees.rent_number(**given(market), profile_id=market.profile_id)
    drain(market, leave=2 * MICROS)
    recharge = Recharger(market, "later")
    assert [sweep(bought.ends_at, recharge), sweep(bought.ends_at, recharge)] == [(0, 0, 0, 1), (0, 0, 0, 0)]
    Number.objects.update(monthly_price_micros=2 * MICROS)
    assert (sweep(bought.ends_at, recharge), market.credit) == ((1, 0, 0, 0), 0)


def test_r7_1_cancelled_it_is_usable_until_the_end_and_returns_to_the_stock(market: Market) -> None:
    bought = number_fees.rent_number(**given(market), profile_id=market.profile_id)
    profiles.set_caller_id(**market.me(), caller_id=f"+{NUMBER}")
    assert number_fees.cancel_number(**given(market, LAST + DAY)).ends_at == bought.ends_at
    assert number().profile_id == market.profile_id
    number_fees.undo_cancel_number(**given(market, LAST + DAY))
    with refused(Conflict, "already"):
        number_fees.undo_cancel_number(**given(market, LAST + DAY))
    number_fees.cancel_number(**given(market, LAST + DAY))
    assert sweep(bought.ends_at) == (0, 1, 0, 0)
    assert (number().manager_id, number().profile_id, market.company.profile().caller_id) == (None, None, "")
    assert number_fees.rent_number(**given(market, bought.ends_at)).starts_at == bought.ends_at
    assert audit().ok


def test_r7_1_unpaid_it_returns_to_the_stock(market: Market) -> None:
    bought = number_fees.rent_number(**given(market))
    drain(market)
    assert sweep(bought.ends_at, Recharger(market, "later")) == (0, 0, 0, 1)
    assert number().manager_id == market.company.manager_id
    assert sweep(bought.ends_at + DAY, Recharger(market)) == (0, 0, 0, 0), "it waits for its payment"
    assert sweep(bought.ends_at + GRACE, Recharger(market)) == (0, 0, 1, 0)
    assert number().manager_id is None


def test_a_rented_number_moves_but_not_to_the_operator(market: Market) -> None:
    number_fees.rent_number(**given(market), profile_id=market.profile_id)
    with refused(Conflict, "returns to the stock by itself"):
        numbers.release_number(now=LAST, by=BY, e164=NUMBER, to_operator=True)
    numbers.release_number(now=LAST, by=BY, e164=NUMBER)
    second = make_profile(market.company.manager_id, "Second", channels=0)
    numbers.assign_number(now=LAST, by=BY, e164=NUMBER, profile_id=second)
    assert number().profile_id == second


def test_what_can_not_be_rented(market: Market) -> None:
    me = given(market)
    foreign = me | {"number_id": Number.objects.get(e164="442079460001").pk}
    with refused(Conflict, "the operator must allow that"):
        number_fees.rent_number(**foreign)
    number_fees.rent_number(**foreign, allow_foreign=True)
    theirs = make_profile(make_manager(make_price_list("Others"), "Others"), "Theirs")
    with refused(NotFound, "of this Manager"):
        number_fees.rent_number(**me, profile_id=theirs)
    first = number_fees.rent_number(**me, reference="r")
    assert number_fees.rent_number(**me, reference="r").term_id == first.term_id
    with refused(Conflict, "is taken"):
        number_fees.rent_number(**me)
    with refused(NotFound, "nothing to cancel"):
        number_fees.cancel_number(**(me | {"manager_id": Number.objects.count() + 1000}))


def test_without_credit_nothing_is_rented(market: Market) -> None:
    drain(market, leave=3 * MICROS - 1)
    with refused(NotEnoughCredit, "Credit is missing"):
        number_fees.rent_number(**given(market), profile_id=market.profile_id)
