"""Calling channels in the store: bought, changed, cancelled, undone (SPEC R3). The rules' own numbers are in tests/unit/test_terms.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW, SIP_DOMAIN
from tests.store.market import BUNDLE, CHANNEL, DAY, MONTH, Market, drain, refused
from tests.store.test_concurrency import all_at_once
from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit, NotFound
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.models import AuditEntry, Change, Posting, Profile, Term, UsageBucket
from trunkline.usecases import bundles, profile_orders, profiles, subscriptions
from trunkline.usecases.advice import advise_by_records
from trunkline.usecases.profile_orders import Order, preview_profile


@pytest.fixture
def market(store: Store) -> Market:
    return Market()


def postings(term_id: int) -> list[tuple[str, str, int]]:
    found = Posting.objects.filter(key__startswith=f"term/{term_id}").order_by("id")
    return list(found.values_list("kind", "key", "amount"))


def test_r3_2_the_preview_is_the_charge(market: Market) -> None:
    offer = subscriptions.preview_channels(now=NOW, profile_id=market.profile_id, channels=5)
    before, changes = market.credit, Change.objects.count()
    bought = subscriptions.buy_channels(**market.me(), channels=5)
    assert (bought.price_micros, bought.starts_at, bought.ends_at) == (offer.price_micros, offer.starts_at, offer.ends_at)
    assert (bought.balance_micros, market.credit) == (offer.balance_after_micros, before - 5 * CHANNEL)
    assert (market.channels, bought.ends_at) == (5, NOW + MONTH)
    assert postings(bought.term_id) == [("channels", f"term/{bought.term_id}", 5 * CHANNEL)]
    assert Posting.objects.get(key=f"term/{bought.term_id}").note == "5 calling channels for Profile 0, until 2026-12-31"
    assert Change.objects.count() == changes + 1
    assert AuditEntry.objects.get(action="channels.buy").after["price_micros"] == 5 * CHANNEL
    assert audit().ok


def test_r3_1_more_than_a_hundred_are_rounded_before_they_are_bought(market: Market) -> None:
    bought = subscriptions.buy_channels(**market.me(), channels=105)
    assert (bought.quantity, bought.price_micros, market.channels) == (110, 110 * CHANNEL, 110)
    with refused(Invalid, "1 to 300"):
        subscriptions.change_channels(**market.me(), channels=301)


def test_r3_3_a_change_refunds_and_begins_anew(market: Market) -> None:
    first = subscriptions.buy_channels(**market.me(), channels=10)
    tenth = NOW + 10 * DAY
    offer = subscriptions.preview_channels(now=tenth, profile_id=market.profile_id, channels=12)
    before = market.credit
    second = subscriptions.change_channels(**market.me(tenth), channels=12)
    assert (second.refund_micros, second.price_micros) == (46_333_333, 12 * CHANNEL) == (offer.refund_micros, offer.price_micros)
    assert market.credit == before + 46_333_333 - 12 * CHANNEL == offer.balance_after_micros
    assert postings(first.term_id)[1:] == [("term_refund", f"term/{first.term_id}/refund", 46_333_333)]
    old = Term.objects.get(pk=first.term_id)
    assert (old.end, old.ended_at, old.refunded_micros) == ("changed", tenth, 46_333_333)
    assert (second.starts_at, second.ends_at, market.channels) == (tenth, tenth + MONTH, 12)
    assert audit().ok


def test_r3_3_once_a_day_in_the_managers_time_zone(market: Market) -> None:
    """New York is five hours behind: its 1 December ends at 5 in the morning of the 2nd."""
    subscriptions.buy_channels(**market.me(), channels=10)
    subscriptions.change_channels(**market.me(NOW + timedelta(hours=1)), channels=11)  # bought today, and changed once
    with refused(Conflict, "changed today"):
        subscriptions.change_channels(**market.me(datetime(2026, 12, 2, 4, 59, 59, tzinfo=UTC)), channels=12)
    subscriptions.change_channels(**market.me(datetime(2026, 12, 2, 5, tzinfo=UTC)), channels=12)
    with refused(Conflict, "changed today"):
        subscriptions.change_channels(**market.me(datetime(2026, 12, 3, 4, tzinfo=UTC)), channels=13)


def test_r3_3_too_little_credit_changes_nothing(market: Market) -> None:
    subscriptions.buy_channels(**market.me(), channels=10)
    drain(market, leave=2 * CHANNEL - 1)
    with refused(NotEnoughCredit, r"\$0\.000001 of Credit is missing"):
        subscriptions.change_channels(**market.me(), channels=12)
    assert subscriptions.preview_channels(now=NOW, profile_id=market.profile_id, channels=12).problems
    assert subscriptions.change_channels(**market.me(), channels=11).balance_micros == CHANNEL - 1


def test_r3_4_cancelled_channels_stay_until_the_end_and_can_be_kept(market: Market) -> None:
    subscriptions.buy_channels(**market.me(), channels=3)
    assert subscriptions.preview_channel_cancellation(now=NOW, profile_id=market.profile_id).ends_at == NOW + MONTH
    before = market.credit
    assert subscriptions.cancel_channels(**market.me(NOW + DAY)).ends_at == NOW + MONTH
    assert (market.channels, market.credit) == (3, before)
    with refused(Conflict, "cancelled already and end on 2026-12-31 12:00"):
        subscriptions.cancel_channels(**market.me(NOW + DAY))
    assert subscriptions.undo_cancel_channels(**market.me(NOW + MONTH - timedelta(seconds=1))).ends_at == NOW + MONTH
    with refused(Conflict, "already"):
        subscriptions.undo_cancel_channels(**market.me(NOW + DAY))
    subscriptions.cancel_channels(**market.me(NOW + 2 * DAY))
    with pytest.raises(NotFound, match="nothing to extend"):
        subscriptions.undo_cancel_channels(**market.me(NOW + MONTH))


def test_r3_4_after_the_end_channels_are_bought_anew(market: Market) -> None:
    subscriptions.buy_channels(**market.me(), channels=3)
    subscriptions.cancel_channels(**market.me())
    later = NOW + MONTH + DAY  # and nobody has swept
    bought = subscriptions.buy_channels(**market.me(later), channels=4)
    assert (bought.refund_micros, bought.starts_at, market.channels) == (0, later, 4)
    assert list(Term.objects.filter(kind="channels", profile_id=market.profile_id).order_by("id").values_list("end", flat=True)) == [
        "changed", "cancelled", "",
    ]  # fmt: skip
    assert audit().ok


def test_r3_5_channels_do_not_go_below_bundles(market: Market) -> None:
    subscriptions.buy_channels(**market.me(), channels=5)
    bundles.buy_bundles(**market.bundle(), quantity=3)
    with refused(Conflict, "reduce the bundles to 2 first"):
        subscriptions.change_channels(**market.me(), channels=2)
    with refused(Conflict, "reduce the bundles"):
        profiles.grant_channels(**market.me(), channels=0)
    bundles.change_bundles(**market.bundle(), quantity=2)
    subscriptions.change_channels(**market.me(), channels=2)
    assert "2 minute bundles go on" in subscriptions.cancel_channels(**market.me()).warnings[0]


def test_what_is_there_is_changed_and_what_is_not_is_bought(market: Market) -> None:
    with refused(Conflict, "buy one"):
        subscriptions.change_channels(**market.me(), channels=5)
    subscriptions.buy_channels(**market.me(), channels=5)
    with refused(Conflict, "change it"):
        subscriptions.buy_channels(**market.me(), channels=6)
    with refused(Conflict, "5 calling channels already"):
        subscriptions.change_channels(**market.me(), channels=5)


def test_one_reference_buys_once(market: Market) -> None:
    first = subscriptions.buy_channels(**market.me(), channels=5, reference="wizard 1")
    again = subscriptions.buy_channels(**market.me(), channels=5, reference="wizard 1")
    assert (again.repeated, again.term_id, again.balance_micros) == (True, first.term_id, first.balance_micros)
    with refused(Conflict, "take another"):
        subscriptions.buy_channels(**market.me(), channels=6, reference="wizard 1")
    changed = subscriptions.change_channels(**market.me(), channels=6, reference="form 2")
    again = subscriptions.change_channels(**market.me(), channels=6, reference="form 2")
    assert (again.repeated, again.refund_micros) == (True, changed.refund_micros)


def test_many_buy_at_once_and_one_succeeds(market: Market) -> None:
    def buy() -> bool:
        try:
            return not subscriptions.buy_channels(**market.me(), channels=5).repeated
        except Conflict:
            return False

    assert all_at_once([buy] * 8).count(True) == 1
    assert market.credit == 1000 * MICROS - 5 * CHANNEL
    assert audit().ok


def test_what_the_operator_grants_costs_nothing_and_gives_back_what_was_paid(market: Market) -> None:
    subscriptions.buy_channels(**market.me(), channels=10)
    profiles.grant_channels(**market.me(NOW + 15 * DAY), channels=7)
    assert (market.channels, market.credit) == (7, 1000 * MICROS - 5 * CHANNEL)
    assert (market.open("channels").complimentary, market.open("channels").price_micros) == (True, 0)
    subscriptions.change_channels(**market.me(NOW + 15 * DAY), channels=8)
    assert market.credit == 1000 * MICROS - 13 * CHANNEL
    profiles.grant_channels(**market.me(NOW + 15 * DAY), channels=0)
    assert not Term.objects.filter(ended_at=None).exists()
    assert audit().ok


def test_channels_without_a_price_are_not_sold(market: Market) -> None:
    from trunkline.usecases.products import set_channel_price

    set_channel_price(now=NOW, by=BY, price_list_id=market.company.price_list_id, price_micros=None)
    with refused(Conflict, "no price"):
        subscriptions.buy_channels(**market.me(), channels=5)


def test_r2_1_the_wizard_buys_everything_or_nothing(market: Market) -> None:
    order = Order(channels=5, bundles=((market.product_id, 2),))
    given: dict[str, Any] = {"now": NOW, "manager_id": market.company.manager_id, "name": "Lobby", "order": order}
    offer = preview_profile(**given)
    assert (offer.to_pay_micros, offer.problems) == (5 * CHANNEL + 2 * BUNDLE, ())
    made = profiles.create_profile(**given, by=BY, sip_domain=SIP_DOMAIN)
    assert market.credit == offer.balance_after_micros == 1000 * MICROS - offer.to_pay_micros
    assert Profile.objects.get(pk=made.profile_id).channels == 5
    assert preview_profile(**given).problems == ("There is a SIP Profile Lobby already: choose another name.",)
    drain(market, leave=5 * CHANNEL + BUNDLE)
    poor = preview_profile(**(given | {"name": "Second"}))
    assert "Credit is missing" in poor.problems[0]
    with refused(NotEnoughCredit, "Credit is missing"):
        profiles.create_profile(**(given | {"name": "Second"}), by=BY, sip_domain=SIP_DOMAIN)
    with refused(Conflict, "more than the 1 calling channels"):
        alone = Order(channels=1, bundles=((market.product_id, 2),))
        profiles.create_profile(**(given | {"name": "Third", "order": alone}), by=BY, sip_domain=SIP_DOMAIN)
    assert not Profile.objects.filter(name__in=["Second", "Third"]).exists()
    assert audit().ok


def order(market: Market, channels: int, bundle_count: int) -> Order:
    return Order(channels, ((market.product_id, bundle_count),))


def test_g_7_1_1_channels_and_bundles_by_one_payment(market: Market) -> None:
    wanted = order(market, 3, 2)
    offer = profile_orders.preview_order(now=NOW, profile_id=market.profile_id, order=wanted)
    assert (offer.to_pay_micros, offer.problems) == (3 * CHANNEL + 2 * BUNDLE, ())
    bought = profile_orders.buy_order(**market.me(), order=wanted, reference="one")
    assert [each.quantity for each in bought.values()] == [3, 2]
    assert (market.channels, market.credit) == (3, offer.balance_after_micros)
    again = profile_orders.buy_order(**market.me(), order=wanted, reference="one")
    assert [each.repeated for each in again.values()] == [True, True]
    with refused(Conflict, "another purchase"):
        profile_orders.buy_order(**market.me(), order=order(market, 3, 1), reference="one")
    with refused(Conflict, "another purchase"):
        profile_orders.buy_order(**market.me(), order=Order(3), reference="one")
    assert audit().ok


def test_g_7_1_1_both_or_neither(market: Market) -> None:
    with refused(Conflict, "more than the 3 calling channels"):
        profile_orders.buy_order(**market.me(), order=order(market, 3, 4))
    drain(market, leave=3 * CHANNEL + BUNDLE)
    with refused(NotEnoughCredit, r"\$95.00 of Credit is missing: the Manager has \$115.85"):
        profile_orders.buy_order(**market.me(), order=order(market, 3, 2))
    profile_orders.buy_order(**market.me(), order=order(market, 3, 1))
    assert market.credit == 0
    assert audit().ok


def test_g_7_1_2_fewer_of_one_pay_for_more_of_the_other(market: Market) -> None:
    """Neither could be changed alone: there would be fewer channels than bundles, or too little Credit."""
    profile_orders.buy_order(**market.me(), order=order(market, 4, 4))
    drain(market)
    later = NOW + DAY
    with refused(Conflict, "fewer than the 4 minute bundles"):
        subscriptions.change_channels(**market.me(later), channels=2)
    with refused(NotEnoughCredit, "Credit is missing"):
        subscriptions.change_channels(**market.me(later), channels=5)
    wanted = order(market, 5, 2)
    offer = profile_orders.preview_order(now=later, profile_id=market.profile_id, order=wanted)
    bought = profile_orders.buy_order(**market.me(later), order=wanted)
    assert (market.channels, bought[market.product_id].quantity) == (5, 2)
    assert market.credit == offer.balance_after_micros == -offer.to_pay_micros > 0
    profile_orders.buy_order(**market.me(later + DAY), order=order(market, 1, 1))
    assert market.channels == 1
    assert audit().ok


def test_r2_1_a_profile_without_channels_is_inactive(market: Market) -> None:
    made = profiles.create_profile(now=NOW, by=BY, manager_id=market.company.manager_id, name="Later", sip_domain=SIP_DOMAIN)
    assert Profile.objects.get(pk=made.profile_id).channels == 0
    assert preview_profile(now=NOW, manager_id=market.company.manager_id, name="Other").channels is None


def test_r3_7_advice_from_the_profiles_own_calls(market: Market) -> None:
    with pytest.raises(Conflict, match="number of employees"):
        advise_by_records(now=NOW, profile_id=market.profile_id)
    quarter = 15 * 60 * MICROS
    start = int((NOW - 3 * DAY).timestamp()) * MICROS
    for number, direction in ((0, "outgoing"), (1, "incoming"), (2, "outgoing"), (3, "outgoing")):
        UsageBucket.objects.create(
            profile_id=market.profile_id, starts_us=start + number * quarter, direction=direction, duration_seconds=9_000
        )
    old = int((NOW - 40 * DAY).timestamp()) * MICROS
    UsageBucket.objects.create(profile_id=market.profile_id, starts_us=old, direction="outgoing", duration_seconds=10**6)
    advice = advise_by_records(now=NOW, profile_id=market.profile_id)
    assert (advice.busy_seconds, advice.channels) == (36_000, 18)  # 10 Erlang
