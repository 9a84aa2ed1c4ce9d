"""Auto-recharge at work (SPEC R4.2): a profile's purse from its Manager's Credit, a Manager's by a payment (`recharge_payments`).

`recharge_rules` sets it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from trunkline.domain import patience
from trunkline.store import ledger, recharges
from trunkline.store.models import Account, RechargeRule
from trunkline.store.recharges import MANAGER_SHORT, Owner
from trunkline.store.work import By, Work, work
from trunkline.usecases import notices, recharge_steps as steps
from trunkline.usecases.recharge_payments import ChargeMethod, Outcome, recharge_by_payment, recharge_manager_now

PUT_OFF = timedelta(hours=1)
OURS = "A fault of ours: the operator's log has it."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recharged:
    recharged: int
    failed: int


def recharge_due(*, now: datetime, by: By, limit: int, charge: ChargeMethod) -> Recharged:
    """Every purse that is low, one transaction for each; one that fails stops no other. Several may run at once."""
    done = [_recharge(rule_id, now, by, charge) for rule_id in recharges.due(now, limit)]
    return Recharged(done.count(True), done.count(False))


def _recharge(rule_id: int, now: datetime, by: By, charge: ChargeMethod) -> bool | None:
    """None: there was nothing to do any more."""
    try:
        owner, rule = recharges.owner_of(rule_id)
        if owner.profile is None:
            return recharge_by_payment(rule_id, now, by, charge).outcome is Outcome.RECHARGED
        found = _recharge_profile(owner, rule_id, now, by)
        if found is Outcome.IMPOSSIBLE:
            found = _recharge_both(owner, rule, now, by, charge)
    except Exception:
        log.exception("a recharge failed; it is put off", rule=rule_id)
        RechargeRule.objects.filter(pk=rule_id).update(next_try_at=now + PUT_OFF, last_failure=OURS)
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


def _recharge_profile(owner: Owner, rule_id: int, now: datetime, by: By) -> Outcome:
    """`IMPOSSIBLE`: the Manager has too little. `ENOUGH`: nothing to do, or not now."""
    with work(now=now, by=by) as doing:
        purse, credit, rule = steps.lock(doing, owner, rule_id)
        decision = steps.decide(owner, rule, purse, now, credit=credit)
        if not rule.enabled:
            return Outcome.ENOUGH
        if decision.wait:
            steps.note_wait(doing, owner, rule, purse, decision)
            return Outcome.ENOUGH
        if ledger.free(credit) < decision.amount_micros:
            return Outcome.IMPOSSIBLE
        _move(doing, owner, rule, credit=credit, purse=purse, amount_micros=decision.amount_micros)
    return Outcome.RECHARGED


def _move(doing: Work, owner: Owner, rule: RechargeRule, *, credit: Account, purse: Account, amount_micros: int) -> None:
    rule.recharges += 1
    key, note = f"recharge/{rule.pk}/{rule.recharges}", owner.profile.name if owner.profile else ""
    ledger.post(key=key, debit=credit, credit=purse, amount=amount_micros, kind="recharge", now=doing.now, note=note)
    steps.count(owner, rule, doing.now, amount_micros)
    rule.save()
    after = {"amount_micros": amount_micros, "from": credit.name, "to": purse.name}
    doing.audit("recharge.done", key, manager_id=owner.manager.pk, after=after)


def _note_short(owner: Owner, rule_id: int, now: datetime, by: By) -> None:
    """Looked at again in hours, or as soon as the Manager has enough (`store.recharges.due`)."""
    with work(now=now, by=by) as doing:
        purse, credit, rule = steps.lock(doing, owner, rule_id)
        if steps.decide(owner, rule, purse, now, credit=credit).wait is None:
            rule.failures += 1
            rule.last_failure = MANAGER_SHORT
            rule.next_try_at = patience.next_try(now, min(rule.failures, len(patience.RECHARGE)), patience.RECHARGE)
            rule.save()
            notices.recharge_short(doing, owner, rule, purse=purse, credit=credit)
