"""Guide 7.1: channel subscriptions."""

from __future__ import annotations

import pytest

from tests.browser.buyer import fill, signed_in_buyer, view_profile
from tests.browser.conftest import Visitor
from tests.web.cast import Cast
from tests.web.shop import make_shop, wait
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.store.models import Role, Term
from trunkline.store.work import By
from trunkline.usecases import subscriptions
from trunkline.usecases.notices import day_of

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
AT_MOST = "How many calls at the same time, at most?"
BUNDLES = "5,000 US minutes"


@pytest.fixture
def cast(site: str) -> Cast:
    return make_shop(credit_units=1000)


@pytest.fixture
def buyer(visitor: Visitor, cast: Cast) -> Visitor:
    return signed_in_buyer(visitor, cast, Role.BILLING)


def subscribe(cast: Cast, channels: int) -> None:
    subscriptions.buy_channels(now=clock.now(), by=By("test", "test"), profile_id=cast.company.profile_ids[0], channels=channels)


def test_g_7_1_1_add_a_channel_subscription(buyer: Visitor, cast: Cast) -> None:
    view_profile(buyer)
    buyer.follow("Buy a channel subscription to activate this profile")
    buyer.looks_right("channels-buy")
    buyer.follow("How many channels do I need?")
    buyer.sees("Employees who use the telephone")
    buyer.page.go_back()
    fill(buyer, AT_MOST, "104")
    buyer.sees("you asked for 104; above 100 they are sold by tens")
    buyer.sees("$500.00 afterwards")
    buyer.looks_right("channels-buy-offer")
    buyer.press("Buy now")
    buyer.sees("100 calling channels are there. Next payment:")
    buyer.looks_right("channels")
    assert cast.company.profile().channels == 100
    assert cast.company.manager.account.balance == 500 * MICROS


def test_g_7_1_1_with_minute_bundles_in_one_purchase(buyer: Visitor, cast: Cast) -> None:
    """Step 6: one page, one total, both or neither."""
    view_profile(buyer)
    buyer.follow("Buy a channel subscription to activate this profile")
    fill(buyer, AT_MOST, "3")
    buyer.page.get_by_text("Add minute bundles").click()
    fill(buyer, BUNDLES, "4")
    buyer.sees("4 minute bundles are more than the 3 calling channels")
    buyer.looks_right("channels-and-bundles-too-many")
    fill(buyer, BUNDLES, "2")
    buyer.sees("$945.00 afterwards")
    buyer.looks_right("channels-and-bundles")
    buyer.press("Buy now")
    buyer.sees("3 calling channels and 2 × 5,000 US minutes are there. Next payment:")
    assert [(term.kind, term.quantity) for term in Term.objects.order_by("kind")] == [("bundle", 2), ("channels", 3)]
    assert cast.company.manager.account.balance == 945 * MICROS


def test_g_7_1_2_change_the_channel_subscription(buyer: Visitor, cast: Cast) -> None:
    subscribe(cast, 10)
    wait(days=15)
    view_profile(buyer)
    buyer.follow("Calling channels")
    buyer.follow("Change subscription")
    fill(buyer, AT_MOST, "20")
    buyer.press("Show the price")
    buyer.sees("Back for what is unused")
    buyer.looks_right("channels-change")
    buyer.press("Buy now")
    buyer.sees("20 calling channels are there.")
    old, new = Term.objects.filter(profile_id=cast.company.profile_ids[0]).order_by("pk")
    assert (old.end, new.quantity, new.renews) == (Term.End.CHANGED, 20, True)
    assert 24 * MICROS < old.refunded_micros <= 25 * MICROS
    buyer.follow("Change subscription")
    fill(buyer, AT_MOST, "30")
    buyer.sees("The channels were changed today")
    assert buyer.page.get_by_role("button", name="Buy now").count() == 0
    wait(days=1)
    view_profile(buyer)
    buyer.follow("Calling channels")
    buyer.follow("Change subscription")
    fill(buyer, AT_MOST, "5")
    buyer.page.get_by_text("Add minute bundles").click()
    fill(buyer, BUNDLES, "1")
    buyer.sees("You get back")
    buyer.looks_right("channels-change-with-bundles")
    buyer.press("Buy now")
    buyer.sees("5 calling channels and 1 × 5,000 US minutes are there.")


def test_g_7_1_3_cancel_the_channel_subscription_and_undo(buyer: Visitor, cast: Cast) -> None:
    subscribe(cast, 10)
    term = Term.objects.get(profile_id=cast.company.profile_ids[0])
    expires = day_of(term.ends_at, cast.company.manager)
    view_profile(buyer)
    buyer.follow("Calling channels")
    buyer.follow("Cancel subscription")
    buyer.sees("Cancel the channel subscription?")
    buyer.looks_right("channels-cancel")
    buyer.press("Cancel subscription")
    buyer.sees(f"Its channels can be used until {expires}.")
    buyer.looks_right("channels-cancelled")
    term.refresh_from_db()
    assert not term.renews
    buyer.press("Undo the cancellation")
    buyer.sees(f"The channel subscription goes on. Next payment: {expires}.")
    term.refresh_from_db()
    assert term.renews
