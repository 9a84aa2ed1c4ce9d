"""Events in any order, twice, and unknown; refunds and disputes (SPEC R4.1, R4.4). Each time the ledger adds up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.store.cast import BY, NOW, Company
from tests.store.test_concurrency import all_at_once
from tests.store.test_payments import at_fake, balance, top_up
from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit, NotFound
from trunkline.domain.money import MICROS
from trunkline.providers.payments import fake_desk
from trunkline.providers.payments.contract import Declined, Event, ProviderUnreachable, Told
from trunkline.providers.payments.fake import FakePayments
from trunkline.store.audit import audit
from trunkline.store.models import Account, AuditEntry, Change, Dispute, Manager, Payment, Posting, ProviderEvent, Refund
from trunkline.usecases.credit import allocate_credit, book_payment, take_back_credit
from trunkline.usecases.payment_events import Applied, apply_event, apply_waiting, dismiss_event
from trunkline.usecases.payments import ask_again
from trunkline.usecases.refunds import RefundMade, refund


@pytest.fixture
def fake(tmp_path: Path) -> FakePayments:
    return FakePayments(path=tmp_path / "fake.sqlite3", key=b"k" * 32)


@pytest.fixture(autouse=True)
def ledger_adds_up(company: Company) -> Iterator[None]:
    yield
    assert audit().differences == []


class Teller:
    """Tells events about one payment of 50 USD."""

    def __init__(self, company: Company, fake: FakePayments) -> None:
        self.fake, self.payment_id = fake, top_up(company, fake).payment_id
        self._numbers = itertools.count(1)

    @property
    def payment(self) -> Payment:
        return Payment.objects.get(pk=self.payment_id)

    def event(self, told: Told, **more: Any) -> Event:
        payment = self.payment
        facts: dict[str, Any] = {"reference": payment.reference, "amount_micros": 50 * MICROS, "currency": "USD"}
        given: dict[str, Any] = facts | {"provider_reference": payment.provider_reference, "about": f"{told}-1"} | more
        return Event(event_id=f"e{next(self._numbers)}", told=told, **given)

    def tell(self, told: Told, **more: Any) -> Applied:
        return self.apply(self.event(told, **more))

    def apply(self, event: Event) -> Applied:
        return apply_event(now=NOW, by=BY, provider=self.fake, event=event)

    def pay(self) -> None:
        fake_desk.decide(self.fake, at_fake(self.payment_id), "approve")
        assert self.tell(Told.SUCCEEDED).outcome == "booked"

    def refund(self, units: int, reference: str = "r1", now: datetime = NOW) -> RefundMade:
        about: dict[str, Any] = {
            "payment_id": self.payment_id,
            "amount_micros": units * MICROS,
            "reference": reference,
            "reason": "asked for",
        }
        return refund(now=now, by=BY, provider=self.fake, **about)


@pytest.fixture
def teller(company: Company, fake: FakePayments) -> Teller:
    return Teller(company, fake)


def loss() -> int:
    return sum(account.balance for account in Account.objects.filter(kind="loss")) // MICROS


def test_success_before_the_answer_of_the_create_call(company: Company, fake: FakePayments) -> None:
    """The webhook is there while our own call still waits: the answer changes nothing any more."""

    class Slow(FakePayments):
        def create_payment(self, asked: Any, *, return_url: str) -> Any:
            started = super().create_payment(asked, return_url=return_url)
            fake_desk.decide(self, started.provider_reference, "approve")
            event = self.fetch(reference=asked.reference, provider_reference="")
            assert event is not None
            assert apply_event(now=NOW, by=BY, provider=self, event=replace(event, event_id="early")).outcome == "booked"
            return started

    started = top_up(company, Slow(path=fake.path, key=fake.key))
    assert (started.state, started.action_url, balance(company)) == ("succeeded", "", 140)


@pytest.mark.parametrize("late", [Told.FAILED, Told.CANCELLED, Told.PROCESSING, Told.TRY_FAILED, Told.ACTION_NEEDED])
def test_nothing_undoes_a_success(company: Company, teller: Teller, late: Told) -> None:
    teller.pay()
    assert teller.tell(late).outcome == "it is succeeded already"
    assert (teller.payment.state, balance(company)) == ("succeeded", 140)


@pytest.mark.parametrize("first", [Told.FAILED, Told.CANCELLED])
def test_money_that_comes_after_a_failure_is_booked(company: Company, teller: Teller, first: Told) -> None:
    teller.tell(first, reason="no")
    assert teller.payment.failure == "no"
    assert teller.tell(Told.SUCCEEDED).outcome == "booked"
    assert (teller.payment.failure, balance(company)) == ("", 140)


def test_the_same_event_again_does_nothing(company: Company, teller: Teller) -> None:
    event = teller.event(Told.SUCCEEDED)
    assert [teller.apply(event).repeated for _ in range(3)] == [False, True, True]
    assert teller.tell(Told.SUCCEEDED).outcome == "booked before"
    assert balance(company) == 140


@pytest.mark.parametrize("wrong", [{"amount_micros": 49 * MICROS}, {"currency": "EUR"}, {"amount_micros": 0}, {"amount_micros": -5}])
def test_another_amount_than_was_asked_for_is_not_booked(company: Company, teller: Teller, wrong: dict[str, Any]) -> None:
    applied = teller.tell(Told.SUCCEEDED, **wrong)
    assert (applied.waits, balance(company)) == (True, 90)
    assert "in place of $50.00" in ProviderEvent.objects.get().outcome


def test_a_second_payment_under_one_reference_is_shown_to_the_operator(company: Company, teller: Teller) -> None:
    teller.pay()
    assert teller.tell(Told.SUCCEEDED, provider_reference="another").waits
    assert balance(company) == 140


def test_what_is_about_an_unknown_payment_is_kept_until_the_operator_has_looked(company: Company, teller: Teller) -> None:
    assert teller.tell(Told.SUCCEEDED, reference="nobody", provider_reference="unknown").waits
    kept = ProviderEvent.objects.get()
    assert (kept.applied_at, kept.outcome) == (None, "No payment nobody is known here.")
    assert apply_waiting(now=NOW, by=BY, provider=teller.fake, limit=10) == 0
    dismiss_event(now=NOW, by=BY, event_id=kept.pk, reason="another system's")
    with pytest.raises(NotFound):
        dismiss_event(now=NOW, by=BY, event_id=kept.pk, reason="again")
    assert balance(company) == 90


def test_ids_that_do_not_fit_are_refused(teller: Teller) -> None:
    for ident in ("", "x" * 121):
        with pytest.raises(Invalid):
            teller.apply(replace(teller.event(Told.SUCCEEDED), event_id=ident))
    assert not ProviderEvent.objects.exists()


def test_refund_and_dispute_before_the_success_wait_for_it(company: Company, teller: Teller) -> None:
    assert teller.tell(Told.REFUNDED, amount_micros=10 * MICROS).waits
    assert teller.tell(Told.DISPUTED, amount_micros=20 * MICROS).waits
    assert balance(company) == 90
    teller.pay()
    assert balance(company) == 90 + 50 - 10 - 20
    assert not ProviderEvent.objects.filter(applied_at=None).exists()


def test_a_card_that_waits_under_the_reference_of_a_payment_is_left_alone(company: Company, teller: Teller) -> None:
    """References of payments and of stored cards are their callers': nothing keeps them apart."""
    assert teller.tell(Told.METHOD_SET_UP, about="unknown").waits
    teller.pay()
    assert balance(company) == 140
    assert ProviderEvent.objects.get(kind=Told.METHOD_SET_UP).applied_at is None


