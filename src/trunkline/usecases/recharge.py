"""Auto-recharge at work (SPEC R4.2): a profile's purse from its Manager's Credit, a Manager's by a payment. `recharge_rules` sets it up.

A payment is asked for between two transactions, never inside of one. Before it, the rule says which one is under way: whoever comes
after a crash asks for the same payment again, by the same reference, and learns what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog

from trunkline.domain import patience, recharge
from trunkline.domain.errors import Problem
from trunkline.domain.recharge import Decision, Wait
from trunkline.store import ledger, recharges
from trunkline.store.models import Account, Payment, RechargeRule
from trunkline.store.recharges import MANAGER_SHORT, Owner
from trunkline.store.work import By, Work, work
from trunkline.usecases import notices

ASK_AGAIN = timedelta(minutes=2)
"""While a payment is under way; whoever asked for it and died is not waited for longer."""
ASK_THE_PAYER_AGAIN = timedelta(hours=1)
PAYER_HAS = timedelta(days=3)
"""To authenticate a payment that waits for it."""
OURS = "A fault of ours: the operator's log has it."
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
class Recharged:
    recharged: int
    failed: int


@dataclass(frozen=True, slots=True)
class _Claim:
    rule_id: int
    amount_micros: int
    reference: str


def recharge_due(*, now: datetime, by: By, limit: int, charge: ChargeMethod) -> Recharged:
    """Every purse that is low, one transaction for each; one that fails stops no other. Several may run at once."""
    done = [_recharge(rule_id, now, by, charge) for rule_id in recharges.due(now, limit)]
    return Recharged(done.count(True), done.count(False))


def recharge_manager_now(*, now: datetime, by: By, manager_id: int, need_micros: int, charge: ChargeMethod) -> ManagerRecharge:
    """Something due costs `need_micros`, and the Manager's Credit may be less: recharge it by its own rule, as often its amount as it takes.

    Call it outside of transactions. `LATER` and `UNDER_WAY`: it may still be paid, ask again; `IMPOSSIBLE`: not by itself.
    """
    rule_id = recharges.rule_of_manager(manager_id)
    return ManagerRecharge(Outcome.IMPOSSIBLE) if rule_id is None else _recharge_manager(rule_id, now, by, charge, need_micros)


def _recharge(rule_id: int, now: datetime, by: By, charge: ChargeMethod) -> bool | None:
    """None: there was nothing to do any more."""
    try:
        owner, rule = recharges.owner_of(rule_id)
        if owner.profile is None:
            return _recharge_manager(rule_id, now, by, charge).outcome is Outcome.RECHARGED
        found = _recharge_profile(owner, rule_id, now, by)
        if found is Outcome.IMPOSSIBLE:
            found = _recharge_both(owner, rule, now, by, charge)
    except Exception:
        log.exception("a recharge failed; it is put off", rule=rule_id)
        RechargeRule.objects.filter(pk=rule_id).update(next_try_at=now + ASK_THE_PAYER_AGAIN, last_failure=OURS)
        return False
    return None if found is Outcome.ENOUGH else found is Outcome.RECHARGED


def _recharge_both(owner: Owner, rule: RechargeRule, now: datetime, by: By, charge: ChargeMethod) -> Outcome:
    """The Manager first, then the profile from it."""
    answer = recharge_manager_now(now=now, by=by, manager_id=owner.manager.pk, need_micros=rule.amount_micros, charge=charge)
    came = answer.outcome in (Outcome.RECHARGED, Outcome.ENOUGH)
    found = _recharge_profile(owner, rule.pk, now, by) if came else Outcome.IMPOSSIBLE
    if found is Outcome.IMPOSSIBLE:
        _note_short(owner, rule.pk, now, by)
    return found


# A profile's


def _recharge_profile(owner: Owner, rule_id: int, now: datetime, by: By) -> Outcome:
    """`IMPOSSIBLE`: the Manager has too little. `ENOUGH`: nothing to do, or not now."""
    with work(now=now, by=by) as doing:
        purse, credit, rule = _lock(doing, owner, rule_id)
        decision = _decide(owner, rule, purse, now, credit=credit)
        if not rule.enabled:
            return Outcome.ENOUGH
        if decision.wait:
            _note_wait(doing, owner, rule, purse, decision)
            return Outcome.ENOUGH
        if ledger.free(credit) < decision.amount_micros:
            return Outcome.IMPOSSIBLE
        _move(doing, owner, rule, credit=credit, purse=purse, amount_micros=decision.amount_micros)
    return Outcome.RECHARGED


def _move(doing: Work, owner: Owner, rule: RechargeRule, *, credit: Account, purse: Account, amount_micros: int) -> None:
    rule.recharges += 1
    key = f"recharge/{rule.pk}/{rule.recharges}"
    ledger.post(key=key, debit=credit, credit=purse, amount=amount_micros, kind="recharge", now=doing.now, note="Auto-recharge")
    _count(owner, rule, doing.now, amount_micros)
    rule.save()
    after = {"amount_micros": amount_micros, "from": credit.name, "to": purse.name}
    doing.audit("recharge.done", key, manager_id=owner.manager.pk, after=after)


def _note_short(owner: Owner, rule_id: int, now: datetime, by: By) -> None:
    """Looked at again in hours, or as soon as the Manager has enough (`store.recharges.due`)."""
    with work(now=now, by=by) as doing:
        purse, credit, rule = _lock(doing, owner, rule_id)
        if _decide(owner, rule, purse, now, credit=credit).wait is None:
            rule.failures += 1
            rule.last_failure = MANAGER_SHORT
            rule.next_try_at = patience.next_try(now, min(rule.failures, len(patience.RECHARGE)), patience.RECHARGE)
            rule.save()
            notices.recharge_short(doing, owner, rule, purse=purse, credit=credit)


# A Manager's


def _recharge_manager(rule_id: int, now: datetime, by: By, charge: ChargeMethod, need_micros: int = 0) -> ManagerRecharge:
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
    with work(now=now, by=by) as doing:
        purse, _, rule = _lock(doing, owner, rule_id)
        if rule.pending_micros:
            if rule.next_try_at is not None and rule.next_try_at > now:
                return ManagerRecharge(Outcome.UNDER_WAY, rule.next_try_at)
        else:
            if not rule.enabled:
                return ManagerRecharge(Outcome.IMPOSSIBLE)
            decision = _decide(owner, rule, purse, now, need_micros=need_micros)
            if decision.wait:
                _note_wait(doing, owner, rule, purse, decision)
                return ManagerRecharge(_OF_WAIT[decision.wait], decision.until)
            rule.recharges += 1
            rule.pending_micros = decision.amount_micros
        rule.next_try_at = now + ASK_AGAIN
        rule.save()
    return _Claim(rule.pk, rule.pending_micros, _payment_reference(rule))


_OF_WAIT = {Wait.NOT_LOW: Outcome.ENOUGH, Wait.LATER: Outcome.LATER, Wait.DAY: Outcome.LATER, Wait.MONTH: Outcome.IMPOSSIBLE}


def _ask(owner: Owner, claim: _Claim, now: datetime, by: By, charge: ChargeMethod) -> tuple[str, str]:
    """The payment's state, and its failure or where the payer goes on. What can't be known yet is `PROCESSING`."""
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
        credit, _, rule = _lock(doing, owner, claim.rule_id)
        if _payment_reference(rule) != claim.reference or not rule.pending_micros:
            return ManagerRecharge(Outcome.LATER, rule.next_try_at)  # somebody else was faster
        match state:
            case Payment.State.SUCCEEDED:
                rule.pending_micros = 0
                _count(owner, rule, now, claim.amount_micros)
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


# Both


def _lock(doing: Work, owner: Owner, rule_id: int) -> tuple[Account, Account, RechargeRule]:
    """The purse, the Manager's Credit (which may be the same), the rule."""
    accounts = doing.locks.many(Account, {owner.account_id, owner.manager.account_id})
    return accounts[owner.account_id], accounts[owner.manager.account_id], doing.locks.one(RechargeRule, rule_id)


