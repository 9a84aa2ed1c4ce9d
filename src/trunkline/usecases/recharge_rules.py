"""Auto-recharge set up: threshold, amount, monthly limit, payment method (SPEC R4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trunkline.domain import recharge
from trunkline.domain.errors import Conflict, Invalid
from trunkline.domain.money import check_amount
from trunkline.domain.recharge import Recommended, Rule
from trunkline.store import queries
from trunkline.store.models import Account, PriceList, RechargeRule
from trunkline.store.recharges import Owner, method_for
from trunkline.store.work import By, Work, work

SHOWN = ("enabled", "threshold_micros", "amount_micros", "monthly_limit_micros", "method_id")


@dataclass(frozen=True, slots=True)
class RechargeSaved:
    rule_id: int


@dataclass(frozen=True, slots=True)
class RechargeNeedsConfirmation:
    """Nothing was saved: less than is recommended. The same with `confirmed` is."""

    warnings: tuple[str, ...]
    recommended: Recommended


@dataclass(frozen=True, slots=True)
class RechargeState:
    """None in `rule`: it was never set."""

    rule: RechargeRule | None
    recommended: Recommended


def recharge_of(*, manager_id: int | None = None, profile_id: int | None = None) -> RechargeState:
    """What is set, and what is recommended; of a Manager or of a profile."""
    owner = owner_named(manager_id, profile_id)
    return RechargeState(RechargeRule.objects.select_related("method").filter(account_id=owner.account_id).first(), owner.recommended)


def recommended(*, manager_id: int | None = None, profile_id: int | None = None) -> Recommended:
    """By the price list."""
    return owner_named(manager_id, profile_id).recommended


def set_recharge(
    *,
    now: datetime,
    by: By,
    manager_id: int | None = None,
    profile_id: int | None = None,
    threshold_micros: int,
    amount_micros: int,
    monthly_limit_micros: int | None = None,
    method_id: int | None = None,
    confirmed: bool = False,
) -> RechargeSaved | RechargeNeedsConfirmation:
    """Switched on, with these. Below the recommended amounts it is saved only when `confirmed`. Failures so far are forgotten.

    A Manager pays by `method_id`, or its default method; a profile from its Manager's Credit.
    """
    owner = owner_named(manager_id, profile_id)
    rule = Rule(threshold_micros, amount_micros, monthly_limit_micros)
    recharge.check(rule)
    if (warned := recharge.warnings(rule, owner.recommended, owner.manager.currency)) and not confirmed:
        return RechargeNeedsConfirmation(warned, owner.recommended)
    _check_method(owner, method_id)
    given: dict[str, Any] = {
        "threshold_micros": threshold_micros,
        "amount_micros": amount_micros,
        "monthly_limit_micros": monthly_limit_micros,
    }
    with work(now=now, by=by) as doing:
        return RechargeSaved(_save(doing, owner, enabled=True, method_id=method_id, **given))


def reset_recharge(*, now: datetime, by: By, manager_id: int | None = None, profile_id: int | None = None) -> RechargeSaved:
    """Switched on with the recommended amounts; monthly limit and method stay."""
    owner = owner_named(manager_id, profile_id)
    better = owner.recommended
    if better.amount_micros <= 0:
        raise Conflict("The price list recommends no amounts: choose your own.")
    old = RechargeRule.objects.filter(account_id=owner.account_id).first()
    method_id = old.method_id if old else None
    limit = old.monthly_limit_micros if old else None
    _check_method(owner, method_id)
    if limit is not None and limit < better.amount_micros:
        raise Conflict("The monthly limit is below the recommended amount: raise the limit, or choose your own amount.")
    given: dict[str, Any] = {
        "threshold_micros": better.threshold_micros,
        "amount_micros": better.amount_micros,
        "monthly_limit_micros": limit,
    }
    with work(now=now, by=by) as doing:
        return RechargeSaved(_save(doing, owner, enabled=True, method_id=method_id, **given))


def disable_recharge(*, now: datetime, by: By, manager_id: int | None = None, profile_id: int | None = None) -> None:
    """A payment that is under way is still booked when it succeeds."""
    owner = owner_named(manager_id, profile_id)
    with work(now=now, by=by) as doing:
        doing.locks.one(Account, owner.account_id)
        rule = RechargeRule.objects.filter(account_id=owner.account_id).first()
        if rule is None or not rule.enabled:
            raise Conflict(f"Auto-recharge of {owner.purse} is off already.")
        _save(doing, owner, locked=True, enabled=False)


def recommend(*, now: datetime, by: By, price_list_id: int, profile: Recommended | None = None, manager: Recommended | None = None) -> None:
    """By the operator: the amounts that a price list recommends for profiles and for Managers. None: as they are."""
    new: dict[str, int] = {}
    for prefix, amounts in (("", profile), ("manager_", manager)):
        if amounts is not None:
            recharge.check(Rule(amounts.threshold_micros, check_amount(amounts.amount_micros)))
            new |= {
                f"{prefix}recharge_threshold_micros": amounts.threshold_micros,
                f"{prefix}recharge_amount_micros": amounts.amount_micros,
            }
    with work(now=now, by=by) as doing:
        prices = doing.locks.one(PriceList, price_list_id)
        before = {name: getattr(prices, name) for name in new}
        for name, value in new.items():
            setattr(prices, name, value)
        prices.save(update_fields=list(new))
        doing.audit("prices.recommend", f"price list {price_list_id}", before=before, after=new)


def owner_named(manager_id: int | None, profile_id: int | None) -> Owner:
    """A Manager or a profile that is not deleted; exactly one id is given."""
    if (manager_id is None) == (profile_id is None):
        raise ValueError("give manager_id or profile_id")
    if profile_id is not None:
        profile = queries.profile(profile_id)
        return Owner(profile.manager, profile)
    assert manager_id is not None
    return Owner(queries.manager(manager_id), None)


def _check_method(owner: Owner, method_id: int | None) -> None:
    if owner.profile is not None:
        if method_id is not None:
            raise Invalid("method", "A SIP Profile is recharged from its Manager's Credit: leave the payment method away.")
        return
    method = method_for(RechargeRule(method_id=method_id), owner.manager)
    if method is None or method_id not in (None, method.pk):
        raise Invalid("method", "There is no such payment method: add one, then set up Auto-recharge.")


def _save(doing: Work, owner: Owner, *, locked: bool = False, **new: Any) -> int:
    """What failed before is forgotten; a payment that is under way goes on."""
    if not locked:
        doing.locks.one(Account, owner.account_id)  # two who set it up for the first time come one after the other
    known = RechargeRule.objects.filter(account_id=owner.account_id).first()
    rule = (
        doing.locks.one(RechargeRule, known.pk) if known else RechargeRule(account_id=owner.account_id, threshold_micros=0, amount_micros=0)
    )
    before = {name: getattr(rule, name) for name in SHOWN} if known else {}
    for name, value in new.items():
        setattr(rule, name, value)
    rule.failures, rule.last_failure = 0, ""
    rule.next_try_at = rule.next_try_at if rule.pending_micros else None
    rule.save()
    after = {name: getattr(rule, name) for name in SHOWN}
    doing.audit(
        "recharge.set" if rule.enabled else "recharge.disable", owner.target, manager_id=owner.manager.pk, before=before, after=after
    )
    return rule.pk