def test_a_refund_leaves_once_and_not_more_than_is_left(company: Company, teller: Teller) -> None:
    teller.pay()
    first = teller.refund(20)
    assert (first.state, first.repeated, balance(company)) == ("done", False, 120)
    assert teller.refund(20).repeated
    with pytest.raises(Conflict, match="another refund"):
        teller.refund(19)
    with pytest.raises(Conflict, match=r"\$30\.00 of payment"):
        teller.refund(31, "r2")
    assert teller.refund(30, "r2").state == "done"
    assert (teller.payment.refunded_micros, balance(company)) == (50 * MICROS, 90)
    done = Refund.objects.get(pk=first.refund_id)
    assert teller.tell(Told.REFUNDED, amount_micros=20 * MICROS, about="x", about_reference=done.reference).outcome == "done"
    assert balance(company) == 90


@pytest.mark.parametrize("amount_micros", [0, -MICROS, 1, 10**18])
def test_refunds_that_cannot_be_are_refused(company: Company, teller: Teller, amount_micros: int) -> None:
    teller.pay()
    with pytest.raises((Invalid, Conflict)):
        refund(now=NOW, by=BY, payment_id=teller.payment_id, amount_micros=amount_micros, reference="r", reason="x", provider=teller.fake)
    assert (Refund.objects.count(), balance(company)) == (0, 140)


