"""Payments through the fake provider: top-ups, stored methods, limits, and what can't be paid (SPEC R4.1, R4.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.store.cast import BY, NOW, Company, make_company
from trunkline.domain.errors import Conflict, Invalid, NotFound, Problem
from trunkline.domain.money import MAX_AMOUNT_MICROS, MICROS
from trunkline.domain.payments import Limits, Means, OverLimit
from trunkline.providers.payments import fake_desk
from trunkline.providers.payments.contract import ProviderUnreachable
from trunkline.providers.payments.fake import FakePayments
from trunkline.store.audit import audit
from trunkline.store.models import Manager, Payment, PaymentMethod, Posting, RechargeRule
from trunkline.usecases import payment_methods, payments, purchase_limits
from trunkline.usecases.credit import book_payment
from trunkline.usecases.payment_events import apply_event

LATER = NOW + timedelta(minutes=3)


@pytest.fixture
def fake(tmp_path: Path) -> FakePayments:
    return FakePayments(path=tmp_path / "fake.sqlite3", key=b"k" * 32)


def top_up(company: Company, fake: FakePayments, units: int = 50, **given: Any) -> payments.TopUp:
    about: dict[str, Any] = {"manager_id": company.manager_id, "amount_micros": units * MICROS, "reference": "one", "return_url": "/paid"}
    return payments.start_top_up(now=NOW, by=BY, provider=fake, **about | given)


def tell(fake: FakePayments, event_id: str) -> int:
    """Through signature, parser and use case, as the webhook does."""

    def post(body: bytes, signature: str) -> int:
        event = fake.parse_webhook(body, {fake.signature_header: signature})
        apply_event(now=NOW, by=BY, provider=fake, event=event)
        return 200

    return fake_desk.deliver(fake, event_id, post)


def at_fake(payment_id: int) -> str:
    return Payment.objects.get(pk=payment_id).provider_reference


def store_card(company: Company, fake: FakePayments, card: str = "good") -> int:
    started = payment_methods.add_method(
        now=NOW, by=BY, manager_id=company.manager_id, reference=uuid4().hex, return_url="/methods", provider=fake
    )
    tell(fake, fake_desk.store_card(fake, started.action_url.rpartition("/")[2], card))
    return PaymentMethod.objects.latest("pk").pk


def charge(company: Company, fake: FakePayments, method_id: int, reference: str = "auto", now: datetime = NOW) -> payments.TopUp:
    about: dict[str, Any] = {"manager_id": company.manager_id, "method_id": method_id, "amount_micros": 20 * MICROS, "reference": reference}
    return payments.charge_method(now=now, by=BY, provider=fake, **about)


def balance(company: Company) -> int:
    return company.manager.account.balance // MICROS


def test_an_approved_payment_becomes_credit_once(company: Company, fake: FakePayments) -> None:
    started = top_up(company, fake)
    assert (started.state, balance(company)) == ("action_needed", 90)
    assert started.action_url == f"/pay/fake/payment/{at_fake(started.payment_id)}"
    event = fake_desk.decide(fake, at_fake(started.payment_id), "approve")
    assert [tell(fake, event), tell(fake, event)] == [200, 200]
    payment = Payment.objects.get(pk=started.payment_id)
    assert (payment.state, payment.settled_at, payment.action_url, balance(company)) == ("succeeded", NOW, "", 140)
    assert Posting.objects.filter(kind="payment", key=f"payment/{payment.pk}").count() == 1
    assert audit().ok


def test_the_same_reference_is_the_same_payment(company: Company, fake: FakePayments) -> None:
    first = top_up(company, fake)
    assert top_up(company, fake) == first
    with pytest.raises(Conflict, match="another payment"):
        top_up(company, fake, units=51)
    assert Payment.objects.filter(provider="fake").count() == 1


def test_a_declined_card_may_be_tried_again_and_a_cancelled_payment_not(company: Company, fake: FakePayments) -> None:
    started = top_up(company, fake)
    tell(fake, fake_desk.decide(fake, at_fake(started.payment_id), "decline"))
    assert Payment.objects.get(pk=started.payment_id).failure == "The bank declined the card."
    tell(fake, fake_desk.decide(fake, at_fake(started.payment_id), "cancel"))
    assert Payment.objects.get(pk=started.payment_id).state == "cancelled"
    with pytest.raises(Conflict, match="cancelled already"):
        fake_desk.decide(fake, at_fake(started.payment_id), "approve")
    assert balance(company) == 90


def test_a_webhook_that_never_comes_is_asked_for(company: Company, fake: FakePayments) -> None:
    started = top_up(company, fake)
    fake_desk.decide(fake, at_fake(started.payment_id), "approve")
    assert payments.ask_again(now=NOW, by=BY, provider=fake, limit=10).asked == 0
    assert payments.ask_again(now=LATER, by=BY, provider=fake, limit=10) == payments.AskedAgain(1, 1)
    assert payments.ask_again(now=LATER, by=BY, provider=fake, limit=10).asked == 0
    assert balance(company) == 140


def test_a_page_that_its_payer_has_left_is_asked_for_ever_more_rarely(company: Company, fake: FakePayments) -> None:
    top_up(company, fake)
    asked = [payments.ask_again(now=NOW + timedelta(hours=hour), by=BY, provider=fake, limit=10).asked for hour in range(1, 24 * 40)]
    assert sum(asked[:23]) == 23
    assert sum(asked[23 : 24 * 30]) == 29
    assert sum(asked[24 * 30 :]) == 0
    fake_desk.decide(fake, at_fake(Payment.objects.get(provider="fake").pk), "approve")
    event = fake_desk.everything(fake)["event"][0]["id"]
    assert tell(fake, event) == 200
    assert balance(company) == 140


@pytest.mark.parametrize(
    ("card", "state", "credit"),
    [("good", "succeeded", 110), ("declined", "failed", 90), ("slow", "processing", 90), ("authentication", "action_needed", 90)],
)
def test_a_stored_card_is_charged_while_its_owner_is_away(company: Company, fake: FakePayments, card: str, state: str, credit: int) -> None:
    done = charge(company, fake, store_card(company, fake, card))
    assert (done.state, balance(company)) == (state, credit)
    assert (done.failure != "", done.action_url != "") == (state == "failed", state == "action_needed")
    assert charge(company, fake, PaymentMethod.objects.get().pk) == done
    assert audit().ok


def test_a_lost_answer_is_no_lost_payment(company: Company, fake: FakePayments) -> None:
    """The provider took the money and its answer got lost."""
    done = charge(company, fake, store_card(company, fake, "lost_answer"))
    assert (done.state, balance(company)) == ("processing", 90)
    payments.ask_again(now=LATER, by=BY, provider=fake, limit=10)
    assert Payment.objects.get(pk=done.payment_id).state == "processing"  # it loses every answer
    much_later = NOW + timedelta(days=2)
    assert payments.ask_again(now=much_later, by=BY, provider=fake, limit=10).settled == 1
    assert balance(company) == 110


def test_what_the_provider_has_forgotten_is_looked_at_and_not_asked_for_again(company: Company, fake: FakePayments) -> None:
    """A day later the same reference would be another payment there, whoever comes with it: a payer, or Auto-recharge after a pause."""
    made = charge(company, fake, store_card(company, fake, "lost_answer"))
    PaymentMethod.objects.update(token="nobody's")  # asked for again, it would be declined
    again = charge(company, fake, PaymentMethod.objects.get().pk, now=NOW + timedelta(days=1))
    assert (again.payment_id, again.state, balance(company)) == (made.payment_id, "succeeded", 110)
    assert audit().ok


def test_what_cannot_be_looked_at_waits(company: Company, fake: FakePayments, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(company, fake, store_card(company, fake, "lost_answer"))

    def unreachable(**_: str) -> None:
        raise ProviderUnreachable("It does not answer.")

    monkeypatch.setattr(fake, "fetch", unreachable)
    assert charge(company, fake, PaymentMethod.objects.get().pk, now=NOW + timedelta(days=1)).state == "processing"
    assert balance(company) == 90


def test_the_bank_wants_its_customer_and_gets_them(company: Company, fake: FakePayments) -> None:
    done = charge(company, fake, store_card(company, fake, "authentication"))
    tell(fake, fake_desk.decide(fake, at_fake(done.payment_id), "approve"))
    assert (Payment.objects.get(pk=done.payment_id).state, balance(company)) == ("succeeded", 110)


@pytest.mark.parametrize("amount_micros", [0, -1, -MICROS, MAX_AMOUNT_MICROS + 1, 1, MICROS + 1, 10_005_000])
def test_amounts_that_cannot_be_paid_are_refused_before_anything_is_asked(company: Company, fake: FakePayments, amount_micros: int) -> None:
    with pytest.raises(Invalid) as refused:
        top_up(company, fake, amount_micros=amount_micros)
    assert refused.value.field == "amount"
    assert not Payment.objects.filter(provider="fake").exists()
    assert fake_desk.everything(fake)["payment"] == []


@pytest.mark.parametrize("reference", ["", "a b", "ü", "x" * 41, "a/b", "'; --"])
def test_references_are_plain(company: Company, fake: FakePayments, reference: str) -> None:
    with pytest.raises(Invalid, match="can't be a reference"):
        top_up(company, fake, reference=reference)


def test_more_than_the_limit_says_what_is_left_and_how_to_get_more(company: Company, fake: FakePayments) -> None:
    with pytest.raises(OverLimit, match=r"at most \$100\.00\. Have the company verified"):
        top_up(company, fake, units=101)
    for number in range(3):
        top_up(company, fake, units=90, reference=f"r{number}")
    with pytest.raises(OverLimit, match=r"\$300\.00 may be paid in 30 days, and \$30\.00 is left"):
        top_up(company, fake, units=31, reference="r4")
    assert purchase_limits.room(now=NOW, manager=company.manager).left_micros == 30 * MICROS
    Manager.objects.filter(pk=company.manager_id).update(verification="verified")
    assert top_up(company, fake, units=2000, reference="r4").state == "action_needed"
    with pytest.raises(OverLimit, match="Ask the operator"):
        top_up(company, fake, units=2001, reference="r5")


def test_a_limit_is_of_any_thirty_days_and_failures_do_not_count(company: Company, fake: FakePayments) -> None:
    for number in range(3):
        started = top_up(company, fake, units=100, reference=f"r{number}")
    with pytest.raises(OverLimit):
        top_up(company, fake, units=1, reference="r3")
    tell(fake, fake_desk.decide(fake, at_fake(started.payment_id), "fail"))
    assert top_up(company, fake, units=100, reference="r3").state == "action_needed"
    room = purchase_limits.room(now=NOW + timedelta(days=30), manager=company.manager)
    assert room.left_micros == 100 * MICROS


def test_the_operator_sets_limits_for_cards_and_for_bookings(company: Company, fake: FakePayments) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "currency": "USD", "verified": False}
    purchase_limits.set_limits(**given, means=Means.CARD, limits=Limits(None, 1000 * MICROS))
    assert top_up(company, fake, units=1000).state == "action_needed"
    purchase_limits.set_limits(**given, means=Means.BOOKED, limits=Limits(500 * MICROS, 550 * MICROS))
    before = balance(company)
    with pytest.raises(OverLimit):
        book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=501 * MICROS, reference="cheque")
    with pytest.raises(OverLimit, match="left"):
        book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=500 * MICROS, reference="cheque")
    assert balance(company) == before
    with pytest.raises(Invalid):
        purchase_limits.set_limits(**given, means=Means.CARD, limits=Limits(2 * MICROS, MICROS))


def test_a_booking_is_a_payment_as_well_and_once(company: Company) -> None:
    for _ in range(2):
        book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=7 * MICROS, reference="Bank 2026/17")
    payment = Payment.objects.get(reference=f"m{company.manager_id}.booked.Bank 2026/17")
    assert (payment.state, payment.why, payment.amount_micros) == ("succeeded", "booked", 7 * MICROS)
    assert audit().ok


def test_methods_are_chosen_and_removed(company: Company, fake: FakePayments) -> None:
    first, second = store_card(company, fake), store_card(company, fake, "declined")
    assert PaymentMethod.objects.get(is_default=True).pk == first
    about: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": company.manager_id}
    payment_methods.make_default(**about, method_id=second)
    assert PaymentMethod.objects.get(is_default=True).pk == second
    rule = RechargeRule.objects.create(
        account=company.manager.account, threshold_micros=MICROS, amount_micros=MICROS, method_id=first, enabled=True
    )
    with pytest.raises(Conflict, match="Auto-recharge"):
        payment_methods.remove_method(**about, method_id=first, provider=fake)
    rule.delete()
    payment_methods.remove_method(**about, method_id=first, provider=fake)
    with pytest.raises(NotFound):
        charge(company, fake, first)
    with pytest.raises(NotFound):
        payment_methods.remove_method(**about, method_id=first, provider=fake)


def test_nobody_pays_with_the_card_of_another_company(company: Company, fake: FakePayments) -> None:
    other = make_company(company_name="Builders")
    method = store_card(company, fake)
    with pytest.raises(NotFound):
        charge(other, fake, method)
    for change in (payment_methods.make_default,):
        with pytest.raises(Problem):
            change(now=NOW, by=BY, manager_id=other.manager_id, method_id=method)
