"""How much a company may buy, by how it pays and whether it is verified (SPEC R4.3)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import Sum

from trunkline.domain.errors import Invalid
from trunkline.domain.money import check_amount, check_currency
from trunkline.domain.payments import LIMIT_PERIOD, Limits, Means, check_limits, default_limits
from trunkline.store.models import Manager, Payment, PurchaseLimit
from trunkline.store.work import By, Work, work

BOOKED = "booked"  # the provider of payments that the operator books
WITHOUT_MONEY = (Payment.State.FAILED, Payment.State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Room:
    """What a Manager may still buy. `left_micros`: in one payment, now; None: no limit."""

    limits: Limits
    bought_micros: int
    left_micros: int | None


def room(*, now: datetime, manager: Manager, means: Means = Means.CARD) -> Room:
    limits, bought = limits_of(manager, means), _bought_micros(manager, means, now)
    month_left = None if limits.month_micros is None else max(limits.month_micros - bought, 0)
    caps = [cap for cap in (limits.each_micros, month_left) if cap is not None]
    return Room(limits, bought, min(caps, default=None))


def check(doing: Work, manager: Manager, means: Means, amount_micros: int) -> None:
    """`manager` is locked, so that two payments at once do not both find the same room. Raises OverLimit."""
    limits = limits_of(manager, means)
    bought = _bought_micros(manager, means, doing.now)
    check_limits(limits, amount_micros=amount_micros, bought_micros=bought, currency=manager.currency, verified=_verified(manager))


def next_payment(*, now: datetime, manager: Manager, wanted_micros: int, least_micros: int) -> int:
    """By card, one payment after the other: what the next one may be of all that is wanted.

    Raises OverLimit when not even the least can be paid, in however many.
    """
    found = room(now=now, manager=manager)
    in_all, bought = Limits(None, found.limits.month_micros), found.bought_micros
    check_limits(in_all, amount_micros=least_micros, bought_micros=bought, currency=manager.currency, verified=_verified(manager))
    return wanted_micros if found.left_micros is None else min(wanted_micros, found.left_micros)


def limits_of(manager: Manager, means: Means) -> Limits:
    """What the operator has set, else the default."""
    verified = _verified(manager)
    row = PurchaseLimit.objects.filter(currency=manager.currency, kind=means, verified=verified).first()
    return Limits(row.each_micros, row.month_micros) if row else default_limits(manager.currency, means, verified=verified)


def set_limits(*, now: datetime, by: By, currency: str, means: Means, verified: bool, limits: Limits) -> None:
    """By the operator. None: no limit."""
    check_currency(currency)
    for amount in (limits.each_micros, limits.month_micros):
        if amount is not None:
            check_amount(amount)
    if limits.each_micros and limits.month_micros and limits.each_micros > limits.month_micros:
        raise Invalid("each", "One payment can't be more than the payments of 30 days: raise that limit, or lower this one.")
    with work(now=now, by=by) as doing:
        PurchaseLimit.objects.update_or_create(
            currency=currency,
            kind=means,
            verified=verified,
            defaults=asdict(limits),
        )
        state = "verified" if verified else "unverified"
        doing.audit("purchase_limits.set", f"{currency} {means} {state}", after=asdict(limits))


def _bought_micros(manager: Manager, means: Means, now: datetime) -> int:
    """What is under way counts, and so does what went back: else a limit could be turned round and round."""
    made = Payment.objects.filter(manager=manager, created_at__gt=now - LIMIT_PERIOD).exclude(state__in=WITHOUT_MONEY)
    kind = made.filter(provider=BOOKED) if means is Means.BOOKED else made.exclude(provider=BOOKED)
    return kind.aggregate(sum=Sum("amount_micros"))["sum"] or 0


def _verified(manager: Manager) -> bool:
    return manager.verification == Manager.Verification.VERIFIED