def test_only_what_succeeded_is_refunded_and_only_where_it_was_paid(company: Company, teller: Teller) -> None:
    with pytest.raises(Conflict, match="only one that succeeded"):
        teller.refund(1)
    teller.pay()
    with pytest.raises(Conflict, match="made by fake"):
        refund(now=NOW, by=BY, payment_id=teller.payment_id, amount_micros=MICROS, reference="r", reason="x", provider=None)


def test_a_refund_is_never_more_than_is_free(company: Company, teller: Teller) -> None:
    teller.pay()
    allocate_credit(now=NOW, by=BY, profile_id=company.profile_ids[0], amount_micros=130 * MICROS, reference="most")
    with pytest.raises(NotEnoughCredit, match=r"\$10\.00 free: take Credit back"):
        teller.refund(11)
    assert balance(company) == 10


def test_a_booking_is_paid_back_by_hand(company: Company) -> None:
    book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=7 * MICROS, reference="cash")
    payment = Payment.objects.get(reference__endswith=".cash")
    made = refund(now=NOW, by=BY, payment_id=payment.pk, amount_micros=2 * MICROS, reference="r", reason="asked for", provider=None)
    assert (made.state, balance(company)) == ("done", 95)


class Moody(FakePayments):
    """Refunds as told."""

    answer: Callable[[], Any] = staticmethod(lambda: None)

    def refund(self, **given: Any) -> Any:
        self.answer()
        return super().refund(**given)


def raising(problem: Exception) -> Callable[[], None]:
    def do() -> None:
        raise problem

    return do


def test_the_credit_comes_back_when_the_provider_refuses_a_refund(company: Company, fake: FakePayments) -> None:
    moody = Moody(path=fake.path, key=fake.key)
    moody.answer = raising(Declined("too old"))
    teller = Teller(company, moody)
    teller.pay()
    made = teller.refund(20)
    assert (made.state, made.failure, balance(company), teller.payment.refunded_micros) == ("failed", "too old", 140, 0)


def test_a_refund_whose_answer_was_lost_is_asked_for_again(company: Company, fake: FakePayments) -> None:
    moody = Moody(path=fake.path, key=fake.key)
    moody.answer = raising(ProviderUnreachable("?"))
    teller = Teller(company, moody)
    teller.pay()
    assert (teller.refund(20).state, balance(company)) == ("pending", 120)
    later = NOW.replace(hour=13)
    assert ask_again(now=later, by=BY, provider=moody, limit=10).settled == 0
    del moody.answer
    assert ask_again(now=later, by=BY, provider=moody, limit=10).settled == 1
    assert (Refund.objects.get().state, balance(company)) == ("done", 120)


def test_a_refund_of_yesterday_is_not_asked_for_again_whoever_repeats_it(company: Company, fake: FakePayments) -> None:
    """The provider has forgotten its reference, and would pay back twice."""
    moody = Moody(path=fake.path, key=fake.key)
    moody.answer = raising(ProviderUnreachable("?"))
    teller = Teller(company, moody)
    teller.pay()
    teller.refund(20)
    del moody.answer
    assert teller.refund(20, now=NOW + timedelta(days=1)).state == "pending"
    assert fake_desk.everything(moody)["refund"] == []
    assert teller.refund(20).state == "done"


def test_a_refund_made_at_the_provider_is_booked_and_the_rest_is_our_loss(company: Company, teller: Teller) -> None:
    teller.pay()
    allocate_credit(now=NOW, by=BY, profile_id=company.profile_ids[0], amount_micros=120 * MICROS, reference="most")
    assert teller.tell(Told.REFUNDED, about="theirs").outcome == "made at the provider: booked"
    assert (balance(company), loss()) == (0, -30)
    assert teller.tell(Told.REFUNDED, about="theirs", amount_micros=50 * MICROS).outcome == "done"
    assert teller.tell(Told.REFUNDED, about="theirs-2", amount_micros=MICROS).waits
    assert teller.tell(Told.REFUND_FAILED, about="theirs").outcome == "it failed: the Credit is back"
    assert (balance(company), loss(), teller.payment.refunded_micros) == (19, 0, MICROS)  # the one that waited has room now


