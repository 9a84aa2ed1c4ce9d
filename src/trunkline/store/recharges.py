"""Auto-recharge rules: which are due, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from trunkline.domain.recharge import Recommended, Rule
from trunkline.store.models import Manager, PaymentMethod, Profile, RechargeRule

MANAGER_SHORT = "The Manager has too little Credit."


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose purse is recharged: a profile's from its Manager's Credit, or the Manager's own (no `profile`) from a payment method."""

    manager: Manager
    profile: Profile | None

    @property
    def account_id(self) -> int:
        return self.profile.account_id if self.profile else self.manager.account_id

    @property
    def purse(self) -> str:
        return f"The Credit of {self.profile.name if self.profile else self.manager.company_name}"

    @property
    def target(self) -> str:
        return f"profile {self.profile.pk}" if self.profile else f"manager {self.manager.pk}"

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.manager.time_zone)

    @property
    def recommended(self) -> Recommended:
        """A profile's amounts, or a Manager's."""
        prices = self.manager.price_list
        if self.profile:
            return Recommended(prices.recharge_threshold_micros, prices.recharge_amount_micros)
        return Recommended(prices.manager_recharge_threshold_micros, prices.manager_recharge_amount_micros)


def due(now: datetime, limit: int) -> list[int]:
    """Rules whose purse is low, or whose payment is to be asked after; those that waited for the Manager's Credit, as soon as it is there.

    Companies and profiles that are suspended or deleted wait.
    """
    low = Q(account__balance__lt=F("account__held") + F("threshold_micros"))
    free = F("account__profile__manager__account__balance") - F("account__profile__manager__account__held")
    not_waiting = Q(next_try_at__isnull=True) | Q(next_try_at__lte=now)
    money_came = Q(last_failure=MANAGER_SHORT, amount_micros__lte=free)
    open_to_calls = Q(account__profile__state=Profile.State.ACTIVE, account__profile__manager__state=Manager.State.ACTIVE)
    owner_active = Q(account__manager__state=Manager.State.ACTIVE) | open_to_calls
    rules = RechargeRule.objects.filter((low & Q(enabled=True)) | Q(pending_micros__gt=0), not_waiting | money_came, owner_active)
    return list(rules.order_by(F("next_try_at").asc(nulls_first=True), "pk").values_list("pk", flat=True)[:limit])


def owner_of(rule_id: int) -> tuple[Owner, RechargeRule]:
    """Not locked."""
    rule = RechargeRule.objects.select_related("account").get(pk=rule_id)
    profile = Profile.objects.select_related("manager__account", "manager__price_list").filter(account_id=rule.account_id).first()
    if profile is not None:
        return Owner(profile.manager, profile), rule
    return Owner(Manager.objects.select_related("account", "price_list").get(account_id=rule.account_id), None), rule


def rule_of_manager(manager_id: int) -> int | None:
    return RechargeRule.objects.filter(account__manager=manager_id).values_list("pk", flat=True).first()


def method_for(rule: RechargeRule, manager: Manager) -> PaymentMethod | None:
    """The rule's own, or else the Manager's default."""
    methods = PaymentMethod.objects.filter(manager=manager, removed_at__isnull=True)
    own = None if rule.method_id is None else methods.filter(pk=rule.method_id).first()
    return own or methods.filter(is_default=True).first()


def as_rule(row: RechargeRule) -> Rule:
    return Rule(
        row.threshold_micros,
        row.amount_micros,
        row.monthly_limit_micros,
        row.month,
        row.recharged_micros,
        row.day,
        row.day_recharges,
        row.next_try_at,
    )
