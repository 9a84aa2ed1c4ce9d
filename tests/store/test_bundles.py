"""Minute bundles in the store: bought, changed, cancelled, extended (SPEC R5.2, R5.3)."""

from __future__ import annotations

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW, make_manager, make_price_list, make_profile
from tests.store.market import BUNDLE, CHANNEL, DAY, MONTH, Market, drain, refused, use_minutes
from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit, NotFound
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.models import Account, BundleProduct, Change, Posting, Term
from trunkline.usecases import bundles, products, released_minutes, subscriptions
from trunkline.usecases.released_minutes import expire_released_minutes
from trunkline.usecases.renewals import renew_due

MINUTES = 5000 * 60


@pytest.fixture
def market(store: Store) -> Market:
    made = Market()
    subscriptions.buy_channels(**made.me(), channels=5)
    return made


def purse(term_id: int) -> Account:
    term = Term.objects.select_related("minutes").get(pk=term_id)
    assert term.minutes is not None
    return term.minutes


def hold(term_id: int, seconds: int) -> None:
    Account.objects.filter(pk=purse(term_id).pk).update(held=seconds)


def test_r5_1_a_bundle_has_5000_minutes_in_a_purse_of_its_own(market: Market) -> None:
    offer = bundles.preview_bundles(now=NOW, profile_id=market.profile_id, product_id=market.product_id, quantity=2)
    before, changes = market.credit, Change.objects.filter(what="profile").count()
    bought = bundles.buy_bundles(**market.bundle(), quantity=2)
    assert (bought.price_micros, offer.price_micros, bought.ends_at) == (2 * BUNDLE, 2 * BUNDLE, NOW + MONTH)
    assert market.credit == before - 2 * BUNDLE == offer.balance_after_micros
    assert (purse(bought.term_id).balance, purse(bought.term_id).currency, purse(bought.term_id).guarded) == (600_000, "SEC", True)
    assert Change.objects.filter(what="profile").count() == changes + 1
    assert audit().ok


def test_r5_2_never_more_bundles_than_channels(market: Market) -> None:
    with refused(Conflict, "6 minute bundles are more than the 5 calling channels"):
        bundles.buy_bundles(**market.bundle(), quantity=6)
    bundles.buy_bundles(**market.bundle(), quantity=4)
    other = products.set_bundle_product(
        now=NOW,
        by=BY,
        price_list_id=market.company.price_list_id,
        code="fr-100",
        name="France",
        minutes=100,
        price_micros=MICROS,
        country="FR",
    )
    with refused(Conflict, "at most 1 of these"):
        bundles.buy_bundles(**(market.bundle() | {"product_id": other}), quantity=2)
    bundles.buy_bundles(**(market.bundle() | {"product_id": other}), quantity=1)
    with refused(Conflict, "reduce the bundles to 4 first"):
        subscriptions.change_channels(**market.me(), channels=4)


def test_r5_2_without_channels_there_are_no_bundles(market: Market) -> None:
    idle = make_profile(market.company.manager_id, "Idle", channels=0)
    with refused(Conflict, "buy more channels first"):
        bundles.buy_bundles(**(market.bundle() | {"profile_id": idle}), quantity=1)


def test_r5_3_a_change_refunds_the_smaller_share(market: Market) -> None:
    """A third of the time has passed and half of the minutes are used: half is refunded."""
    first = bundles.buy_bundles(**market.bundle(), quantity=2)
    use_minutes(Term.objects.select_related("minutes").get(pk=first.term_id), MINUTES)
    tenth = NOW + 10 * DAY
    before = market.credit
    second = bundles.change_bundles(**market.bundle(tenth), quantity=3)
    assert second.refund_micros == BUNDLE
    assert market.credit == before + BUNDLE - 3 * BUNDLE
    assert (purse(first.term_id).balance, purse(second.term_id).balance) == (0, 3 * MINUTES)
    expired = Posting.objects.get(kind="minutes_expired")
    assert (expired.key, expired.amount) == (f"term/{first.term_id}/expired/1", MINUTES)
    assert audit().ok


def test_r5_3_what_calls_hold_counts_as_used_and_stays_theirs(market: Market) -> None:
    first = bundles.buy_bundles(**market.bundle(), quantity=1)
    hold(first.term_id, 30_000)
    changed = bundles.change_bundles(**market.bundle(), quantity=2)
    assert changed.refund_micros == BUNDLE * 270 // 300
    assert (purse(first.term_id).balance, purse(first.term_id).held) == (30_000, 30_000)


