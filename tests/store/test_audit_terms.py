"""The audit names what does not follow from what was bought: each kind of damage is done by hand, and found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import F, QuerySet

from tests.conftest import Store
from tests.store.cast import NOW
from tests.store.market import BUNDLE, DAY, Market, use_minutes
from trunkline.store.audit import audit
from trunkline.store.models import Profile, Term
from trunkline.usecases import bundles, subscriptions

LATER = NOW + DAY
Damage = Callable[[Market], object]


def open_channels() -> QuerySet[Term]:
    return Term.objects.filter(kind="channels", ended_at=None)


@pytest.fixture
def market(store: Store) -> Market:
    made = Market()
    subscriptions.buy_channels(**made.me(), channels=5)
    bundles.buy_bundles(**made.bundle(), quantity=1)
    use_minutes(made.open("bundle"), 600)
    subscriptions.change_channels(**made.me(LATER), channels=4)
    bundles.change_bundles(**made.bundle(LATER), quantity=3)
    return made


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        ("term_channels", lambda market: Profile.objects.filter(pk=market.profile_id).update(channels=9)),
        ("term_channels", lambda market: open_channels().update(quantity=6)),
        ("term_bundles", lambda market: Term.objects.filter(kind="bundle", ended_at=None).update(quantity=5)),
        ("term_price", lambda market: open_channels().update(price_micros=BUNDLE)),
        ("term_refund", lambda market: Term.objects.filter(end="changed", price_micros__gt=1).update(refunded_micros=1)),
        ("term_minutes", lambda market: Term.objects.filter(kind="bundle").update(granted_seconds=F("granted_seconds") + 1)),
        ("term_overlap", lambda market: open_channels().update(starts_at=F("starts_at") - DAY / 2)),
    ],
)
def test_damage_is_found(market: Market, check: str, damage: Damage) -> None:
    assert audit().differences == []
    assert damage(market)
    assert check in {each.check for each in audit().differences}
