"""Amounts, ids and states that can't be: every use case of money says what is wrong, and books nothing (issue 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.callcontrol.ground import Table
from tests.conftest import Store
from tests.store.cast import BY, NOW
from tests.store.market import Market
from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit, NotFound, Problem
from trunkline.domain.money import MAX_AMOUNT_MICROS, MICROS, parse_micros
from trunkline.domain.number_sheet import StockNumber
from trunkline.domain.payments import OverLimit
from trunkline.providers.payments.contract import Event, Told
from trunkline.providers.payments.fake import FakePayments
from trunkline.store.audit import audit
from trunkline.store.ledger import microseconds
from trunkline.store.models import Account, AuditEntry, Number, Payment, Posting, Refund, Term
from trunkline.usecases import (
    bundles,
    carriers,
    credit,
    number_fees,
    payment_events,
    payments,
    products,
    profile_deletion,
    refunds,
    subscriptions,
)
from trunkline.usecases.managers import create_manager, suspend_manager
from trunkline.usecases.numbers import add_numbers

NOBODY = 987_654_321
BEYOND_64_BITS = 2**63
AMOUNTS = [0, -1, -MICROS, MAX_AMOUNT_MICROS + 1, BEYOND_64_BITS, -BEYOND_64_BITS]


@dataclass
class Bank:
    """What these tests try in vain: a company that has everything, and a payment of it that has succeeded."""

    market: Market
    provider: FakePayments
    payment_id: int
    number_id: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.market, name)


@pytest.fixture
def bank(store: Store, tmp_path: Path) -> Bank:
    market = Market()
    given: dict[str, Any] = {"now": NOW, "by": BY}
    provider = FakePayments(path=tmp_path / "payments.sqlite3", key=b"k" * 32)
    credit.allocate_credit(**given, profile_id=market.profile_id, amount_micros=10 * MICROS, reference="a")
    subscriptions.buy_channels(**given, profile_id=market.profile_id, channels=2)
    top_up = payments.start_top_up(
        **given, manager_id=market.company.manager_id, amount_micros=20 * MICROS, reference="t", return_url="", provider=provider
    )
    payment = Payment.objects.get(pk=top_up.payment_id)
    payment_events.apply_event(**given, provider=provider, event=told(payment, Told.SUCCEEDED))
    add_numbers(**given, stock=[StockNumber("16465550100", "US")])
    return Bank(market, provider, payment.pk, Number.objects.get().pk)


def told(payment: Payment, what: Told, **more: Any) -> Event:
    facts: dict[str, Any] = {
        "event_id": f"{what}", "reference": payment.reference, "provider_reference": payment.provider_reference,
        "amount_micros": payment.amount_micros, "currency": payment.currency,
    }  # fmt: skip
    return Event(told=what, **(facts | more))


@contextmanager
def nothing_booked() -> Iterator[None]:
    """No posting, no balance, no term, no payment, and nothing in the log."""
    before = everything()
    yield
    assert everything() == before
    assert audit().ok


def everything() -> list[Any]:
    counts = [model.objects.count() for model in (Posting, Payment, Refund, AuditEntry)]
    terms = list(Term.objects.order_by("pk").values_list("pk", "ended_at", "renews", "refunded_micros"))
    return [counts, terms, list(Account.objects.order_by("pk").values_list("pk", "balance", "held"))]


def moves(bank: Bank) -> dict[str, Callable[[int], Any]]:
    """Everything that takes an amount."""
    given: dict[str, Any] = {"now": NOW, "by": BY, "reference": "new"}
    manager_id, profile_id = bank.company.manager_id, bank.profile_id
    top_up: dict[str, Any] = {"manager_id": manager_id, "return_url": "", "provider": bank.provider}
    refund: dict[str, Any] = {"payment_id": bank.payment_id, "reason": "asked for", "provider": bank.provider}
    return {
        "book": lambda amount: credit.book_payment(**given, manager_id=manager_id, amount_micros=amount),
        "allocate": lambda amount: credit.allocate_credit(**given, profile_id=profile_id, amount_micros=amount),
        "take back": lambda amount: credit.take_back_credit(**given, profile_id=profile_id, amount_micros=amount),
        "top up": lambda amount: payments.start_top_up(**given, **top_up, amount_micros=amount),
        "refund": lambda amount: refunds.refund(**given, **refund, amount_micros=amount),
    }


MOVES = ["book", "allocate", "take back", "top up", "refund"]


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("move", MOVES)
def test_amounts_that_can_not_be(bank: Bank, move: str, amount: int) -> None:
    with nothing_booked(), pytest.raises(Problem):
        moves(bank)[move](amount)


@pytest.mark.parametrize("move", ["allocate", "take back", "refund", "top up"])
def test_more_than_there_is_or_may_be(bank: Bank, move: str) -> None:
    with nothing_booked(), pytest.raises((NotEnoughCredit, OverLimit, Conflict, Invalid)):
        moves(bank)[move](MAX_AMOUNT_MICROS)


@pytest.mark.parametrize("text", ["0.0000001", "-1", "1e3", "1,000", "", "NaN", "١٢", "1.2.3", "9" * 30, "0x10", "1 000", "+-1"])
def test_text_that_is_no_amount(text: str) -> None:
    with pytest.raises(Invalid):
        parse_micros(text)


@pytest.mark.parametrize("move", ["top up", "refund"])
def test_a_card_pays_whole_cents(bank: Bank, move: str) -> None:
    with nothing_booked(), pytest.raises(Invalid):
        moves(bank)[move](MICROS + 1)


def test_the_same_reference_for_something_else(bank: Bank) -> None:
    for move, reference in (("allocate", "a"), ("top up", "t")):
        done = {"allocate": credit.allocate_credit, "top up": payments.start_top_up}[move]
        about: dict[str, Any] = {"profile_id": bank.profile_id}
        if move == "top up":
            about = {"manager_id": bank.company.manager_id, "return_url": "", "provider": bank.provider}
        with nothing_booked(), pytest.raises(Conflict):
            done(now=NOW, by=BY, **about, amount_micros=3 * MICROS, reference=reference)  # type: ignore[operator]


@pytest.mark.parametrize("reference", ["", " ", "x" * 41, "a\nb", "a\x00b"])
def test_references_that_can_not_be(bank: Bank, reference: str) -> None:
    manager_id, profile_id = bank.company.manager_id, bank.profile_id
    given: dict[str, Any] = {"now": NOW, "by": BY, "reference": reference, "amount_micros": MICROS}
    tries: list[Callable[[], Any]] = [
        lambda: credit.book_payment(**given, manager_id=manager_id),
        lambda: credit.allocate_credit(**given, profile_id=profile_id),
        lambda: credit.take_back_credit(**given, profile_id=profile_id),
        lambda: payments.start_top_up(**given, manager_id=manager_id, return_url="", provider=bank.provider),
        lambda: refunds.refund(**given, payment_id=bank.payment_id, reason="asked for", provider=bank.provider),
    ]
    for each in tries:
        if reference == "a\nb" and each in tries[:3]:
            continue  # white space is put in order: it is `a b`
        with nothing_booked(), pytest.raises(Invalid):
            each()


@pytest.mark.parametrize("ident", [0, -1, NOBODY])
def test_nobody(bank: Bank, ident: int) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY}
    amount: dict[str, Any] = given | {"amount_micros": MICROS, "reference": "new"}
    bundle: dict[str, Any] = given | {"profile_id": ident, "product_id": bank.product_id}
    tries: list[Callable[[], Any]] = [
        lambda: credit.book_payment(**amount, manager_id=ident),
        lambda: credit.allocate_credit(**amount, profile_id=ident),
        lambda: credit.take_back_credit(**amount, profile_id=ident),
        lambda: payments.start_top_up(**amount, manager_id=ident, return_url="", provider=bank.provider),
        lambda: payments.charge_method(**amount, manager_id=bank.company.manager_id, method_id=ident, provider=bank.provider),
        lambda: refunds.refund(**amount, payment_id=ident, reason="asked for", provider=bank.provider),
        lambda: subscriptions.buy_channels(**given, profile_id=ident, channels=1),
        lambda: subscriptions.change_channels(**given, profile_id=ident, channels=1),
        lambda: subscriptions.cancel_channels(**given, profile_id=ident),
        lambda: subscriptions.undo_cancel_channels(**given, profile_id=ident),
        lambda: bundles.buy_bundles(**bundle, quantity=1),
        lambda: bundles.change_bundles(**bundle, quantity=1),
        lambda: bundles.cancel_bundles(**bundle),
        lambda: bundles.extend_bundles(**bundle),
        lambda: number_fees.rent_number(**given, manager_id=ident, number_id=bank.number_id),
        lambda: number_fees.rent_number(**given, manager_id=bank.company.manager_id, number_id=ident),
        lambda: number_fees.rent_number(**given, manager_id=bank.company.manager_id, number_id=bank.number_id, profile_id=ident),
        lambda: number_fees.cancel_number(**given, manager_id=bank.company.manager_id, number_id=ident),
        lambda: profile_deletion.delete_profile(**given, profile_id=ident),
        lambda: products.set_channel_price(**given, price_list_id=ident, price_micros=MICROS),
    ]
    for each in tries:
        with nothing_booked(), pytest.raises(NotFound):
            each()


@pytest.mark.parametrize("quantity", [0, -1, 301, 305, 10**6, BEYOND_64_BITS, -BEYOND_64_BITS])
def test_quantities_that_can_not_be(bank: Bank, quantity: int) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "profile_id": bank.profile_id}
    tries: list[Callable[[], Any]] = [
        lambda: subscriptions.change_channels(**given, channels=quantity),
        lambda: subscriptions.preview_channels(now=NOW, profile_id=bank.profile_id, channels=quantity),
        lambda: bundles.buy_bundles(**given, product_id=bank.product_id, quantity=quantity),
    ]
    for each in tries:
        with nothing_booked(), pytest.raises((Invalid, Conflict)):
            each()


@pytest.mark.parametrize("product_id", [0, -1, NOBODY])
def test_bundles_that_are_not_sold_here(bank: Bank, product_id: int) -> None:
    with nothing_booked(), pytest.raises(Invalid):
        bundles.buy_bundles(now=NOW, by=BY, profile_id=bank.profile_id, product_id=product_id, quantity=1)


@pytest.mark.parametrize("price", [-1, 1001 * MICROS, BEYOND_64_BITS])
def test_prices_that_can_not_be_meant(bank: Bank, price: int) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "price_list_id": bank.company.price_list_id, "price_micros": price}
    with nothing_booked(), pytest.raises(Invalid):
        products.set_channel_price(**given)
    with nothing_booked(), pytest.raises(Invalid):
        products.set_bundle_product(**given, code="x", name="x", minutes=1, country="US")


def test_a_deleted_profile_buys_and_gets_nothing(bank: Bank) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "profile_id": bank.profile_id}
    profile_deletion.delete_profile(**given)
    tries: list[Callable[[], Any]] = [
        lambda: credit.allocate_credit(**given, amount_micros=MICROS, reference="new"),
        lambda: credit.take_back_credit(**given, amount_micros=MICROS, reference="new"),
        lambda: subscriptions.buy_channels(**given, channels=1),
        lambda: bundles.buy_bundles(**given, product_id=bank.product_id, quantity=1),
        lambda: number_fees.rent_number(**given, manager_id=bank.company.manager_id, number_id=bank.number_id),
        lambda: profile_deletion.delete_profile(**given),
    ]
    for each in tries:
        with nothing_booked(), pytest.raises(NotFound):
            each()


def test_money_keeps_its_currency(bank: Bank) -> None:
    """A Manager's currency is that of its price list; a provider that tells of another is not believed."""
    with nothing_booked(), pytest.raises(Conflict):
        create_manager(
            now=NOW, by=BY, company_name="Bakers", country="FR", currency="EUR", time_zone="Europe/Paris", admin_account="Bakers.Admin",
            price_list_id=bank.company.price_list_id,
        )  # fmt: skip
    given: dict[str, Any] = {"now": NOW, "by": BY}
    top_up: dict[str, Any] = {"manager_id": bank.company.manager_id, "return_url": "", "provider": bank.provider}
    made = payments.start_top_up(**given, **top_up, amount_micros=5 * MICROS, reference="new")
    waiting = Payment.objects.get(pk=made.payment_id)
    wrong: tuple[dict[str, Any], ...] = (
        {"currency": "EUR"},
        {"amount_micros": 500 * MICROS},
        {"amount_micros": -5 * MICROS},
        {"amount_micros": 0},
    )
    before = bank.credit
    for number, lie in enumerate(wrong):
        event = told(waiting, Told.SUCCEEDED, **lie, event_id=f"lie {number}")
        assert payment_events.apply_event(**given, provider=bank.provider, event=event).waits
    assert bank.credit == before
    settled = Payment.objects.get(pk=bank.payment_id)
    for what in (Told.REFUNDED, Told.DISPUTED):
        for number, lie in enumerate([*wrong[:1], {"amount_micros": -MICROS}, {"amount_micros": 10**15}]):
            event = told(settled, what, about="x", **lie, event_id=f"{what} {number}")
            payment_events.apply_event(**given, provider=bank.provider, event=event)
    assert audit().ok
    assert bank.credit >= 0


def test_a_suspended_company_pays_for_no_calls(bank: Bank) -> None:
    """It may still pay, and take back what it has; nothing is spent for it."""
    carrier_id = carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier_id, prefix="")
    profile = bank.company.profile()
    assert Table(now_us=microseconds(NOW)).verdict(profile)["go"] == 1
    suspend_manager(now=NOW, by=BY, manager_id=bank.company.manager_id, reason="a disputed payment")
    with nothing_booked():
        assert Table(now_us=microseconds(NOW) + MICROS).verdict(profile)["go"] == 0
