"""Auto-recharge: when, how much, how often, and what is worth a question (SPEC R4.2). Pure; months and days are the Manager's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from trunkline.domain.errors import Invalid
from trunkline.domain.money import MAX_AMOUNT_MICROS, for_people

MOST_CARD_PAYMENTS_A_DAY = 5
MOST_RECHARGES_A_DAY = 100
"""Of a profile: nothing is paid there, but a loop would empty the Manager's Credit."""


class Wait(StrEnum):
    """Why nothing is recharged now."""

    NOT_LOW = "not_low"
    LATER = "later"  # after a failure, or while a payment is under way
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Rule:
    """What was set, and what was recharged in `month` (its first day) and on `day`."""

    threshold_micros: int
    amount_micros: int
    monthly_limit_micros: int | None = None
    month: date | None = None
    recharged_micros: int = 0
    day: date | None = None
    day_recharges: int = 0
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Recharge `amount_micros`; or `wait`, at least `until` if that is known."""

    amount_micros: int
    wait: Wait | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recommended:
    """Of a price list. Zero: it recommends nothing."""

    threshold_micros: int
    amount_micros: int


def decide(rule: Rule, *, free_micros: int, now: datetime, zone: tzinfo, most_a_day: int, need_micros: int = 0) -> Decision:
    """Is it time, and for how much? `need_micros`: something that is due costs this much; so many amounts are recharged as it takes.

    Or what the month's limit leaves, when that pays for what is due.
    """
    if free_micros >= max(rule.threshold_micros, need_micros):
        return Decision(0, Wait.NOT_LOW)
    if used_today(rule, now, zone) >= most_a_day:
        return Decision(0, Wait.DAY, next_day(now, zone))
    short = need_micros - free_micros
    amount = rule.amount_micros * max(1, -(-short // rule.amount_micros))
    if rule.monthly_limit_micros is not None and amount > (left := rule.monthly_limit_micros - used_this_month(rule, now, zone)):
        if not 0 < short <= left:
            return Decision(0, Wait.MONTH, next_month(now, zone))
        amount = left
    if rule.next_try_at is not None and now < rule.next_try_at:
        return Decision(0, Wait.LATER, rule.next_try_at)
    return Decision(min(amount, MAX_AMOUNT_MICROS))


def used_this_month(rule: Rule, now: datetime, zone: tzinfo) -> int:
    return rule.recharged_micros if rule.month == first_of_month(now, zone) else 0


def used_today(rule: Rule, now: datetime, zone: tzinfo) -> int:
    return rule.day_recharges if rule.day == now.astimezone(zone).date() else 0


def first_of_month(now: datetime, zone: tzinfo) -> date:
    return now.astimezone(zone).date().replace(day=1)


def next_month(now: datetime, zone: tzinfo) -> datetime:
    """The first moment of the next one there."""
    return _midnight((first_of_month(now, zone) + timedelta(days=31)).replace(day=1), zone)


def next_day(now: datetime, zone: tzinfo) -> datetime:
    return _midnight(now.astimezone(zone).date() + timedelta(days=1), zone)


def check(rule: Rule) -> None:
    """What can't be meant is refused."""
    if not 0 <= rule.threshold_micros <= MAX_AMOUNT_MICROS:
        raise Invalid("threshold", f"The threshold must be from 0 to {MAX_AMOUNT_MICROS // 1_000_000}.")
    if not 0 < rule.amount_micros <= MAX_AMOUNT_MICROS:
        raise Invalid("amount", f"The amount must be more than 0 and at most {MAX_AMOUNT_MICROS // 1_000_000}.")
    if rule.monthly_limit_micros is not None and not rule.amount_micros <= rule.monthly_limit_micros <= MAX_AMOUNT_MICROS:
        raise Invalid("monthly_limit", "The monthly limit must be at least the amount of one recharge, or nothing is ever recharged.")


def warnings(rule: Rule, recommended: Recommended, currency: str) -> tuple[str, ...]:
    """What is below the recommended amounts must be saved twice."""
    said = []
    for what, chosen, better in (
        ("threshold", rule.threshold_micros, recommended.threshold_micros),
        ("amount", rule.amount_micros, recommended.amount_micros),
    ):
        if chosen < better:
            said.append(
                f"The {what} {for_people(chosen, currency)} is below the recommended {for_people(better, currency)}: "
                "Credit may run out before a recharge arrives, and calls with it. Save again if you mean it."
            )
    return tuple(said)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
