"""What these tests buy: a company whose price list sells channels and US minutes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.store.cast import BY, NOW, Company, make_company
from trunkline.domain.errors import Problem
from trunkline.domain.money import MICROS
from trunkline.store import ledger
from trunkline.store.models import Account, Change, Posting, Term
from trunkline.usecases import products
from trunkline.usecases.profiles import grant_channels

CHANNEL = 6_950_000
BUNDLE = 95 * MICROS
DAY = timedelta(days=1)
MONTH = timedelta(days=30)


def sell(company: Company) -> int:
    """Prices for channels and bundles; the bundle's id."""
    about: dict[str, Any] = {"now": NOW, "by": BY, "price_list_id": company.price_list_id}
    products.set_channel_price(**about, price_micros=CHANNEL)
    return products.set_bundle_product(
        **about, code="us-5000", name="5,000 US minutes", minutes=5000, price_micros=BUNDLE, country="US", excluded_types=("premium",)
    )


class Market:
    """A Manager with Credit, one profile without channels, and what can be bought."""

    def __init__(self, credit_units: int = 1000, profile_count: int = 1) -> None:
        self.company = make_company(credit_units=credit_units, profile_count=profile_count)
        self.product_id = sell(self.company)
        for ident in self.company.profile_ids:
            grant_channels(now=NOW, by=BY, profile_id=ident, channels=0)
        self.profile_id = self.company.profile_ids[0]

    def me(self, now: datetime = NOW) -> dict[str, Any]:
        return {"now": now, "by": BY, "profile_id": self.profile_id}

    def bundle(self, now: datetime = NOW) -> dict[str, Any]:
        return self.me(now) | {"product_id": self.product_id}

    @property
    def credit(self) -> int:
        return self.company.manager.account.balance

    @property
    def channels(self) -> int:
        return self.company.profile().channels

    def open(self, kind: str) -> Term:
        return Term.objects.select_related("minutes").get(kind=kind, ended_at=None)


def drain(market: Market, leave: int = 0) -> None:
    """The Manager's Credit goes to a profile."""
    from trunkline.usecases.credit import allocate_credit

    amount = market.credit - leave
    if amount:
        allocate_credit(now=NOW, by=BY, profile_id=market.profile_id, amount_micros=amount, reference=f"drain {Posting.objects.count()}")


def use_minutes(term: Term, seconds: int) -> None:
    """As a call would."""
    assert term.minutes is not None
    purse = Account.objects.get(pk=term.minutes.pk)
    used = ledger.outside(Account.Kind.REVENUE, "SEC")
    key = f"used/{term.pk}/{Posting.objects.count()}"
    ledger.post(key=key, debit=purse, credit=used, amount=seconds, kind="minutes", now=NOW)


def state() -> tuple[Any, ...]:
    """Everything that a refused use case must leave as it is."""
    return (
        list(Account.objects.order_by("id").values_list("id", "balance", "held")),
        list(Term.objects.order_by("id").values_list("id", "ended_at", "renews", "quantity")),
        Posting.objects.count(),
        Change.objects.count(),
    )


@contextmanager
def refused(kind: type[Problem], match: str) -> Iterator[None]:
    """With this reason, and nothing happened."""
    before = state()
    with pytest.raises(kind, match=match):
        yield
    assert state() == before
