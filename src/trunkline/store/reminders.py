"""What ends soon, and whose Credit is low."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q

from trunkline.domain.reminders import DAYS, FIRST
from trunkline.store.models import Manager, RechargeRule, Term


def managers_to_remind(now: datetime, since: datetime | None) -> list[int]:
    """Whose terms have come within 7, 3 or 1 days of their end since then; None: whose are within 7 days."""
    windows = Q()
    for days in DAYS:
        ahead = timedelta(days=days)
        windows |= Q(ends_at__gt=(since if since is not None else now - ahead) + ahead, ends_at__lte=now + ahead)
    terms = Term.objects.filter(windows, ended_at__isnull=True, ends_at__gt=now)
    return sorted(set(terms.values_list("manager_id", flat=True)))


def ending_soon(manager_ids: Iterable[int], now: datetime) -> dict[int, list[Term]]:
    """Open terms by Manager, with all that describes them and their price."""
    terms = Term.objects.filter(manager_id__in=manager_ids, ended_at__isnull=True, ends_at__gt=now, ends_at__lte=now + FIRST)
    found: dict[int, list[Term]] = defaultdict(list)
    for term in terms.select_related("manager__price_list", "profile", "product", "number"):
        found[term.manager_id].append(term)
    return found


def recharges_by_itself(manager: Manager) -> bool:
    """Auto-recharge is on, and its last payment did not fail. It rests while the company is suspended."""
    return not manager.is_suspended and RechargeRule.objects.filter(account_id=manager.account_id, enabled=True, failures=0).exists()


def crossed_low(limit: int) -> list[int]:
    """Managers whose Credit has fallen below what they want to be told of, or is above it again."""
    free = F("account__balance") - F("account__held")
    fell = Q(low_balance_micros__gt=free, low_balance_since__isnull=True)
    rose = Q(low_balance_since__isnull=False) & (Q(low_balance_micros__lte=free) | Q(low_balance_micros__isnull=True))
    return list(Manager.objects.filter(fell | rose).order_by("pk").values_list("pk", flat=True)[:limit])


def first_end(after: datetime) -> datetime | None:
    """When the next open term ends."""
    return Term.objects.filter(ended_at__isnull=True, ends_at__gt=after).order_by("ends_at").values_list("ends_at", flat=True).first()