def test_a_dispute_takes_what_is_free_suspends_and_brings_it_back_when_won(company: Company, teller: Teller) -> None:
    teller.pay()
    allocate_credit(now=NOW, by=BY, profile_id=company.profile_ids[0], amount_micros=120 * MICROS, reference="most")
    assert teller.tell(Told.DISPUTED, about="d1", reason="not recognised").outcome == "the money has left"
    assert (balance(company), loss(), teller.payment.disputed_micros) == (0, -30, 50 * MICROS)
    assert company.manager.state == Manager.State.SUSPENDED
    assert "not recognised" in AuditEntry.objects.get(action="manager.suspended").after["reason"]
    assert Change.objects.filter(what="manager", ident=company.manager_id).exists()
    take_back_credit(now=NOW, by=BY, profile_id=company.profile_ids[0], amount_micros=120 * MICROS, reference="back")
    assert teller.tell(Told.DISPUTED, about="d1").outcome == "this dispute is open already"
    assert teller.tell(Told.DISPUTE_WON, about="d1").outcome == "the money is back"
    assert teller.tell(Told.DISPUTE_WON, about="d1").outcome == "it was won before"
    assert (balance(company), loss(), teller.payment.disputed_micros) == (140, 0, 0)
    assert company.manager.state == Manager.State.SUSPENDED  # the operator decides


def test_a_lost_dispute_stays_and_one_that_was_closed_before_it_was_opened_counts_once(company: Company, teller: Teller) -> None:
    teller.pay()
    assert teller.tell(Told.DISPUTE_LOST, about="d1", amount_micros=30 * MICROS).outcome == "the money stays away"
    assert teller.tell(Told.DISPUTED, about="d1", amount_micros=30 * MICROS).outcome == "this dispute is lost already"
    assert (balance(company), Dispute.objects.get().state) == (110, "lost")
    with pytest.raises(Conflict, match=r"\$20\.00 of payment"):
        teller.refund(21)
    assert teller.tell(Told.DISPUTE_WON, about="d1", amount_micros=30 * MICROS).outcome == "the money is back"  # on appeal
    assert balance(company) == 140


def test_a_dispute_over_more_than_is_left_takes_what_the_bank_took(company: Company, teller: Teller) -> None:
    """Refunded and disputed: the bank may take it twice."""
    teller.pay()
    teller.refund(40)
    teller.tell(Told.DISPUTED, about="d1")
    assert (balance(company), teller.payment.disputed_micros) == (50, 10 * MICROS)
    teller.tell(Told.DISPUTE_WON, about="d1")
    assert (balance(company), teller.payment.disputed_micros) == (100, 0)


def test_twenty_times_the_same_webhook_at_once_books_once(company: Company, teller: Teller) -> None:
    event = teller.event(Told.SUCCEEDED)
    outcomes = all_at_once([lambda: teller.apply(event)] * 20)
    assert [each.repeated for each in outcomes].count(False) == 1
    assert (balance(company), Posting.objects.filter(kind="payment", key=f"payment/{teller.payment_id}").count()) == (140, 1)


def test_twenty_refunds_disputes_and_movements_at_once(company: Company, teller: Teller) -> None:
    """50 were paid, 20 want 5 back each; half of it is disputed while Credit is allocated."""
    teller.pay()

    def want(number: int) -> str:
        try:
            return teller.refund(5, f"r{number}").state
        except (Conflict, NotEnoughCredit) as problem:
            return type(problem).__name__

    def dispute() -> str:
        return teller.apply(disputed).outcome

    def allocate() -> str:
        given: dict[str, Any] = {"profile_id": company.profile_ids[0], "amount_micros": 100 * MICROS, "reference": "meanwhile"}
        try:
            return "moved" if not allocate_credit(now=NOW, by=BY, **given).repeated else "again"
        except NotEnoughCredit:
            return "NotEnoughCredit"

    disputed = teller.event(Told.DISPUTED, about="d1", amount_micros=25 * MICROS)
    jobs: list[Callable[[], str]] = [lambda number=number: want(number) for number in range(18)]  # type: ignore[misc]
    outcomes = all_at_once([*jobs, dispute, allocate])
    payment = teller.payment
    assert outcomes.count("done") * 5 * MICROS == payment.refunded_micros
    assert payment.refunded_micros + payment.disputed_micros <= 50 * MICROS
    assert outcomes[18] == "the money has left"
    assert company.manager.account.balance >= 0
