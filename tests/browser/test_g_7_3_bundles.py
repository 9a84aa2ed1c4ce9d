"""Guide 7.3: minute bundles."""

from __future__ import annotations

import pytest

from tests.browser.buyer import fill, signed_in_buyer, view_profile
from tests.browser.conftest import Visitor
from tests.web.cast import Cast
from tests.web.shop import make_shop, product_of, wait
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.store.models import Role, Term
from trunkline.store.work import By
from trunkline.usecases import bundles, subscriptions
from trunkline.usecases.notices import day_of

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
BY = By("test", "test")
HOW_MANY = "How many of 5,000 US minutes?"


@pytest.fixture
def cast(site: str) -> Cast:
    """With three channels on the first profile."""
    made = make_shop()
    subscriptions.buy_channels(now=clock.now(), by=BY, profile_id=made.company.profile_ids[0], channels=3)
    return made


@pytest.fixture
def buyer(visitor: Visitor, cast: Cast) -> Visitor:
    return signed_in_buyer(visitor, cast, Role.BILLING)


def have(cast: Cast, quantity: int) -> Term:
    profile_id, product_id = cast.company.profile_ids[0], product_of(cast)
    bundles.buy_bundles(now=clock.now(), by=BY, profile_id=profile_id, product_id=product_id, quantity=quantity)
    return running(cast)


def running(cast: Cast) -> Term:
    return Term.objects.get(profile_id=cast.company.profile_ids[0], kind=Term.Kind.BUNDLE, ended_at=None)


def test_g_7_3_1_add_minute_bundles(buyer: Visitor, cast: Cast) -> None:
    view_profile(buyer)
    buyer.follow("Set up minute bundles")
    buyer.looks_right("bundles-none")
    buyer.follow("Add minute bundles of 5,000 US minutes")
    fill(buyer, HOW_MANY, "4")
    buyer.sees("4 minute bundles are more than the 3 calling channels")
    buyer.looks_right("bundles-too-many")
    fill(buyer, HOW_MANY, "2")
    buyer.sees("$40.00")
    buyer.looks_right("bundles-offer")
    buyer.press("Buy now")
    buyer.sees("2 × 5,000 US minutes: added. Next payment:")
    buyer.looks_right("bundles")
    assert (running(cast).quantity, running(cast).granted_seconds) == (2, 2 * 5000 * 60)


def test_g_7_3_2_change_minute_bundles(buyer: Visitor, cast: Cast) -> None:
    old = have(cast, 1)
    wait(days=15)
    view_profile(buyer)
    buyer.follow("Minute bundles")
    buyer.follow("Change minute bundles of 5,000 US minutes")
    fill(buyer, HOW_MANY, "3")
    buyer.sees("Back for what is unused")
    buyer.looks_right("bundles-change")
    buyer.press("Buy now")
    buyer.sees("3 × 5,000 US minutes: added.")
    old.refresh_from_db()
    assert (old.end, running(cast).quantity) == (Term.End.CHANGED, 3)
    assert 9 * MICROS < old.refunded_micros <= 10 * MICROS


def test_g_7_3_3_cancel_minute_bundles(buyer: Visitor, cast: Cast) -> None:
    expires = day_of(have(cast, 1).ends_at, cast.company.manager)
    view_profile(buyer)
    buyer.follow("Minute bundles")
    buyer.follow("Cancel minute bundles of 5,000 US minutes")
    buyer.looks_right("bundles-cancel")
    buyer.press("Cancel minute bundles")
    buyer.sees(f"Their minutes can be used until {expires}.")
    assert not running(cast).renews


def test_g_7_3_4_extend_minute_bundles(buyer: Visitor, cast: Cast) -> None:
    term = have(cast, 1)
    bundles.cancel_bundles(now=clock.now(), by=BY, profile_id=cast.company.profile_ids[0], product_id=term.product_id or 0)
    view_profile(buyer)
    buyer.follow("Minute bundles")
    buyer.looks_right("bundles-cancelled")
    buyer.follow("Extend 5,000 US minutes")
    buyer.looks_right("bundles-extend")
    buyer.press("Extend")
    buyer.sees(f"extended. Next payment: {day_of(term.ends_at, cast.company.manager)}.")
    assert running(cast).renews
