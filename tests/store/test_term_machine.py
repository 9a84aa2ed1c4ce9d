"""Anybody may do anything in any order: what is left is compared with a plain re-computation (SPEC R3, R5).

The model knows two dictionaries and a sum; it shares no code with what it checks.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from tests.store.cast import BY, NOW
from tests.store.market import BUNDLE, CHANNEL, Market, use_minutes
from trunkline.domain.errors import Problem
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.models import Term
from trunkline.usecases import bundles, credit, subscriptions
from trunkline.usecases.profile_orders import Order, buy_order
from trunkline.usecases.renewals import renew_due

SECONDS = 30 * 86_400
STEPS = 60
PRICES = {"channels": CHANNEL, "bundle": BUNDLE}


@dataclass
class Plain:
    """One thing that runs: how many, since when, cancelled or not; minutes left."""

    count: int
    paid: int
    since: datetime
    renews: bool = True
    left: int = 0

    @property
    def until(self) -> datetime:
        return self.since + timedelta(seconds=SECONDS)

    def worth(self, now: datetime, *, bundle: bool) -> int:
        rest = max(0, SECONDS * 10**6 - (now - self.since) // timedelta(microseconds=1)) // 10**6
        by_time = self.paid * rest // SECONDS
        return min(by_time, self.paid * self.left // (self.count * 300_000)) if bundle else by_time


@dataclass
class Model:
    credit: int
    runs: dict[str, Plain] = field(default_factory=dict)
    changed_on: set[str] = field(default_factory=set)

    def take(self, kind: str, count: int, now: datetime, *, change: bool) -> bool:
        """Buy or change; False: refused."""
        old = self.runs.get(kind)
        count, day = sold(kind, count), day_of(now)
        other = self.runs.get("bundle" if kind == "channels" else "channels")
        room = (count >= (other.count if other else 0)) if kind == "channels" else (count <= (other.count if other else 0))
        if (old is not None) != change or not room or (old and old.count == count):
            return False
        if kind == "channels" and change and day in self.changed_on:
            return False
        back = old.worth(now, bundle=kind == "bundle") if old else 0
        if self.credit + back < count * PRICES[kind]:
            return False
        self.credit += back - count * PRICES[kind]
        if change and kind == "channels":
            self.changed_on.add(day)
        self.runs[kind] = Plain(count, count * PRICES[kind], now, left=count * 300_000)
        return True

    def take_both(self, channels: int, bundle_count: int, now: datetime) -> bool:
        """By one payment: only how it will be counts."""
        counts = {"channels": sold("channels", channels), "bundle": bundle_count}
        if counts["bundle"] > counts["channels"] or any(run.count == counts[kind] for kind, run in self.runs.items()):
            return False
        if "channels" in self.runs and day_of(now) in self.changed_on:
            return False
        back = sum(run.worth(now, bundle=kind == "bundle") for kind, run in self.runs.items())
        price = sum(count * PRICES[kind] for kind, count in counts.items())
        if self.credit + back < price:
            return False
        self.credit += back - price
        if "channels" in self.runs:
            self.changed_on.add(day_of(now))
        self.runs = {kind: Plain(count, count * PRICES[kind], now, left=count * 300_000) for kind, count in counts.items()}
        return True

    def renewal(self, kind: str, renews: bool) -> bool:
        old = self.runs.get(kind)
        if old is None or old.renews == renews:
            return False
        old.renews = renews
        return True

    def pass_to(self, now: datetime) -> None:
        """Whatever ends first comes first; channels before bundles."""
        while due := sorted((run.until, kind != "channels", kind) for kind, run in self.runs.items() if run.until <= now):
            _, _, kind = due[0]
            old = self.runs.pop(kind)
            channels = self.runs.get("channels")
            count = old.count if kind == "channels" else min(old.count, channels.count if channels else 0)
            price = count * PRICES[kind]
            if old.renews and count and self.credit >= price:
                self.credit -= price
                self.runs[kind] = Plain(count, price, old.until, left=count * 300_000)


def sold(kind: str, count: int) -> int:
    return count if count <= 100 or kind == "bundle" else int(f"{(count + 5) // 10}0")


def day_of(now: datetime) -> str:
    return str((now - timedelta(hours=5)).date())  # New York in winter


def act(market: Market, model: Model, chance: random.Random, now: datetime) -> tuple[bool, bool]:
    """One thing that somebody does: whether the store did it, and whether it should have."""
    kind = chance.choice(["channels", "bundle"])
    action = chance.choice(["buy", "change", "change", "both", "cancel", "keep", "call"])
    count = chance.choice([1, 2, 3, 5, 8, 12, 101, 105]) if kind == "channels" else chance.randint(1, 6)
    if action == "call":
        return call(market, model, chance)
    if action == "both":
        channels, bundle_count = chance.randint(1, 8), chance.randint(1, 6)
        order = Order(channels, ((market.product_id, bundle_count),))
        return works(lambda: buy_order(**market.me(now), order=order)), model.take_both(channels, bundle_count, now)
    if action in ("cancel", "keep"):
        return tried(market, f"{action} {kind}", now), model.renewal(kind, action == "keep")
    return tried(market, f"{action} {kind}", now, count), model.take(kind, count, now, change=action == "change")


def tried(market: Market, action: str, now: datetime, count: int = 0) -> bool:
    me, bundle = market.me(now), market.bundle(now)
    use_cases: dict[str, Callable[[], object]] = {
        "buy channels": lambda: subscriptions.buy_channels(**me, channels=count),
        "change channels": lambda: subscriptions.change_channels(**me, channels=count),
        "cancel channels": lambda: subscriptions.cancel_channels(**me),
        "keep channels": lambda: subscriptions.undo_cancel_channels(**me),
        "buy bundle": lambda: bundles.buy_bundles(**bundle, quantity=count),
        "change bundle": lambda: bundles.change_bundles(**bundle, quantity=count),
        "cancel bundle": lambda: bundles.cancel_bundles(**bundle),
        "keep bundle": lambda: bundles.extend_bundles(**bundle),
    }
    return works(use_cases[action])


def works(use_case: Callable[[], object]) -> bool:
    try:
        use_case()
    except Problem:
        return False
    return True


def call(market: Market, model: Model, chance: random.Random) -> tuple[bool, bool]:
    """Somebody talks on the bundle."""
    run = model.runs.get("bundle")
    if run is None or not run.left:
        return True, True
    used = chance.randint(1, run.left)
    run.left -= used
    use_minutes(market.open("bundle"), used)
    return True, True


def top_up(market: Market, model: Model, step: int) -> None:
    """Now and then, so that not everything ends for lack of Credit."""
    if step % 6 == 5:
        amount = 500 * MICROS
        credit.book_payment(now=NOW, by=BY, manager_id=market.company.manager_id, amount_micros=amount, reference=f"step {step}")
        model.credit += amount


def as_it_is() -> dict[str, tuple[int, int, datetime, bool, int]]:
    terms = Term.objects.filter(ended_at=None).select_related("minutes")
    return {
        each.kind: (each.quantity, each.price_micros, each.starts_at, each.renews, each.minutes.balance if each.minutes else 0)
        for each in terms
    }


def as_it_should_be(model: Model) -> dict[str, tuple[int, int, datetime, bool, int]]:
    return {kind: (run.count, run.paid, run.since, run.renews, run.left if kind == "bundle" else 0) for kind, run in model.runs.items()}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("store")
def test_random_purchases_end_as_a_plain_computation_says(seed: int) -> None:
    chance = random.Random(seed)
    market = Market(credit_units=3000)
    model = Model(credit=3000 * MICROS)
    now, done = NOW, 0
    for step in range(STEPS):
        now += chance.choice([timedelta(minutes=7), timedelta(hours=9, microseconds=5), timedelta(days=4), timedelta(days=33)])
        renew_due(now=now, by=BY, limit=100)
        model.pass_to(now)
        top_up(market, model, step)
        happened, expected = act(market, model, chance, now)
        assert happened == expected, (seed, step)
        assert as_it_is() == as_it_should_be(model), (seed, step)
        assert (market.credit, market.channels) == (model.credit, model.runs["channels"].count if "channels" in model.runs else 0), (
            seed,
            step,
        )
        done += happened
    assert done >= STEPS // 6  # not only refusals
    assert audit().differences == []
