"""What is due: renewed, run out, lapsed; in order, once, also after a long pause (SPEC R3.2, R3.6, R5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW
from tests.store.market import BUNDLE, CHANNEL, DAY, MONTH, Market, drain
from tests.store.test_concurrency import all_at_once
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.models import Account, Posting, RechargeRule, Term
from trunkline.store.work import By
from trunkline.usecases import bundles, credit, products, profiles, renewals, subscriptions
from trunkline.usecases.renewal_prices import RENEWAL_PRICE, unit_price_micros
from trunkline.usecases.renewals import Renewed, due_since, renew_due

END = NOW + MONTH


@dataclass
class Recharger:
    """Auto-recharge as somebody set it up: what it answers, and what it brings."""

    market: Market
    outcome: str = "impossible"
    brings: int = 0
    asked: int = 0

    def __call__(self, *, now: datetime, by: By, manager_id: int, need_micros: int) -> Recharger:
        self.asked += 1
        if self.outcome == "recharged":
            credit.book_payment(now=now, by=by, manager_id=manager_id, amount_micros=self.brings, reference=f"recharge {self.asked}")
        return self


@pytest.fixture
def market(store: Store) -> Market:
    made = Market()
    subscriptions.buy_channels(**made.me(), channels=5)
    return made


def set_price(market: Market, price_micros: int | None) -> None:
    products.set_channel_price(now=NOW, by=BY, price_list_id=market.company.price_list_id, price_micros=price_micros)


def sweep(now: datetime, recharge: Recharger | None = None, limit: int = 100) -> tuple[int, int, int, int]:
    done = renew_due(now=now, by=BY, limit=limit, recharge=recharge)
    return done.renewed, done.ended, done.lapsed, done.unpaid


def test_r3_2_a_subscription_renews_by_itself_at_its_end(market: Market) -> None:
    assert sweep(END - timedelta(seconds=1)) == (0, 0, 0, 0)
    before = market.credit
    assert sweep(END + timedelta(minutes=1)) == (1, 0, 0, 0)
    term = market.open("channels")
    assert (term.starts_at, term.ends_at, term.quantity, term.price_micros) == (END, END + MONTH, 5, 5 * CHANNEL)
    assert (term.previous.end if term.previous else "", market.credit, market.channels) == ("renewed", before - 5 * CHANNEL, 5)
    assert sweep(END + timedelta(minutes=2)) == (0, 0, 0, 0)
    assert audit().ok


def test_renewed_at_todays_price(market: Market) -> None:
    set_price(market, 1)
    sweep(END)
    assert market.open("channels").price_micros == 5
    set_price(market, None)
    assert sweep(END + MONTH) == (0, 0, 1, 0)


def test_r3_4_what_was_cancelled_ends(market: Market) -> None:
    subscriptions.cancel_channels(**market.me())
    before = market.credit
    assert sweep(END) == (0, 1, 0, 0)
    assert (market.channels, market.credit, Term.objects.latest("id").end) == (0, before, "cancelled")
    assert audit().ok


def test_r3_6_without_credit_and_recharge_it_lapses(market: Market) -> None:
    drain(market, leave=5 * CHANNEL - 1)
    recharge = Recharger(market)
    assert sweep(END, recharge) == (0, 0, 1, 0)
    assert (market.channels, Term.objects.latest("id").end, recharge.asked) == (0, "lapsed", 1)
    assert market.credit == 5 * CHANNEL - 1
    assert audit().ok


def test_r3_6_auto_recharge_comes_first(market: Market) -> None:
    drain(market)
    recharge = Recharger(market, "recharged", brings=50 * MICROS)
    assert sweep(END, recharge) == (1, 0, 0, 0)
    assert (market.channels, market.credit) == (5, 50 * MICROS - 5 * CHANNEL)


@pytest.mark.parametrize("outcome", ["later", "under_way"])
def test_r3_6_a_payment_that_may_still_come_is_waited_for(market: Market, outcome: str) -> None:
    drain(market)
    recharge = Recharger(market, outcome)
    first = END + 7 * DAY  # the sweep did not run for a week: the wait begins when it was tried
    assert sweep(first, recharge) == (0, 0, 0, 1)
    almost = first + 3 * DAY - timedelta(seconds=1)
    assert (sweep(almost, recharge), due_since(almost), recharge.asked) == ((0, 0, 0, 0), None, 1)
    RechargeRule.objects.create(account=market.company.manager.account, threshold_micros=0, amount_micros=1, next_try_at=almost)
    assert (sweep(almost, recharge), recharge.asked) == ((0, 0, 0, 1), 2)
    assert (market.channels, due_since(almost)) == (5, END)
    credit.book_payment(now=NOW, by=BY, manager_id=market.company.manager_id, amount_micros=100 * MICROS, reference="late")
    assert sweep(first + 3 * DAY, recharge) == (1, 0, 0, 0)
    assert market.open("channels").starts_at == END


def test_r3_6_the_wait_ends_after_three_days(market: Market) -> None:
    drain(market)
    recharge = Recharger(market, "later")
    sweep(END, recharge)
    assert sweep(END + 3 * DAY, recharge) == (0, 0, 1, 0)
    assert market.channels == 0


def test_what_waits_is_tried_as_soon_as_the_price_of_now_is_there(market: Market) -> None:
    """Not by what the last term has cost."""
    recharge = Recharger(market, "later")
    drain(market, leave=4 * CHANNEL)
    sweep(END, recharge)
    set_price(market, 2 * CHANNEL)
    credit.book_payment(now=NOW, by=BY, manager_id=market.company.manager_id, amount_micros=2 * CHANNEL, reference="too little now")
    assert (due_since(END), sweep(END, recharge), recharge.asked) == (None, (0, 0, 0, 0), 1)
    set_price(market, CHANNEL // 2)
    assert (due_since(END), sweep(END, recharge), recharge.asked) == (END, (1, 0, 0, 0), 1)


def test_what_waits_is_tried_when_auto_recharge_is_set_up_anew(market: Market) -> None:
    recharge = Recharger(market, "later")
    drain(market)
    sweep(END, recharge)
    rule = RechargeRule.objects.create(
        account=market.company.manager.account, threshold_micros=0, amount_micros=1, next_try_at=END + DAY, failures=1
    )
    assert due_since(END) is None
    RechargeRule.objects.filter(pk=rule.pk).update(next_try_at=None, failures=0)  # as `recharge_rules` does
    recharge.outcome, recharge.brings = "recharged", 50 * MICROS
    assert sweep(END, recharge) == (1, 0, 0, 0)


def test_one_that_cannot_be_settled_stops_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market(profile_count=3)
    for ident in market.company.profile_ids:
        subscriptions.buy_channels(now=NOW, by=BY, profile_id=ident, channels=1)
    settle, stuck = renewals._settle, Term.objects.filter(ended_at=None).earliest("pk").pk

    def settle_others(now: datetime, by: By, term_id: int, recharge: renewals.Recharge | None) -> renewals.Outcome:
        if term_id == stuck:
            raise ZeroDivisionError
        return settle(now, by, term_id, recharge)

    monkeypatch.setattr(renewals, "_settle", settle_others)
    assert sweep(END) == (2, 0, 0, 0)
    assert due_since(END) == END


def test_the_price_of_a_renewal_is_one_in_python_and_in_sql(market: Market) -> None:
    bundles.buy_bundles(**market.bundle(), quantity=3)
    subscriptions.change_channels(**market.me(), channels=7)
    Term.objects.filter(kind="channels", ended_at=None).update(complimentary=True)
    found = Term.objects.select_related("manager__price_list", "product", "number").annotate(in_sql=RENEWAL_PRICE)
    prices = [(term.in_sql, term.quantity * (unit_price_micros(term, term.manager) or 0)) for term in found]
    assert [one for one, _ in prices] == [other for _, other in prices]
    assert {one for one, _ in prices} >= {0, 3 * BUNDLE}


def test_r3_3_what_waits_for_its_payment_can_be_made_smaller(market: Market) -> None:
    drain(market, leave=2 * CHANNEL)
    sweep(END, Recharger(market, "later"))
    bought = subscriptions.change_channels(**market.me(END + DAY), channels=2)
    assert (bought.refund_micros, bought.starts_at, market.credit, market.channels) == (0, END, 0, 2)
    assert audit().ok


def test_after_a_long_pause_terms_follow_each_other(market: Market) -> None:
    bundles.buy_bundles(**market.bundle(NOW + DAY), quantity=1)
    assert sweep(NOW + 100 * DAY) == (6, 0, 0, 0)
    spans = Term.objects.filter(kind="channels", price_micros__gt=0).order_by("id").values_list("starts_at", "ends_at")
    assert list(spans) == [(NOW + n * MONTH, NOW + (n + 1) * MONTH) for n in range(4)]
    assert market.credit == 1000 * MICROS - 4 * 5 * CHANNEL - 4 * BUNDLE
    notes = Posting.objects.filter(kind__in=["channels", "bundle"], note__contains="until").order_by("id")
    assert [each.kind for each in notes] == ["channels", "bundle"] * 4  # in the order in which they were due
    assert audit().ok


def test_a_limit_leaves_the_rest_for_the_next_sweep(market: Market) -> None:
    first = renew_due(now=NOW + 100 * DAY, by=BY, limit=2)
    assert first == Renewed(2, 0, 0, 0, more=True)
    assert renew_due(now=NOW + 100 * DAY, by=BY, limit=2) == Renewed(1, 0, 0, 0, more=False)


def test_r5_2_bundles_renew_with_new_minutes_and_nothing_rolls_over(market: Market) -> None:
    bundles.buy_bundles(**market.bundle(), quantity=2)
    assert sweep(END) == (2, 0, 0, 0)
    term = market.open("bundle")
    assert term.minutes is not None
    assert (term.quantity, term.minutes.balance, term.granted_seconds) == (2, 600_000, 600_000)
    assert list(Account.objects.filter(kind="bundle").order_by("id").values_list("balance", flat=True)) == [0, 600_000]
    assert audit().ok


def test_r5_2_bundles_of_ended_channels_stay_paid_and_are_not_renewed(market: Market) -> None:
    """Channels end first; the bundle's minutes are there until its own end, in case channels are bought again."""
    bundles.buy_bundles(**market.bundle(NOW + DAY), quantity=2)
    subscriptions.cancel_channels(**market.me())
    sweep(END)
    assert (market.channels, market.open("bundle").quantity) == (0, 2)
    before = market.credit
    assert sweep(END + DAY) == (0, 0, 1, 0)
    assert market.credit == before
    assert audit().ok


