"""What recharging a profile and recharging a Manager have in common: locks, the decision, and what is noted (SPEC R4.2)."""

from __future__ import annotations

from datetime import datetime

from trunkline.domain import recharge
from trunkline.domain.recharge import Decision, Wait
from trunkline.store import ledger, recharges
from trunkline.store.models import Account, RechargeRule
from trunkline.store.recharges import MANAGER_SHORT, Owner
from trunkline.store.work import Work
from trunkline.usecases import notices


def lock(doing: Work, owner: Owner, rule_id: int) -> tuple[Account, Account, RechargeRule]:
    """The purse, the Manager's Credit (which may be the same), the rule."""
    accounts = doing.locks.many(Account, {owner.account_id, owner.manager.account_id})
    return accounts[owner.account_id], accounts[owner.manager.account_id], doing.locks.one(RechargeRule, rule_id)


def decide(
    owner: Owner, rule: RechargeRule, purse: Account, now: datetime, *, credit: Account | None = None, need_micros: int = 0
) -> Decision:
    """A profile that waits for its Manager's `credit` does not wait when that is there."""
    if credit is not None and rule.last_failure == MANAGER_SHORT and ledger.free(credit) >= rule.amount_micros:
        rule.next_try_at = None
    most = recharge.MOST_RECHARGES_A_DAY if owner.profile else recharge.MOST_CARD_PAYMENTS_A_DAY
    free = ledger.free(purse)
    return recharge.decide(recharges.as_rule(rule), free_micros=free, now=now, zone=owner.zone, most_a_day=most, need_micros=need_micros)


def note_wait(doing: Work, owner: Owner, rule: RechargeRule, purse: Account, decision: Decision) -> None:
    """A limit is reached: the sweep need not look again before it ends."""
    if decision.until is None or decision.wait not in (Wait.DAY, Wait.MONTH):
        return
    rule.next_try_at, rule.last_failure = decision.until, ""
    rule.save(update_fields=["next_try_at", "last_failure"])
    tell = notices.recharge_limit if decision.wait is Wait.MONTH else notices.recharge_often
    tell(doing, owner, rule, purse=purse, until=decision.until)


def count(owner: Owner, rule: RechargeRule, now: datetime, amount_micros: int) -> None:
    """What was recharged, this month and today; failures are forgotten."""
    known = recharges.as_rule(rule)
    rule.recharged_micros = recharge.used_this_month(known, now, owner.zone) + amount_micros
    rule.day_recharges = recharge.used_today(known, now, owner.zone) + 1
    rule.month, rule.day = recharge.first_of_month(now, owner.zone), now.astimezone(owner.zone).date()
    rule.failures, rule.next_try_at, rule.last_failure = 0, None, ""
