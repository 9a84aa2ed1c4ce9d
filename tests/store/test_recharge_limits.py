"""A renewal that is dearer than one payment may be: paid in several, or not at all (SPEC R3.6, R4.2, R4.3), on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW
from tests.store.market import CHANNEL, DAY, MONTH, Market, drain
from tests.store.test_concurrency import all_at_once
from tests.store.test_payments import store_card
from trunkline.domain.money import MICROS
from trunkline.domain.payments import Limits, Means
from trunkline.providers.payments.fake import FakePayments
from trunkline.store.audit import audit
from trunkline.store.models import Mail, Manager, Payment, RechargeRule
from trunkline.usecases import payments, purchase_limits, subscriptions
from trunkline.usecases.recharge import recharge_due
from trunkline.usecases.recharge_payments import ChargeMethod, recharge_manager_now
from trunkline.usecases.recharge_rules import set_recharge
from trunkline.usecases.renewals import renew_due

END = NOW + MONTH
CARD = Payment.objects.exclude(provider="booked").order_by("pk")


class Payer:
    """A company that is not verified (100 by card at once, 300 in 30 days), without Credit, with a card and Auto-recharge of 100."""

    def __init__(self, channels: int, fake: FakePayments) -> None:
        self.market = Market()
        subscriptions.buy_channels(**self.market.me(), channels=channels)
        self.price = channels * CHANNEL
        drain(self.market)
        Manager.objects.update(email="notices@example.com")
        store_card(self.market.company, fake)
        self.charge: ChargeMethod = partial(payments.charge_method, provider=fake)
        self.recharges(100)

    def recharges(self, units: int, limit: int | None = None) -> None:
        monthly = None if limit is None else limit * MICROS
        set_recharge(
            now=NOW,
            by=BY,
            manager_id=self.market.company.manager_id,
            threshold_micros=0,
            amount_micros=units * MICROS,
            monthly_limit_micros=monthly,
            confirmed=True,
        )

    def sweep(self, now: datetime = END, charge: ChargeMethod | None = None) -> tuple[int, int, int]:
        done = renew_due(now=now, by=BY, limit=10, recharge=partial(recharge_manager_now, charge=charge or self.charge))
        return done.renewed, done.unpaid, done.lapsed


@pytest.fixture
def fake(tmp_path: Path) -> FakePayments:
    return FakePayments(path=tmp_path / "fake.sqlite3", key=b"k" * 32)


@pytest.fixture
def payer(store: Store, fake: FakePayments) -> Payer:
    """Of 30 channels: 208.50."""
    return Payer(30, fake)


def paid() -> list[int]:
    return [micros // MICROS for micros in CARD.filter(state="succeeded").values_list("amount_micros", flat=True)]


def test_it_is_paid_in_as_many_payments_as_it_takes(payer: Payer) -> None:
    assert payer.sweep() == (1, 0, 0)
    assert (paid(), payer.market.credit, payer.market.channels) == ([100, 100, 100], 300 * MICROS - payer.price, 30)
    assert not Mail.objects.exists()
    assert audit().ok


def test_the_last_payment_is_what_the_limit_leaves(payer: Payer) -> None:
    purchase_limits.set_limits(now=NOW, by=BY, currency="USD", means=Means.CARD, verified=False, limits=Limits(90 * MICROS, 210 * MICROS))
    assert payer.sweep() == (1, 0, 0)
    assert paid() == [90, 90, 30]


def test_the_customers_own_limit_holds_and_is_enough(payer: Payer) -> None:
    payer.recharges(150, limit=220)
    assert payer.sweep() == (1, 0, 0)
    assert paid() == [100, 100, 20]


def test_when_not_all_can_be_paid_nothing_is_and_the_reason_is_told(store: Store, fake: FakePayments) -> None:
    """Verified within the three days of grace, it is paid at once."""
    payer = Payer(50, fake)
    assert payer.sweep() == (0, 1, 0)
    assert (paid(), payer.market.channels) == ([], 50)
    text = Mail.objects.get(key__startswith="recharge_failed/").text
    assert "$300.00 may be paid in 30 days, and $300.00 is left: $347.50 is too much." in text
    assert "Have the company verified for a higher limit." in text
    Manager.objects.update(verification="verified")
    assert payer.sweep(END + timedelta(hours=1)) == (1, 0, 0)
    assert paid() == [400]


def test_it_lapses_after_the_grace_without_a_payment(store: Store, fake: FakePayments) -> None:
    payer = Payer(50, fake)
    assert [payer.sweep(END + days * DAY) for days in range(4)] == [(0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 0, 1)]
    assert (paid(), payer.market.channels, CARD.count()) == ([], 0, 0)


def test_whoever_dies_between_two_payments_pays_no_more(payer: Payer) -> None:
    asked: list[int] = []

    def dies(**given: object) -> payments.TopUp:
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return payer.charge(**given)  # type: ignore[arg-type,return-value]

    with pytest.raises(KeyboardInterrupt):
        payer.sweep(charge=dies)
    assert payer.sweep(END + timedelta(minutes=1)) == (0, 0, 0), "what became of the second is asked after two minutes"
    assert payer.sweep(END + timedelta(minutes=3)) == (1, 0, 0)
    assert paid() == [100, 100, 100]


def test_several_sweeps_at_once_pay_once(payer: Payer) -> None:
    all_at_once([payer.sweep] * 4)
    for minutes in range(3, 12, 3):
        payer.sweep(END + timedelta(minutes=minutes))
    assert (paid(), payer.market.channels) == ([100, 100, 100], 30)
    assert audit().ok


def test_a_low_balance_is_recharged_by_what_one_payment_may_be(payer: Payer) -> None:
    payer.recharges(150)
    RechargeRule.objects.update(threshold_micros=50 * MICROS)
    assert recharge_due(now=NOW, by=BY, limit=10, charge=payer.charge).recharged == 1
    assert paid() == [100]
    assert recharge_due(now=NOW, by=BY, limit=10, charge=payer.charge).recharged == 0
