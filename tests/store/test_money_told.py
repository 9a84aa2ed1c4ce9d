"""What a Manager is told when money does not come, or leaves; and what the audit and the clock do about payments (SPEC R3.6, R4.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from tests.conftest import Store
from tests.store.cast import BY, NOW, Company, make_profile
from tests.store.market import CHANNEL, MONTH, Market, drain
from tests.store.test_concurrency import all_at_once
from tests.store.test_payment_events import Teller
from trunkline.clock import wiring
from trunkline.domain.errors import NotFound, Problem
from trunkline.domain.money import MICROS
from trunkline.providers.payments.contract import Told
from trunkline.providers.payments.fake import FakePayments
from trunkline.runtime.settings import Settings
from trunkline.store import ledger
from trunkline.store.audit import audit
from trunkline.store.models import Account, Dispute, Mail, Manager, Payment, PriceList, Profile, ProviderEvent, Refund
from trunkline.store.work import work
from trunkline.usecases import products, subscriptions
from trunkline.usecases.credit import allocate_credit
from trunkline.usecases.demo import load_demo_company
from trunkline.usecases.profile_deletion import delete_profile
from trunkline.usecases.renewals import renew_due

ADDRESS = "notices@example.com"
RACES = 12


@pytest.fixture
def market(store: Store) -> Market:
    made = Market()
    subscriptions.buy_channels(**made.me(), channels=5)
    Manager.objects.update(email=ADDRESS)
    return made


@pytest.fixture
def teller(company: Company, tmp_path: Path) -> Teller:
    Manager.objects.update(email=ADDRESS)
    return Teller(company, FakePayments(path=tmp_path / "fake.sqlite3", key=b"k" * 32))


def letter(kind: str) -> Mail:
    mail = Mail.objects.get(key__startswith=f"{kind}/")
    assert mail.to == ADDRESS
    return mail


def test_r3_6_a_lapsed_subscription_is_told_with_its_price(market: Market) -> None:
    drain(market, leave=5 * CHANNEL - 1)
    assert renew_due(now=NOW + MONTH, by=BY, limit=10).lapsed == 1
    mail = letter("term_lapsed")
    assert mail.subject == "5 calling channels for Profile 0 was not renewed"
    assert "costs $34.75, and the free Credit was $34.749999" in mail.text


def test_what_is_not_sold_any_more_is_told_without_a_price(market: Market) -> None:
    products.set_channel_price(now=NOW, by=BY, price_list_id=market.company.price_list_id, price_micros=None)
    assert renew_due(now=NOW + MONTH, by=BY, limit=10).lapsed == 1
    assert "not offered any more" in letter("term_lapsed").text


def test_what_was_cancelled_ends_without_a_letter(market: Market) -> None:
    subscriptions.cancel_channels(**market.me())
    assert renew_due(now=NOW + MONTH, by=BY, limit=10).ended == 1
    assert not Mail.objects.filter(key__startswith="term_lapsed/").exists()


def test_a_failed_top_up_is_told_once(teller: Teller) -> None:
    teller.tell(Told.FAILED, reason="Your bank has declined it.")
    teller.tell(Told.FAILED, reason="again")
    mail = letter("top_up_failed")
    assert (mail.subject, "Your bank has declined it." in mail.text) == ("Your payment of $50.00 did not work", True)


def test_a_cancelled_top_up_is_not_told(teller: Teller) -> None:
    teller.tell(Told.CANCELLED)
    assert not Mail.objects.exists()


def test_a_dispute_is_told_with_what_it_took(teller: Teller) -> None:
    teller.pay()
    teller.tell(Told.DISPUTED, reason="not recognised")
    teller.tell(Told.DISPUTED, reason="not recognised")
    mail = letter("payment_disputed")
    assert mail.subject == "A payment of $50.00 is disputed"
    assert "not recognised" in mail.text
    assert "$50.00 left the Credit of Architects" in mail.text


def _post_a_payment(company: Company) -> None:
    funding = ledger.outside(Account.Kind.FUNDING, "USD")
    with work(now=NOW, by=BY) as doing:
        accounts = doing.locks.many(Account, [funding.pk, company.manager.account_id])
        ledger.post(
            key="payment/987654", debit=accounts[funding.pk], credit=accounts[company.manager.account_id], amount=5, kind="payment", now=NOW
        )


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda _: Payment.objects.filter(provider="fake").update(state="succeeded"), {"payment_posted"}),
        (lambda _: Payment.objects.filter(provider="booked").update(amount_micros=1), {"payment_posted"}),
        (lambda _: Payment.objects.filter(provider="booked").update(state="failed"), {"payment_posted"}),
        (lambda _: Payment.objects.filter(provider="booked").delete(), {"posting_payment"}),
        (_post_a_payment, {"posting_payment"}),
    ],
)
def test_the_audit_compares_payments_and_postings(
    company: Company, teller: Teller, damage: Callable[[Company], object], found: set[str]
) -> None:
    assert audit().ok
    damage(company)
    assert {each.check for each in audit().differences} == found


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda: Refund.objects.update(taken_micros=F("taken_micros") - 1), {"refund_posted"}),
        (
            lambda: Refund.objects.filter(reason="asked for").update(amount_micros=F("amount_micros") + 1),
            {"refund_posted", "payment_returned"},
        ),
        (lambda: Refund.objects.filter(reason="asked for").update(state="failed"), {"refund_posted", "payment_returned"}),
        (lambda: Dispute.objects.update(taken_micros=0), {"dispute_posted"}),
        (lambda: Dispute.objects.filter(state="won").update(state="lost"), {"dispute_posted", "payment_returned"}),
        (lambda: Payment.objects.filter(provider="fake").update(disputed_micros=0), {"payment_returned"}),
    ],
)
def test_the_audit_follows_what_went_back(company: Company, teller: Teller, damage: Callable[[], object], found: set[str]) -> None:
    """A refund of ours, one that failed, one of which the Credit had a part, and two disputes of which one was won."""
    teller.pay()
    allocate_credit(now=NOW, by=BY, profile_id=company.profile_ids[0], amount_micros=120 * MICROS, reference="most")
    teller.refund(5)
    teller.tell(Told.REFUNDED, about="theirs", amount_micros=4 * MICROS)
    teller.tell(Told.REFUND_FAILED, about="theirs")
    for dispute in ("first", "second"):
        teller.tell(Told.DISPUTED, about=dispute, amount_micros=15 * MICROS)
    teller.tell(Told.DISPUTE_WON, about="first", amount_micros=15 * MICROS)
    teller.tell(Told.REFUNDED, about="too much", amount_micros=30 * MICROS)
    assert audit().differences == []
    damage()
    assert {each.check for each in audit().differences} == found


def test_the_clock_applies_what_was_told_too_early(company: Company, teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "payment_provider", lambda: teller.fake)
    assert teller.tell(Told.FAILED, reference="later", provider_reference="").waits
    Payment.objects.filter(pk=teller.payment_id).update(reference="later")
    assert wiring.ask_for_payments_again(NOW + timedelta(seconds=20), BY, 10) == 1
    assert (ProviderEvent.objects.get().outcome, teller.payment.state) == ("failed", "failed")


def test_credit_never_goes_to_a_profile_that_is_deleted_meanwhile(company: Company) -> None:
    """Both at once, many times: whoever is later is refused, or what came is returned."""
    profile_id = company.profile_ids[0]

    def allocate() -> bool:
        return _done(lambda: allocate_credit(now=NOW, by=BY, profile_id=profile_id, amount_micros=MICROS, reference="race"))

    def delete() -> bool:
        return _done(lambda: delete_profile(now=NOW, by=BY, profile_id=profile_id))

    for _ in range(RACES):
        _, deleted = all_at_once([allocate, delete])
        assert deleted
        assert company.purse().balance == 0
        company = _another(company)
        profile_id = company.profile_ids[0]
    assert audit().ok


@pytest.mark.usefixtures("store")
def test_credit_is_refused_when_the_profile_was_deleted_after_it_was_looked_up(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    profile_id = company.profile_ids[0]
    seen = company.profile()
    delete_profile(now=NOW, by=BY, profile_id=profile_id)
    monkeypatch.setattr("trunkline.store.queries.profile", lambda _: seen)
    with pytest.raises(NotFound, match="was deleted"):
        allocate_credit(now=NOW, by=BY, profile_id=profile_id, amount_micros=MICROS, reference="late")
    assert company.purse().balance == 0


def _done(use_case: Callable[[], object]) -> bool:
    try:
        use_case()
    except Problem:
        return False
    return True


def _another(company: Company) -> Company:
    made = make_profile(company.manager_id, f"Next {Profile.objects.count()}")
    return Company(company.manager_id, company.price_list_id, (made,))


@pytest.mark.usefixtures("store")
def test_the_demo_company_hears_of_its_credit_and_is_recommended_amounts(tmp_path: Path) -> None:
    ident = load_demo_company(now=NOW, settings=Settings(home=tmp_path)).manager_id
    manager = Manager.objects.get(pk=ident)
    assert (manager.email, manager.low_balance_micros) == ("architects.admin@example.com", 20 * MICROS)
    prices = PriceList.objects.get()
    assert (prices.recharge_amount_micros, prices.manager_recharge_amount_micros) == (20 * MICROS, 100 * MICROS)
    Manager.objects.update(email="changed@example.com")
    load_demo_company(now=NOW, settings=Settings(home=tmp_path))
    assert Manager.objects.get().email == "changed@example.com"
