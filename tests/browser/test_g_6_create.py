"""Guide 6: a new profile, step by step."""

from __future__ import annotations

import pytest

from tests.browser.buyer import fill, signed_in_buyer
from tests.browser.conftest import Visitor
from tests.web.cast import Cast
from tests.web.shop import make_shop
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.models import Profile, RechargeRule, Term

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast(site: str) -> Cast:
    return make_shop()


@pytest.fixture
def buyer(visitor: Visitor, cast: Cast) -> Visitor:
    return signed_in_buyer(visitor, cast)


def begin(buyer: Visitor, name: str) -> None:
    buyer.follow("Features")
    buyer.follow("Trunks")
    buyer.follow("Create a new profile")
    fill(buyer, "Profile name", name)


def test_g_6_create_a_profile_with_channels_and_bundles(buyer: Visitor, cast: Cast) -> None:
    begin(buyer, "Support.Architects")
    buyer.looks_right("wizard-name")
    buyer.press("Next")
    buyer.follow("How many channels do I need?")
    fill(buyer, "Employees who use the telephone", "50")
    buyer.page.get_by_role("button", name="Advise me").first.click()
    buyer.sees("for 50 employees")
    buyer.looks_right("advisor")
    buyer.page.get_by_role("link", name="Take 9 channels").click()
    buyer.sees("$45.00")
    fill(buyer, "How many calls at the same time, at most?", "12")
    buyer.sees("$60.00")
    buyer.looks_right("wizard-channels")
    buyer.press("Next")
    fill(buyer, "5,000 US minutes", "2")
    buyer.sees("$100.00")
    buyer.looks_right("wizard-bundles")
    buyer.press("Next")
    buyer.sees("$400.00 afterwards")
    buyer.looks_right("wizard-review")
    buyer.press("Set up and create profile")
    buyer.sees("These are its registration details.")
    buyer.sees("+1 760-660-4690")
    buyer.looks_right("wizard-created")
    profile = Profile.objects.get(name="Support.Architects")
    buyer.sees(profile.sip_user)
    assert profile.channels == 12
    assert cast.company.manager.account.balance == 400 * MICROS
    assert Term.objects.get(profile=profile, kind=Term.Kind.BUNDLE).quantity == 2
    assert RechargeRule.objects.get(account=profile.account).amount_micros == 10 * MICROS
    assert audit().ok


def test_g_6_create_without_channels_and_mend_what_was_wrong(buyer: Visitor, cast: Cast) -> None:
    begin(buyer, "Sales.Architects")
    buyer.press("Next")
    buyer.sees("There is a SIP Profile Sales.Architects already")
    buyer.looks_right("wizard-name-wrong")
    fill(buyer, "Profile name", "Support.Architects")
    buyer.press("Next")
    fill(buyer, "How many calls at the same time, at most?", "301")
    buyer.press("Next")
    buyer.sees("A SIP Profile has 1 to 300 calling channels")
    fill(buyer, "How many calls at the same time, at most?", "300")
    buyer.press("Next")
    buyer.press("Next")
    buyer.sees("$1,000.00 of Credit is missing")
    buyer.looks_right("wizard-review-short")
    buyer.follow("Change the channels")
    fill(buyer, "How many calls at the same time, at most?", "")
    buyer.press("Next")
    buyer.page.get_by_label("Auto-recharge its Credit").uncheck()
    buyer.press("Set up and create profile")
    buyer.sees("Buy a channel subscription")
    buyer.looks_right("wizard-created-inactive")
    profile = Profile.objects.get(name="Support.Architects")
    assert profile.channels == 0
    assert not RechargeRule.objects.filter(account=profile.account).exists()
    assert cast.company.manager.account.balance == 500 * MICROS
