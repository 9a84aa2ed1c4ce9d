"""A Manager's Credit recharged by a payment (SPEC R4.2).

A payment is asked for between two transactions, never inside of one. Before it, the rule says which one is under way: whoever comes
after a crash asks for the same payment again, by the same reference, and learns what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog

from trunkline.domain import patience
from trunkline.domain.errors import Problem
from trunkline.domain.payments import OverLimit
from trunkline.domain.recharge import MOST_CARD_PAYMENTS_A_DAY, Decision, Wait
from trunkline.store import ledger, recharges
from trunkline.store.models import Account, Payment, RechargeRule
from trunkline.store.recharges import Owner
from trunkline.store.work import By, Work, work
from trunkline.usecases import notices, purchase_limits, recharge_steps as steps

ASK_AGAIN = timedelta(minutes=2)
"""While a payment is under way; whoever asked for it and died is not waited for longer."""
ASK_THE_PAYER_AGAIN = timedelta(hours=1)
PAYER_HAS = timedelta(days=3)
"""To authenticate a payment that waits for it."""
NO_METHOD = "There is no payment method: add one in the Manager."

log = structlog.get_logger()


class Charged(Protocol):
    """A payment, as it stands. `state`: of `Payment.State`."""

    @property
    def payment_id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def action_url(self) -> str: ...


class ChargeMethod(Protocol):
    """Asks for a payment by a stored method, the payer absent. The same reference is the same payment; succeeded: its Credit is booked."""

    def __call__(self, *, now: datetime, by: By, manager_id: int, method_id: int, amount_micros: int, reference: str) -> Charged: ...


class Outcome(StrEnum):
    ENOUGH = "enough"  # there is as much as is needed
    RECHARGED = "recharged"
    UNDER_WAY = "under_way"
    LATER = "later"
    IMPOSSIBLE = "impossible"  # off, without a payment method, or beyond the month's limit


@dataclass(frozen=True, slots=True)
class ManagerRecharge:
    """`until`: when it makes sense to ask again."""

    outcome: Outcome
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Claim:
    rule_id: int
    amount_micros: int
    reference: str
    refused: str = ""
    """By the purchase limits: nobody need be asked."""


def recharge_manager_now(*, now: datetime, by: By, manager_id: int, need_micros: int, charge: ChargeMethod) -> ManagerRecharge:
    """Something due costs `need_micros`, and the Manager's Credit may be less: recharge it by its own rule, as often its amount as it takes.

    In as many payments as the purchase limits ask for (R4.3); in none when they don't leave enough for all. Call it outside of
    transactions. `LATER` and `UNDER_WAY`: it may still be paid, ask again; `IMPOSSIBLE`: not by itself.
    """
    answer = ManagerRecharge(Outcome.IMPOSSIBLE)
    if (rule_id := recharges.rule_of_manager(manager_id)) is None:
        return answer
    for _ in range(MOST_CARD_PAYMENTS_A_DAY):
        answer = recharge_by_payment(rule_id, now, by, charge, need_micros)
        if answer.outcome is not Outcome.RECHARGED or ledger.free(Account.objects.get(manager=manager_id)) >= need_micros:
            break
    return answer


def recharge_by_payment(rule_id: int, now: datetime, by: By, charge: ChargeMethod, need_micros: int = 0) -> ManagerRecharge:
    owner, _ = recharges.owner_of(rule_id)
    claim = _claim(owner, rule_id, now, by, need_micros)
    if isinstance(claim, ManagerRecharge):
        return claim
    state, words = _ask(owner, claim, now, by, charge)
    return _settle(owner, claim, now, by, state=state, words=words)


def _claim(owner: Owner, rule_id: int, now: datetime, by: By, need_micros: int) -> _Claim | ManagerRecharge:
    """From now on this payment is under way, whatever becomes of us. A company that is suspended waits, as in `recharges.due`."""
    if owner.manager.is_suspended:
        return ManagerRecharge(Outcome.LATER)
    refused = ""
    with work(now=now, by=by) as doing:
        purse, _, rule = steps.lock(doing, owner, rule_id)
        if rule.pending_micros:
            if rule.next_try_at is not None and rule.next_try_at > now:
                return ManagerRecharge(Outcome.UNDER_WAY, rule.next_try_at)
        else:
            if not rule.enabled:
                return ManagerRecharge(Outcome.IMPOSSIBLE)
            decision = steps.decide(owner, rule, purse, now, need_micros=need_micros)
            if decision.wait:
                steps.note_wait(doing, owner, rule, purse, decision)
                return ManagerRecharge(_OF_WAIT[decision.wait], decision.until)
            rule.recharges += 1
            rule.pending_micros, refused = _next_payment(owner, decision, now, short_micros=need_micros - ledger.free(purse))
        rule.next_try_at = now + ASK_AGAIN
        rule.save()
    return _Claim(rule.pk, rule.pending_micros, _payment_reference(rule), refused)


def _next_payment(owner: Owner, decision: Decision, now: datetime, *, short_micros: int) -> tuple[int, str]:
    """Its amount, and why the purchase limits refuse it. Nobody pays for a part of what is due that would lapse all the same."""
    wanted = decision.amount_micros
    least = short_micros if short_micros > 0 else wanted
    try:
        return purchase_limits.next_payment(now=now, manager=owner.manager, wanted_micros=wanted, least_micros=least), ""
    except OverLimit as problem:
        return wanted, str(problem)


_OF_WAIT = {Wait.NOT_LOW: Outcome.ENOUGH, Wait.LATER: Outcome.LATER, Wait.DAY: Outcome.LATER, Wait.MONTH: Outcome.IMPOSSIBLE}


def _ask(owner: Owner, claim: _Claim, now: datetime, by: By, charge: ChargeMethod) -> tuple[str, str]:
    """The payment's state, and its failure or where the payer goes on. What can't be known yet is `PROCESSING`."""
    if claim.refused:
        return Payment.State.FAILED, claim.refused
    _, rule = recharges.owner_of(claim.rule_id)
    method = recharges.method_for(rule, owner.manager)
    if method is None:
        return Payment.State.FAILED, NO_METHOD
    try:
        payment = charge(
            now=now, by=by, manager_id=owner.manager.pk, method_id=method.pk, amount_micros=claim.amount_micros, reference=claim.reference
        )
    except Problem as problem:
        return Payment.State.FAILED, str(problem)
    except Exception:
        log.exception("what became of a payment is not known; it is asked for again", reference=claim.reference)
        return Payment.State.PROCESSING, ""
    return _as_it_stands(payment, now)


def _as_it_stands(payment: Charged, now: datetime) -> tuple[str, str]:
    row = Payment.objects.filter(pk=payment.payment_id).first()
    if payment.state == Payment.State.ACTION_NEEDED:
        late = row is not None and now - row.created_at > PAYER_HAS
        return (Payment.State.FAILED, "nobody confirmed the payment") if late else (payment.state, payment.action_url)
    return payment.state, row.failure if row is not None else ""


def _settle(owner: Owner, claim: _Claim, now: datetime, by: By, *, state: str, words: str) -> ManagerRecharge:
    """What became of the payment. `words`: its failure, or where the payer goes on."""
    with work(now=now, by=by) as doing:
        credit, _, rule = steps.lock(doing, owner, claim.rule_id)
        if _payment_reference(rule) != claim.reference or not rule.pending_micros:
            return ManagerRecharge(Outcome.LATER, rule.next_try_at)  # somebody else was faster
        match state:
            case Payment.State.SUCCEEDED:
                rule.pending_micros = 0
                steps.count(owner, rule, now, claim.amount_micros)
                found = ManagerRecharge(Outcome.RECHARGED)
            case Payment.State.FAILED | Payment.State.CANCELLED:
                found = _note_failure(doing, owner, rule, credit, words or "it was cancelled")
            case Payment.State.ACTION_NEEDED:
                rule.next_try_at = now + ASK_THE_PAYER_AGAIN
                notices.recharge_action(doing, owner.manager, rule, credit=credit, amount_micros=claim.amount_micros, action_url=words)
                found = ManagerRecharge(Outcome.UNDER_WAY, rule.next_try_at)
            case _:
                rule.next_try_at = now + ASK_AGAIN
                found = ManagerRecharge(Outcome.UNDER_WAY, rule.next_try_at)
        rule.save()
        after = {"amount_micros": claim.amount_micros, "state": str(state)}
        doing.audit("recharge.payment", claim.reference, manager_id=owner.manager.pk, after=after)
    return found


def _note_failure(doing: Work, owner: Owner, rule: RechargeRule, credit: Account, failure: str) -> ManagerRecharge:
    """Later, at growing intervals; in the end it is switched off."""
    amount_micros, rule.pending_micros = rule.pending_micros, 0
    rule.failures += 1
    rule.last_failure = failure[:200]
    rule.next_try_at = patience.next_try(doing.now, rule.failures, patience.RECHARGE)
    rule.enabled = rule.enabled and rule.next_try_at is not None
    notices.recharge_failed(doing, owner.manager, rule, credit=credit, amount_micros=amount_micros)
    return ManagerRecharge(Outcome.LATER if rule.enabled else Outcome.IMPOSSIBLE, rule.next_try_at)


def _payment_reference(rule: RechargeRule) -> str:
    return f"recharge-{rule.pk}-{rule.recharges}"
