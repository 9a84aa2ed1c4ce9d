"""Auto-recharge (SPEC R4.2) and low-balance mails (R4.3), on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from tests.store.cast import BY, NOW, Company
from tests.store.test_concurrency import all_at_once
from trunkline.domain.errors import Conflict, Invalid, NotFound, Problem
from trunkline.domain.money import MICROS
from trunkline.domain.recharge import MOST_CARD_PAYMENTS_A_DAY, Recommended
from trunkline.store import recharges
from trunkline.store.audit import audit
from trunkline.store.models import Account, Mail, Manager, Payment, PaymentMethod, Posting, Profile, RechargeRule
from trunkline.usecases import recharge, recharge_rules
from trunkline.usecases.credit import book_payment, take_back_credit
from trunkline.usecases.recharge import recharge_due
from trunkline.usecases.recharge_payments import NO_METHOD, Outcome, recharge_manager_now
from trunkline.usecases.recharge_rules import RechargeNeedsConfirmation, RechargeSaved, disable_recharge, reset_recharge, set_recharge
from trunkline.usecases.reminders import set_notices, tell_low_balances

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
State = Payment.State


@dataclass(frozen=True)
class Charged:
    payment_id: int
    state: str
    action_url: str = ""


@dataclass
class Provider:
    """Takes payments as it is told to; the same reference is the same payment, booked once."""

    state: str = State.SUCCEEDED
    asked: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def __call__(self, *, now: datetime, by: Any, manager_id: int, method_id: int, amount_micros: int, reference: str) -> Charged:
        self.asked.append(reference)
        self.before()
        given = {"manager_id": manager_id, "provider": "test", "method_id": method_id, "amount_micros": amount_micros, "currency": "USD"}
        payment, _ = Payment.objects.get_or_create(
            reference=reference, defaults=given | {"why": "auto_recharge", "created_at": now, "failure": "the card was declined"}
        )
        if payment.state != State.SUCCEEDED and self.state == State.SUCCEEDED:
            book(manager_id, amount_micros, payment.pk)
        Payment.objects.filter(pk=payment.pk).update(state=self.state)
        return Charged(payment.pk, self.state, "https://bank.example/confirm")


def book(manager_id: int, amount_micros: int, payment_id: int) -> None:
    """As little of a payment as these tests need."""
    from trunkline.store import ledger
    from trunkline.store.work import work

    manager = Manager.objects.get(pk=manager_id)
    with work(now=NOW, by=BY) as doing:
        funding = ledger.outside(Account.Kind.FUNDING, "USD")
        accounts = doing.locks.many(Account, [funding.pk, manager.account_id])
        debit, credit = accounts[funding.pk], accounts[manager.account_id]
        ledger.post(key=f"payment/{payment_id}", debit=debit, credit=credit, amount=amount_micros, kind="payment", now=NOW)


def add_method(company: Company) -> PaymentMethod:
    return PaymentMethod.objects.create(
        manager_id=company.manager_id, provider="test", token=f"token {company.manager_id}", label="Card", is_default=True, created_at=NOW
    )


def of_profile(company: Company, *, threshold: int = 5, amount: int = 20, number: int = 0, **more: Any) -> RechargeRule:
    set_recharge(
        now=NOW, by=BY, profile_id=company.profile_ids[number], threshold_micros=threshold * MICROS, amount_micros=amount * MICROS, **more
    )
    return RechargeRule.objects.get(account=company.purse(number))


def of_manager(company: Company, *, threshold: int = 50, amount: int = 100, **more: Any) -> RechargeRule:
    if not PaymentMethod.objects.exists():
        add_method(company)
    set_recharge(now=NOW, by=BY, manager_id=company.manager_id, threshold_micros=threshold * MICROS, amount_micros=amount * MICROS, **more)
    return RechargeRule.objects.get(account=company.manager.account)


def spend(account: Account, left: int) -> None:
    """Down to so many units, by a posting: the audit stays clean."""
    revenue = Account.objects.get(kind=Account.Kind.REVENUE, currency="USD")
    amount = account.balance - left * MICROS
    Posting.objects.create(
        key=f"spend {Posting.objects.count()}", debit=account, credit=revenue, amount=amount, kind="channels", posted_us=1
    )
    Account.objects.filter(pk=account.pk).update(balance=F("balance") - amount)
    Account.objects.filter(pk=revenue.pk).update(balance=F("balance") + amount)


def sweep(provider: Provider | None = None, now: datetime = NOW) -> recharge.Recharged:
    return recharge_due(now=now, by=BY, limit=100, charge=provider or Provider())


def mails(template: str = "") -> list[str]:
    return list(Mail.objects.filter(key__startswith=template).order_by("id").values_list("subject", flat=True))


def units(account: Account) -> int:
    account.refresh_from_db()
    return account.balance // MICROS


# A profile's


def test_a_profile_is_recharged_when_it_is_low_and_not_before(company: Company) -> None:
    rule = of_profile(company)
    assert sweep().recharged == 0
    spend(company.purse(), 5)
    assert sweep().recharged == 0
    spend(company.purse(), 4)
    assert (sweep().recharged, sweep().recharged) == (1, 0)
    assert (units(company.purse()), units(company.manager.account)) == (24, 70)
    posting = Posting.objects.get(kind="recharge")
    assert (posting.key, posting.amount) == (f"recharge/{rule.pk}/1", 20 * MICROS)


def test_what_calls_hold_is_not_free(company: Company) -> None:
    of_profile(company)
    Account.objects.filter(pk=company.purse().pk).update(held=6 * MICROS)
    assert sweep().recharged == 1


def test_many_sweeps_recharge_once(company: Company) -> None:
    of_profile(company)
    spend(company.purse(), 1)
    assert sum(done.recharged for done in all_at_once([sweep] * 6)) >= 1
    assert Posting.objects.filter(kind="recharge").count() == 1
    assert audit().differences == []


def test_a_manager_with_too_little_is_told_once_and_the_recharge_follows_the_credit(company: Company) -> None:
    of_profile(company)
    spend(company.purse(), 1)
    spend(company.manager.account, 19)
    for minutes in range(5):
        assert sweep(now=NOW + timedelta(minutes=minutes)).recharged == 0
    assert mails("recharge_short") == ["The Credit of Profile 0 could not be recharged"]
    book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=MICROS, reference="more")
    assert sweep(now=NOW + timedelta(minutes=6)).recharged == 1
    assert (units(company.purse()), units(company.manager.account)) == (21, 0)
    spend(company.purse(), 1)
    sweep(now=NOW + timedelta(minutes=7))
    assert len(mails("recharge_short")) == 2  # it recovered in between


def test_the_managers_own_recharge_comes_first(company: Company) -> None:
    of_profile(company)
    of_manager(company, threshold=0, amount=15)
    spend(company.purse(), 1)
    spend(company.manager.account, 1)
    provider = Provider()
    assert sweep(provider).recharged == 1
    assert len(provider.asked) == 1
    assert (units(company.purse()), units(company.manager.account)) == (21, 1 + 30 - 20)
    assert mails() == []


def test_a_profiles_month_is_limited(company: Company) -> None:
    of_profile(company, monthly_limit_micros=40 * MICROS)
    for _ in range(4):
        spend(company.purse(), 1)
        sweep()
        if units(company.purse()) == 1:
            break
    assert Posting.objects.filter(kind="recharge").count() == 2
    assert mails() == ["Auto-recharge has reached its limit for this month"]
    rule = RechargeRule.objects.get()
    assert recharges.due(NOW + DAY, 10) == []
    assert rule.next_try_at is not None
    assert sweep(now=rule.next_try_at).recharged == 1


def test_suspended_and_deleted_profiles_wait(company: Company) -> None:
    of_profile(company)
    spend(company.purse(), 1)
    for state in (Profile.State.SUSPENDED, Profile.State.DELETED):
        Profile.objects.update(state=state)
        assert sweep().recharged == 0
    Profile.objects.update(state=Profile.State.ACTIVE)
    assert sweep().recharged == 1


def test_one_that_fails_stops_no_other(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.store.cast import make_profile

    second = make_profile(company.manager_id, "Second")
    bad = of_profile(company)
    set_recharge(now=NOW, by=BY, profile_id=second, threshold_micros=5 * MICROS, amount_micros=5 * MICROS)
    spend(company.purse(), 1)
    owner_of = recharges.owner_of

    def broken(rule_id: int) -> Any:
        if rule_id == bad.pk:
            raise RuntimeError("boom")
        return owner_of(rule_id)

    monkeypatch.setattr(recharges, "owner_of", broken)
    assert sweep() == recharge.Recharged(1, 1)
    assert recharges.due(NOW, 10) == []  # put off
    monkeypatch.undo()
    assert sweep(now=NOW + HOUR).recharged == 1


# A Manager's


def test_a_manager_is_recharged_by_a_payment(company: Company) -> None:
    rule = of_manager(company)
    spend(company.manager.account, 49)
    provider = Provider()
    assert (sweep(provider).recharged, sweep(provider).recharged) == (1, 0)
    assert provider.asked == [f"recharge-{rule.pk}-1"]
    assert units(company.manager.account) == 149
    rule.refresh_from_db()
    assert (rule.pending_micros, rule.recharged_micros, rule.day_recharges, rule.failures) == (0, 100 * MICROS, 1, 0)


def test_many_sweeps_ask_for_one_payment(company: Company) -> None:
    of_manager(company)
    spend(company.manager.account, 1)
    provider = Provider()
    all_at_once([lambda: sweep(provider)] * 6)
    assert len(set(provider.asked)) == 1
    assert units(company.manager.account) == 101


def test_a_failed_payment_is_tried_again_at_growing_intervals_and_then_no_more(company: Company) -> None:
    of_manager(company)
    spend(company.manager.account, 1)
    provider, now, tried_after = Provider(State.FAILED), NOW, []
    for _ in range(10):
        before = len(provider.asked)
        sweep(provider, now)
        assert len(provider.asked) == before + 1
        sweep(provider, now)
        assert len(provider.asked) == before + 1
        rule = RechargeRule.objects.get()
        if not rule.enabled:
            break
        assert rule.next_try_at is not None
        tried_after.append(rule.next_try_at - now)
        now = rule.next_try_at
    assert tried_after == [HOUR, 6 * HOUR, DAY, 3 * DAY]
    assert rule.last_failure == "the card was declined"
    assert mails() == ["Auto-recharge of Architects did not work"] * 4 + ["Auto-recharge of Architects is switched off"]
    assert sweep(provider, now + 30 * DAY) == recharge.Recharged(0, 0)
    set_recharge(now=NOW, by=BY, manager_id=company.manager_id, threshold_micros=50 * MICROS, amount_micros=10 * MICROS)
    assert sweep(Provider(), now).recharged == 1


def test_never_more_than_so_many_payments_a_day(company: Company) -> None:
    of_manager(company, amount=1)
    spend(company.manager.account, 1)
    provider = Provider()
    for _ in range(20):
        sweep(provider)
    assert len(provider.asked) == MOST_CARD_PAYMENTS_A_DAY
    assert mails() == ["Auto-recharge has paused until tomorrow"]
    assert sweep(provider, NOW + DAY).recharged == 1


def test_a_payment_that_takes_its_time_is_asked_after_by_its_name(company: Company) -> None:
    rule = of_manager(company)
    spend(company.manager.account, 1)
    provider = Provider(State.PROCESSING)
    sweep(provider)
    sweep(provider, NOW + timedelta(minutes=1))
    assert provider.asked == [f"recharge-{rule.pk}-1"]
    provider.state = State.SUCCEEDED
    assert sweep(provider, NOW + timedelta(minutes=2)).recharged == 1
    assert provider.asked == [f"recharge-{rule.pk}-1"] * 2
    assert units(company.manager.account) == 101


def test_whoever_dies_while_asking_never_makes_two_payments(company: Company) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    of_manager(company)
    spend(company.manager.account, 1)
    with pytest.raises(KeyboardInterrupt):
        sweep(Provider(before=die))
    provider = Provider()
    assert sweep(provider, NOW + timedelta(minutes=1)).recharged == 0
    assert sweep(provider, NOW + timedelta(minutes=2)).recharged == 1
    assert Payment.objects.filter(provider="test").count() == 1
    assert units(company.manager.account) == 101


def test_what_a_provider_does_not_say_is_not_known(company: Company) -> None:
    def away() -> None:
        raise OSError("no route")

    of_manager(company)
    spend(company.manager.account, 1)
    sweep(Provider(before=away))
    assert RechargeRule.objects.get().failures == 0
    assert sweep(Provider(), NOW + timedelta(minutes=2)).recharged == 1


def test_a_refused_wish_is_a_failure_that_says_why(company: Company) -> None:
    def over() -> None:
        raise Problem("More than may be bought.")

    of_manager(company)
    spend(company.manager.account, 1)
    sweep(Provider(before=over))
    assert RechargeRule.objects.get().last_failure == "More than may be bought."


def test_a_payer_who_must_confirm_is_told_once_and_waited_for_three_days(company: Company) -> None:
    of_manager(company)
    spend(company.manager.account, 1)
    provider = Provider(State.ACTION_NEEDED)
    for hours in range(0, 72, 8):
        sweep(provider, NOW + hours * HOUR)
    assert mails() == ["Your bank asks you to confirm a payment"]
    assert "https://bank.example/confirm" in Mail.objects.get().text
    assert len(set(provider.asked)) == 1
    sweep(provider, NOW + 73 * HOUR)
    assert RechargeRule.objects.get().failures == 1


def test_a_payment_under_way_is_followed_though_it_was_switched_off(company: Company) -> None:
    of_manager(company)
    spend(company.manager.account, 1)
    sweep(Provider(State.PROCESSING))
    disable_recharge(now=NOW, by=BY, manager_id=company.manager_id)
    sweep(Provider(State.FAILED), NOW + timedelta(minutes=5))
    rule = RechargeRule.objects.get()
    assert (rule.enabled, rule.pending_micros) == (False, 0)


def test_without_a_method_there_is_a_failure_not_a_crash(company: Company) -> None:
    of_manager(company)
    PaymentMethod.objects.update(removed_at=NOW)
    spend(company.manager.account, 1)
    sweep()
    assert RechargeRule.objects.get().last_failure == NO_METHOD


def test_a_renewal_is_recharged_for_by_as_many_amounts_as_it_takes(company: Company) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": company.manager_id, "charge": Provider()}
    assert recharge_manager_now(**given, need_micros=1).outcome is Outcome.IMPOSSIBLE
    of_manager(company, threshold=0, amount=30, monthly_limit_micros=100 * MICROS)
    assert recharge_manager_now(**given, need_micros=90 * MICROS).outcome is Outcome.ENOUGH
    assert recharge_manager_now(**given, need_micros=121 * MICROS).outcome is Outcome.RECHARGED
    assert units(company.manager.account) == 150
    assert recharge_manager_now(**given, need_micros=1000 * MICROS).outcome is Outcome.IMPOSSIBLE
    disable_recharge(now=NOW, by=BY, manager_id=company.manager_id)
    assert recharge_manager_now(**given, need_micros=1000 * MICROS).outcome is Outcome.IMPOSSIBLE


def test_a_renewal_learns_that_a_payment_may_still_come(company: Company) -> None:
    of_manager(company)
    spend(company.manager.account, 1)
    given: dict[str, Any] = {"by": BY, "manager_id": company.manager_id, "need_micros": 80 * MICROS}
    first = recharge_manager_now(now=NOW, charge=Provider(State.PROCESSING), **given)
    assert (first.outcome, recharge_manager_now(now=NOW, charge=Provider(), **given).outcome) == (Outcome.UNDER_WAY, Outcome.UNDER_WAY)
    failed = recharge_manager_now(now=NOW + HOUR, charge=Provider(State.FAILED), **given)
    assert (failed.outcome, failed.until) == (Outcome.LATER, NOW + 2 * HOUR)
    assert recharge_manager_now(now=NOW + HOUR, charge=Provider(), **given).outcome is Outcome.LATER
    assert recharge_manager_now(now=NOW + 2 * HOUR, charge=Provider(), **given).outcome is Outcome.RECHARGED


# Set up


def recommend(company: Company) -> None:
    recharge_rules.recommend(
        now=NOW, by=BY, price_list_id=company.price_list_id, profile=Recommended(5 * MICROS, 20 * MICROS),
        manager=Recommended(50 * MICROS, 100 * MICROS),
    )  # fmt: skip


def test_less_than_recommended_needs_a_second_save(company: Company) -> None:
    recommend(company)
    given: dict[str, Any] = {
        "now": NOW, "by": BY, "profile_id": company.profile_ids[0], "threshold_micros": 4 * MICROS, "amount_micros": 19 * MICROS
    }  # fmt: skip
    asked = set_recharge(**given)
    assert isinstance(asked, RechargeNeedsConfirmation)
    assert len(asked.warnings) == 2
    assert "$5.00" in asked.warnings[0]
    assert not RechargeRule.objects.exists()
    assert isinstance(set_recharge(**given, confirmed=True), RechargeSaved)
    assert RechargeRule.objects.get().amount_micros == 19 * MICROS


def test_reset_disable_and_look(company: Company) -> None:
    profile: dict[str, Any] = {"profile_id": company.profile_ids[0]}
    with pytest.raises(Conflict, match="recommends no amounts"):
        reset_recharge(now=NOW, by=BY, **profile)
    recommend(company)
    assert recharge_rules.recharge_of(**profile).rule is None
    reset_recharge(now=NOW, by=BY, **profile)
    state = recharge_rules.recharge_of(**profile)
    assert state.rule is not None
    assert Recommended(state.rule.threshold_micros, state.rule.amount_micros) == state.recommended == recharge_rules.recommended(**profile)
    disable_recharge(now=NOW, by=BY, **profile)
    with pytest.raises(Conflict, match="off already"):
        disable_recharge(now=NOW, by=BY, **profile)
    spend(company.purse(), 1)
    assert sweep() == recharge.Recharged(0, 0)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"threshold_micros": -1}, Invalid),
        ({"amount_micros": 0}, Invalid),
        ({"amount_micros": 10**16}, Invalid),
        ({"monthly_limit_micros": MICROS}, Invalid),
        ({"method_id": 1}, Invalid),
        ({"profile_id": 10**6}, NotFound),
    ],
)
def test_bad_input_changes_nothing(company: Company, given: dict[str, Any], error: type[Problem]) -> None:
    good: dict[str, Any] = {"profile_id": company.profile_ids[0], "threshold_micros": 5 * MICROS, "amount_micros": 20 * MICROS}
    with pytest.raises(error):
        set_recharge(now=NOW, by=BY, **good | given)
    assert not RechargeRule.objects.exists()


def test_a_manager_needs_a_payment_method_of_its_own(company: Company) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": company.manager_id, "threshold_micros": MICROS, "amount_micros": MICROS}
    with pytest.raises(Invalid, match="payment method"):
        set_recharge(**given)
    method = add_method(company)
    with pytest.raises(Invalid, match="payment method"):
        set_recharge(**given, method_id=method.pk + 1)
    assert isinstance(set_recharge(**given, method_id=method.pk), RechargeSaved)


# Low balances


def test_a_low_balance_is_told_once_until_it_recovers(company: Company) -> None:
    set_notices(now=NOW, by=BY, manager_id=company.manager_id, email="notices@example.com", low_balance_micros=90 * MICROS)

    def look(minute: int) -> int:
        return tell_low_balances(now=NOW + timedelta(minutes=minute), by=BY, limit=10)

    assert look(0) == 0
    spend(company.manager.account, 89)
    assert (look(1), look(2)) == (1, 0)
    assert "$89.00" in Mail.objects.get().text
    take_back_credit(now=NOW, by=BY, profile_id=company.profile_ids[0], amount_micros=MICROS, reference="back")
    assert (look(3), look(4)) == (1, 0)
    spend(company.manager.account, 80)
    assert (look(5), len(mails("low_balance"))) == (1, 2)


@pytest.mark.parametrize("email", ["nobody", "a@b\nBcc: c@d", "a b@example.com"])
def test_an_address_must_be_one(company: Company, email: str) -> None:
    with pytest.raises(Invalid, match="e-mail"):
        set_notices(now=NOW, by=BY, manager_id=company.manager_id, email=email, low_balance_micros=None)
