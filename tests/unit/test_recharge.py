"""Auto-recharge: when and how much (SPEC R4.2), by table."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from trunkline.domain import patience, recharge
from trunkline.domain.errors import Invalid
from trunkline.domain.recharge import MOST_CARD_PAYMENTS_A_DAY, Decision, Recommended, Rule, Wait, decide
from trunkline.domain.reminders import Ending, Reminder, days_left, reminders

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)  # in New York it is still 30 November, 23:00
DECEMBER = datetime(2026, 12, 1, 5, tzinfo=UTC)
RULE = Rule(threshold_micros=5, amount_micros=10)


def decided(rule: Rule, free: int, *, now: datetime = NOW, need: int = 0) -> Decision:
    return decide(rule, free_micros=free, now=now, zone=NEW_YORK, most_a_day=MOST_CARD_PAYMENTS_A_DAY, need_micros=need)


@pytest.mark.parametrize(("free", "amount"), [(6, 0), (5, 0), (4, 10), (0, 10)])
def test_recharged_when_less_than_the_threshold_is_free(free: int, amount: int) -> None:
    found = decided(RULE, free)
    assert (found.amount_micros, found.wait) == (amount, None if amount else Wait.NOT_LOW)


@pytest.mark.parametrize(("free", "need", "amount"), [(20, 20, 0), (20, 21, 10), (20, 30, 10), (20, 31, 20), (0, 95, 100), (4, 3, 10)])
def test_what_is_due_takes_so_many_amounts(free: int, need: int, amount: int) -> None:
    assert decided(RULE, free, need=need).amount_micros == amount


@pytest.mark.parametrize(
    ("month", "recharged", "now", "amount"),
    [
        (date(2026, 11, 1), 20, NOW, 10),
        (date(2026, 11, 1), 21, NOW, 0),
        (date(2026, 11, 1), 30, DECEMBER, 10),  # a new month there, not in UTC
        (date(2026, 10, 1), 30, NOW, 10),
        (None, 0, NOW, 10),
    ],
)
def test_the_limit_is_of_a_calendar_month_in_the_managers_time_zone(month: date | None, recharged: int, now: datetime, amount: int) -> None:
    found = decided(Rule(5, 10, 30, month, recharged), 0, now=now)
    assert found == (Decision(amount) if amount else Decision(0, Wait.MONTH, DECEMBER))


@pytest.mark.parametrize(("need", "amount"), [(9, 10), (15, 15), (16, 0), (0, 10)])
def test_what_is_due_may_take_what_the_month_leaves(need: int, amount: int) -> None:
    """Amounts of 10, of 30 in a month 15 are spent: 15 pay for what costs 15, and nothing for what costs 16."""
    found = decided(Rule(5, 10, 30, date(2026, 11, 1), 15), 0, need=need)
    assert found == (Decision(amount) if amount else Decision(0, Wait.MONTH, DECEMBER))


def test_never_more_than_so_many_a_day() -> None:
    often = Rule(5, 10, day=date(2026, 11, 30), day_recharges=MOST_CARD_PAYMENTS_A_DAY)
    assert decided(often, 0) == Decision(0, Wait.DAY, DECEMBER)
    assert decided(often, 0, now=DECEMBER) == Decision(10)


def test_not_before_the_next_try() -> None:
    failed = Rule(5, 10, next_try_at=NOW + timedelta(hours=1))
    assert decided(failed, 0) == Decision(0, Wait.LATER, NOW + timedelta(hours=1))
    assert decided(failed, 0, need=100).wait is Wait.LATER
    assert decided(failed, 0, now=NOW + timedelta(hours=1)) == Decision(10)


def test_a_month_ends_at_midnight_there_also_when_the_hour_changes() -> None:
    assert recharge.next_month(datetime(2026, 10, 31, 12, tzinfo=UTC), NEW_YORK) == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert recharge.next_month(datetime(2026, 12, 31, 12, tzinfo=UTC), NEW_YORK) == datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert recharge.next_day(datetime(2026, 11, 1, 12, tzinfo=UTC), NEW_YORK) == datetime(2026, 11, 2, 5, tzinfo=UTC)


amounts = st.integers(1, 10**12)


@given(threshold=st.integers(0, 10**12), amount=amounts, free=st.integers(0, 10**12), need=st.integers(0, 10**12))
def test_one_recharge_is_enough_for_what_is_due(threshold: int, amount: int, free: int, need: int) -> None:
    found = decided(Rule(threshold, amount), free, need=need)
    assert (found.amount_micros == 0) == (free >= max(threshold, need))
    if found.amount_micros:
        assert free + found.amount_micros >= need
        assert found.amount_micros % amount == 0
        assert found.amount_micros == amount or free + found.amount_micros - amount < need


@given(amounts, amounts, st.lists(st.integers(0, 40), max_size=60))
def test_a_month_never_exceeds_its_limit(amount: int, limit: int, hours: list[int]) -> None:
    month, recharged, now = None, 0, NOW
    by_month: dict[date, int] = {}
    for step in hours:
        now += timedelta(hours=step)
        found = decided(Rule(amount, amount, limit, month, recharged), 0, now=now)
        if found.amount_micros:
            known = Rule(amount, amount, limit, month, recharged)
            recharged = recharge.used_this_month(known, now, NEW_YORK) + found.amount_micros
            month = now.astimezone(NEW_YORK).date().replace(day=1)
            by_month[month] = by_month.get(month, 0) + found.amount_micros
    assert all(total <= limit for total in by_month.values())


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule(-1, 10), "threshold"),
        (Rule(10**16, 10), "threshold"),
        (Rule(5, 0), "amount"),
        (Rule(5, -1), "amount"),
        (Rule(5, 10**16), "amount"),
        (Rule(5, 10, 9), "monthly_limit"),
        (Rule(5, 10, -1), "monthly_limit"),
    ],
)
def test_what_cannot_be_meant_is_refused(rule: Rule, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        recharge.check(rule)
    assert refused.value.field == field


@pytest.mark.parametrize(("threshold", "amount", "count"), [(5, 10, 0), (4, 10, 1), (5, 9, 1), (0, 1, 2), (6, 11, 0)])
def test_less_than_recommended_is_warned_about(threshold: int, amount: int, count: int) -> None:
    assert len(recharge.warnings(Rule(threshold, amount), Recommended(5, 10), "USD")) == count


@pytest.mark.parametrize(("failures", "hours"), [(1, 1), (2, 6), (3, 24), (4, 72)])
def test_failures_are_tried_again_at_growing_intervals(failures: int, hours: int) -> None:
    assert patience.next_try(NOW, failures, patience.RECHARGE) == NOW + timedelta(hours=hours)


def test_in_the_end_it_is_enough() -> None:
    assert patience.next_try(NOW, 5, patience.RECHARGE) is None


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=7, microseconds=1), None),
        (timedelta(days=7), 7),
        (timedelta(days=3, seconds=1), 7),
        (timedelta(days=3), 3),
        (timedelta(days=1), 1),
        (timedelta(microseconds=1), 1),
        (timedelta(), None),
        (timedelta(days=-1), None),
    ],
)
def test_reminders_are_for_seven_three_and_one_days(left: timedelta, days: int | None) -> None:
    assert days_left(NOW + left, NOW) == days


def ending(ident: int, days: int, price: int, *, renews: bool = True) -> Ending:
    return Ending(ident, NOW + timedelta(days=days), renews, price)


def test_renewals_are_counted_in_the_order_in_which_they_are_due() -> None:
    """What comes first is paid first; one that can't be paid leaves its Credit to those behind it."""
    terms = [ending(3, 6, 40), ending(1, 1, 50), ending(2, 3, 60)]
    assert reminders(terms, free_micros=100, recharges=False, now=NOW) == [Reminder(2, 3, 60, 50)]
    assert reminders(terms, free_micros=1000, recharges=False, now=NOW) == []


def test_what_was_cancelled_is_told_and_costs_nothing() -> None:
    terms = [ending(1, 1, 50, renews=False), ending(2, 3, 60)]
    assert reminders(terms, free_micros=60, recharges=True, now=NOW) == [Reminder(1, 1, 50, 60)]


def test_auto_recharge_will_pay() -> None:
    assert reminders([ending(1, 1, 50)], free_micros=0, recharges=True, now=NOW) == []
    assert reminders([ending(1, 1, 50)], free_micros=0, recharges=False, now=NOW) == [Reminder(1, 1, 50, 0)]
