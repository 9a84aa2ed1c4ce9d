"""Guide 7.2: Credit for outgoing calls."""

from __future__ import annotations

import pytest

from tests.browser.buyer import fill, signed_in_buyer, view_profile
from tests.browser.conftest import Visitor
from tests.web.cast import Cast
from tests.web.shop import make_shop
from trunkline.domain.money import MICROS
from trunkline.store.models import RechargeRule, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast(site: str) -> Cast:
    return make_shop()


@pytest.fixture
def buyer(visitor: Visitor, cast: Cast) -> Visitor:
    return signed_in_buyer(visitor, cast, Role.BILLING)


def purses(cast: Cast) -> tuple[int, int]:
    """The Manager's and the profile's, in units."""
    return cast.company.manager.account.balance // MICROS, cast.company.purse().balance // MICROS


def test_g_7_2_1_add_credit_and_auto_recharge(buyer: Visitor, cast: Cast) -> None:
    view_profile(buyer)
    buyer.follow("Set up outgoing calls")
    buyer.looks_right("credit-add")
    fill(buyer, "Amount", "501")
    buyer.press("Add credit")
    buyer.page.get_by_role("alert").wait_for()
    buyer.looks_right("credit-add-wrong")
    fill(buyer, "Amount", "10")
    buyer.press("Add credit")
    buyer.sees("Sales.Architects has $10.00 of Credit now.")
    assert purses(cast) == (490, 10)
    buyer.follow("Auto-recharge settings")
    assert buyer.page.get_by_label("add this much").input_value() == "10.00"
    buyer.looks_right("recharge-off")
    buyer.press("Save changes")
    buyer.sees("Auto-recharge is on, with these amounts.")
    assert RechargeRule.objects.get(account=cast.company.purse()).threshold_micros == 5 * MICROS


def test_g_7_2_2_change_credit_and_auto_recharge(buyer: Visitor, cast: Cast) -> None:
    view_profile(buyer)
    buyer.follow("Outgoing calls")
    fill(buyer, "Amount", "30")
    buyer.press("Add credit")
    buyer.follow("Take back credit")
    buyer.looks_right("credit-take-back")
    fill(buyer, "Amount", "5")
    buyer.press("Take back credit")
    buyer.sees("The Manager has $475.00 of Credit now.")
    assert purses(cast) == (475, 25)
    buyer.follow("Take back credit")
    buyer.press("Take back credit")
    buyer.sees("The Manager has $500.00 of Credit now.")
    buyer.follow("Auto-recharge settings")
    fill(buyer, "add this much", "2")
    buyer.press("Save changes")
    buyer.sees("Nothing is saved yet.")
    buyer.looks_right("recharge-warned")
    assert not RechargeRule.objects.exists()
    fill(buyer, "add this much", "3")
    buyer.press("Save changes")
    buyer.sees("The amount $3.00 is below the recommended $10.00")
    buyer.press("Save changes")
    buyer.sees("Auto-recharge is on, with these amounts.")
    buyer.looks_right("recharge-on")
    assert RechargeRule.objects.get().amount_micros == 3 * MICROS
    buyer.press("Reset to recommended amounts")
    buyer.sees("Auto-recharge is on, with the recommended amounts.")
    assert RechargeRule.objects.get().amount_micros == 10 * MICROS
    buyer.press("Disable Auto-recharge")
    buyer.sees("Auto-recharge is off.")
    assert not RechargeRule.objects.get().enabled