def test_r5_2_a_renewal_brings_no_more_bundles_than_channels(market: Market) -> None:
    bundles.buy_bundles(**market.bundle(NOW + 2 * DAY), quantity=4)
    subscriptions.cancel_channels(**market.me())
    sweep(END)
    subscriptions.buy_channels(**market.me(END + timedelta(hours=1)), channels=4)
    Term.objects.filter(kind="channels", ended_at=None).update(quantity=3)  # as nothing does; the rule holds all the same
    sweep(END + 2 * DAY)
    assert (market.open("bundle").quantity, market.open("bundle").price_micros) == (3, 3 * BUNDLE)


def test_after_a_long_pause_what_ended_later_was_still_there(market: Market) -> None:
    """The bundle was due a day before the cancelled channels ended: it is renewed, whenever somebody looks."""
    subscriptions.change_channels(**market.me(NOW + DAY), channels=6)
    bundles.buy_bundles(**market.bundle(NOW + DAY - timedelta(hours=1)), quantity=1)
    subscriptions.cancel_channels(**market.me(NOW + DAY))
    assert sweep(NOW + 2 * MONTH) == (1, 1, 0, 0)
    assert (market.channels, market.open("bundle").quantity) == (0, 1)


def test_what_is_complimentary_renews_for_nothing(market: Market) -> None:
    profiles.grant_channels(**market.me(), channels=9)
    before = market.credit
    drain(market)
    assert sweep(NOW + 3 * MONTH, Recharger(market)) == (3, 0, 0, 0)
    assert (market.channels, market.open("channels").complimentary, before > 0) == (9, True, True)
    assert audit().ok


def test_several_sweeps_at_once_renew_each_term_once(store: Store) -> None:
    market = Market(credit_units=1000, profile_count=4)
    for ident in market.company.profile_ids:
        subscriptions.buy_channels(now=NOW, by=BY, profile_id=ident, channels=2)
    done = all_at_once([lambda: sweep(NOW + 65 * DAY)] * 4)
    assert sum(renewed for renewed, *_ in done) == 8
    assert market.credit == 1000 * MICROS - 4 * 3 * 2 * CHANNEL
    assert Term.objects.filter(ended_at=None).count() == 4
    assert audit().ok