def _decide(
    owner: Owner, rule: RechargeRule, purse: Account, now: datetime, *, credit: Account | None = None, need_micros: int = 0
) -> Decision:
    """A profile that waits for its Manager's `credit` does not wait when that is there."""
    if credit is not None and rule.last_failure == MANAGER_SHORT and ledger.free(credit) >= rule.amount_micros:
        rule.next_try_at = None
    most = recharge.MOST_RECHARGES_A_DAY if owner.profile else recharge.MOST_CARD_PAYMENTS_A_DAY
    free = ledger.free(purse)
    return recharge.decide(recharges.as_rule(rule), free_micros=free, now=now, zone=owner.zone, most_a_day=most, need_micros=need_micros)


def _note_wait(doing: Work, owner: Owner, rule: RechargeRule, purse: Account, decision: Decision) -> None:
    """A limit is reached: the sweep need not look again before it ends."""
    if decision.until is None or decision.wait not in (Wait.DAY, Wait.MONTH):
        return
    rule.next_try_at, rule.last_failure = decision.until, ""
    rule.save(update_fields=["next_try_at", "last_failure"])
    tell = notices.recharge_limit if decision.wait is Wait.MONTH else notices.recharge_often
    tell(doing, owner, rule, purse=purse, until=decision.until)


def _count(owner: Owner, rule: RechargeRule, now: datetime, amount_micros: int) -> None:
    """What was recharged, this month and today; failures are forgotten."""
    known = recharges.as_rule(rule)
    rule.recharged_micros = recharge.used_this_month(known, now, owner.zone) + amount_micros
    rule.day_recharges = recharge.used_today(known, now, owner.zone) + 1
    rule.month, rule.day = recharge.first_of_month(now, owner.zone), now.astimezone(owner.zone).date()
    rule.failures, rule.next_try_at, rule.last_failure = 0, None, ""


def _payment_reference(rule: RechargeRule) -> str:
    return f"recharge-{rule.pk}-{rule.recharges}"