def test_r5_3_cancelled_at_once_is_refunded(market: Market) -> None:
    bundles.buy_bundles(**market.bundle(), quantity=1)
    half = NOW + 15 * DAY
    preview = bundles.preview_bundle_cancellation(now=half, profile_id=market.profile_id, product_id=market.product_id)
    assert (preview.ends_at, preview.free_seconds, preview.refund_micros) == (NOW + MONTH, MINUTES, BUNDLE // 2)
    before = market.credit
    assert bundles.cancel_bundles(**market.bundle(half), at_once=True).refund_micros == BUNDLE // 2
    assert market.credit == before + BUNDLE // 2
    with pytest.raises(NotFound):
        bundles.cancel_bundles(**market.bundle(half), at_once=True)
    assert audit().ok


def test_r5_2_cancelled_bundles_stay_and_are_extended(market: Market) -> None:
    bundles.buy_bundles(**market.bundle(), quantity=1)
    before = market.credit
    assert bundles.cancel_bundles(**market.bundle()).ends_at == NOW + MONTH
    assert (market.credit, market.open("bundle").renews) == (before, False)
    with refused(Conflict, "or extend them"):
        bundles.change_bundles(**market.bundle(), quantity=1)
    assert bundles.extend_bundles(**market.bundle(NOW + DAY)).ends_at == NOW + MONTH
    with refused(Conflict, "renew by themselves already"):
        bundles.extend_bundles(**market.bundle(NOW + DAY))
    bundles.cancel_bundles(**market.bundle())
    with pytest.raises(NotFound, match="nothing to extend"):
        bundles.extend_bundles(**market.bundle(NOW + MONTH))


def test_bundles_of_cancelled_channels_are_warned_about(market: Market) -> None:
    subscriptions.cancel_channels(**market.me())
    offer = bundles.preview_bundles(now=NOW, profile_id=market.profile_id, product_id=market.product_id, quantity=1)
    assert (offer.problems, "2026-12-31" in offer.warnings[0]) == ((), True)


def test_too_little_credit_changes_nothing(market: Market) -> None:
    bundles.buy_bundles(**market.bundle(), quantity=1)
    drain(market, leave=BUNDLE - 1)
    with refused(NotEnoughCredit, "Credit is missing"):
        bundles.change_bundles(**market.bundle(), quantity=2)


def test_one_reference_buys_once(market: Market) -> None:
    first = bundles.buy_bundles(**market.bundle(), quantity=2, reference="r")
    assert bundles.buy_bundles(**market.bundle(), quantity=2, reference="r").term_id == first.term_id
    with refused(Conflict, "take another"):
        subscriptions.change_channels(**market.me(), channels=7, reference="r")
    assert market.credit == 1000 * MICROS - 5 * CHANNEL - 2 * BUNDLE


def test_what_can_not_be_bought(market: Market) -> None:
    with refused(Invalid, "cancel them"):
        bundles.buy_bundles(**market.bundle(), quantity=0)
    with refused(Conflict, "buy them"):
        bundles.change_bundles(**market.bundle(), quantity=1)
    with refused(Invalid, "no such minute bundle"):
        bundles.buy_bundles(**(market.bundle() | {"product_id": 999}), quantity=1)
    bundles.buy_bundles(**market.bundle(), quantity=1)
    with refused(Conflict, "change their number"):
        bundles.buy_bundles(**market.bundle(), quantity=2)
    BundleProduct.objects.update(sold=False)
    with refused(Conflict, "not sold any more"):
        bundles.change_bundles(**market.bundle(), quantity=2)
    other = make_profile(make_manager(make_price_list("Others"), "Others"), "Theirs")
    with refused(Invalid, "no such minute bundle"):
        bundles.buy_bundles(**(market.bundle() | {"profile_id": other}), quantity=1)


def test_products_are_checked_and_changed_by_their_code(market: Market) -> None:
    about = {"now": NOW, "by": BY, "price_list_id": market.company.price_list_id, "name": "New name", "minutes": 1, "price_micros": 0}
    assert products.set_bundle_product(**about, code="us-5000", country="US") == market.product_id  # type: ignore[arg-type]
    assert BundleProduct.objects.get().name == "New name"
    for wrong in (
        {"code": "US 5000"},
        {"country": "XX"},
        {"minutes": 0},
        {"price_micros": -1},
        {"excluded_prefixes": "nothing"},
        {"name": ""},
    ):
        with pytest.raises(Invalid):
            products.set_bundle_product(**({"code": "us-5000", "country": "US"} | about | wrong))  # type: ignore[arg-type]


def test_minutes_held_at_the_end_expire_when_they_are_given_back(market: Market) -> None:
    """Whether or not anything else falls due, and also when call control was away for days."""
    first = bundles.buy_bundles(**market.bundle(), quantity=1)
    hold(first.term_id, 60)
    renew_due(now=NOW + MONTH, by=BY, limit=10)
    later = NOW + MONTH + 20 * DAY
    assert (purse(first.term_id).balance, released_minutes.due_since(later)) == (60, None)
    hold(first.term_id, 0)
    assert released_minutes.due_since(later) == NOW + MONTH
    assert [expire_released_minutes(now=later, by=BY, limit=10) for _ in range(2)] == [1, 0]
    assert (purse(first.term_id).balance, released_minutes.due_since(later)) == (0, None)
    assert purse(market.open("bundle").pk).balance == MINUTES
    assert audit().ok
