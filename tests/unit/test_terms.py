"""Paid periods, channels and bundles by the guide's own numbers (SPEC R3, R5, R7.1), and by property."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from trunkline.domain.bundles import BundleFacts, bundle_offer
from trunkline.domain.channels import ChannelFacts, channel_offer, rounded_channels
from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit
from trunkline.domain.terms import TERM, Running, next_month, same_day

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
UNIT = 6_950_000
CHANNELS = ChannelFacts(UNIT, "USD", free_micros=1_000_000_000)
BUNDLES = BundleFacts("US 5,000", 95_000_000, sold=True, currency="USD", free_micros=1_000_000_000, channels=5)


def running(quantity: int = 10, **others: object) -> Running:
    return replace(Running(quantity, quantity * UNIT, NOW, NOW + TERM), **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "sold"),
    [
        (1, 1),
        (99, 99),
        (100, 100),
        (101, 100),
        (104, 100),
        (105, 110),
        (114, 110),
        (115, 120),
        (294, 290),
        (295, 300),
        (299, 300),
        (300, 300),
    ],
)
def test_r3_1_above_100_channels_are_sold_by_tens(asked: int, sold: int) -> None:
    assert rounded_channels(asked) == sold
    offer = channel_offer(asked, replace(CHANNELS, free_micros=10**12), NOW)
    assert (offer.asked, offer.quantity, offer.price_micros) == (asked, sold, sold * UNIT)


@pytest.mark.parametrize("asked", [301, 1000, 0, -1])
def test_r3_1_there_are_1_to_300_channels(asked: int) -> None:
    with pytest.raises(Invalid, match=r"1 to 300.*second profile") as found:
        channel_offer(asked, CHANNELS, NOW)
    assert found.value.field == "channels"


def test_r3_2_a_term_is_30_days_to_the_second() -> None:
    offer = channel_offer(5, CHANNELS, NOW)
    assert (offer.starts_at, offer.ends_at) == (NOW, datetime(2026, 12, 31, 12, tzinfo=UTC))
    assert (offer.ends_at - offer.starts_at).total_seconds() == 2_592_000
    assert (offer.refund_micros, offer.to_pay_micros, offer.balance_after_micros) == (0, 5 * UNIT, 1_000_000_000 - 5 * UNIT)
    assert offer.problems == ()


@pytest.mark.parametrize(
    ("passed", "refund"),
    [
        (timedelta(0), 69_500_000),
        (timedelta(microseconds=1), 69_499_973),  # a second that has begun is used: 2,591,999 of 2,592,000
        (timedelta(seconds=1), 69_499_973),
        (timedelta(days=10), 46_333_333),
        (timedelta(days=15), 34_750_000),
        (timedelta(days=30) - timedelta(seconds=1), 26),
        (timedelta(days=30), 0),
        (timedelta(days=31), 0),
    ],
)
def test_r3_3_what_is_unused_is_refunded_to_the_second(passed: timedelta, refund: int) -> None:
    assert running().refund_micros(NOW + passed) == refund


def test_r3_3_a_change_begins_a_new_term_at_once() -> None:
    tenth = NOW + timedelta(days=10)
    offer = channel_offer(12, replace(CHANNELS, running=running()), tenth)
    assert (offer.starts_at, offer.ends_at) == (tenth, tenth + TERM)
    assert (offer.refund_micros, offer.to_pay_micros) == (46_333_333, 12 * UNIT - 46_333_333)
    fewer = channel_offer(2, replace(CHANNELS, running=running(), free_micros=0), tenth)
    assert (fewer.to_pay_micros, fewer.problems) == (2 * UNIT - 46_333_333, ())


def test_r3_3_what_waits_for_its_renewal_is_not_free_when_it_is_changed() -> None:
    late = NOW + TERM + timedelta(days=2)
    offer = channel_offer(2, replace(CHANNELS, running=running()), late)
    assert (offer.refund_micros, offer.starts_at, offer.ends_at) == (0, NOW + TERM, NOW + TERM + TERM)


def test_r3_3_once_a_day_and_never_without_credit() -> None:
    again = channel_offer(12, replace(CHANNELS, running=running(), changed_today=True), NOW)
    with pytest.raises(Conflict, match="tomorrow"):
        again.must_be_possible()
    poor = channel_offer(12, replace(CHANNELS, free_micros=83_399_999), NOW)
    with pytest.raises(NotEnoughCredit, match=r"\$0.000001 of Credit is missing"):
        poor.must_be_possible()
    channel_offer(12, replace(CHANNELS, free_micros=83_400_000), NOW).must_be_possible()


def test_r3_5_fewer_channels_than_bundles_are_refused_with_the_way_out() -> None:
    with pytest.raises(Conflict, match="2 calling channels are fewer than the 3 minute bundles: reduce the bundles to 2 first"):
        channel_offer(2, replace(CHANNELS, running=running(), bundles=3), NOW).must_be_possible()
    channel_offer(3, replace(CHANNELS, running=running(), bundles=3), NOW).must_be_possible()


def test_channels_are_not_bought_twice_nor_without_a_price() -> None:
    same = channel_offer(10, replace(CHANNELS, running=running()), NOW)
    assert "leave it as it is" in same.problems[0]
    cancelled = channel_offer(10, replace(CHANNELS, running=running(renews=False)), NOW)
    assert "undo the cancellation" in cancelled.problems[0]
    assert "no price" in channel_offer(10, replace(CHANNELS, price_micros=None), NOW).problems[0]


def test_r5_2_never_more_bundles_than_channels() -> None:
    bundle_offer(5, BUNDLES, NOW).must_be_possible()
    with pytest.raises(Conflict, match=r"6 minute bundles are more than the 5 calling channels.*at most 5"):
        bundle_offer(6, BUNDLES, NOW).must_be_possible()
    with pytest.raises(Conflict, match="at most 3 of these"):
        bundle_offer(4, replace(BUNDLES, others=2), NOW).must_be_possible()
    with pytest.raises(Invalid, match="cancel them"):
        bundle_offer(0, BUNDLES, NOW)
    assert "not sold" in bundle_offer(1, replace(BUNDLES, sold=False), NOW).problems[0]
    assert "2026-12-31" in bundle_offer(1, replace(BUNDLES, channels_until=NOW + TERM), NOW).warnings[0]


@pytest.mark.parametrize(
    ("days", "minutes_left", "refund"),
    [(10, 5000, 63_333_333), (10, 3000, 57_000_000), (10, 0, 0), (20, 5000, 31_666_666), (0, 5000, 95_000_000), (30, 5000, 0)],
)
def test_r5_3_the_smaller_share_of_time_and_minutes_is_refunded(days: int, minutes_left: int, refund: int) -> None:
    bundle = Running(1, 95_000_000, NOW, NOW + TERM, granted_seconds=300_000, free_seconds=60 * minutes_left)
    assert bundle.refund_micros(NOW + timedelta(days=days)) == refund
    assert bundle_offer(2, replace(BUNDLES, running=bundle), NOW + timedelta(days=days)).refund_micros == refund


@given(
    st.integers(0, 10**12),
    st.integers(0, 40 * 86_400 * 10**6),
    st.integers(1, 10**7),
    st.integers(0, 10**7),
)
def test_a_refund_is_never_more_than_the_unused_share(price: int, passed_us: int, granted: int, left: int) -> None:
    left = min(left, granted)
    bundle = Running(1, price, NOW, NOW + TERM, granted_seconds=granted, free_seconds=left)
    unused = max(Fraction(0), 1 - Fraction(passed_us, 30 * 86_400 * 10**6))
    refund = bundle.refund_micros(NOW + timedelta(microseconds=passed_us))
    assert 0 <= refund <= price * min(unused, Fraction(left, granted))
    if left == granted:
        assert refund > price * unused - Fraction(price, 2_592_000) - 1  # no more is lost than the second that has begun


def test_a_day_is_the_managers() -> None:
    evening = datetime(2026, 12, 2, 4, 59, tzinfo=UTC)  # 23:59 in New York
    assert same_day(evening, datetime(2026, 12, 1, 5, tzinfo=UTC), NEW_YORK)
    assert not same_day(evening, datetime(2026, 12, 2, 5, tzinfo=UTC), NEW_YORK)


def test_r7_1_a_month_keeps_the_day_on_which_the_number_was_bought() -> None:
    anchor = datetime(2027, 1, 31, 15, tzinfo=UTC)
    moments = [anchor]
    for _ in range(14):
        moments.append(next_month(anchor, moments[-1], NEW_YORK))
    days = [each.astimezone(NEW_YORK).day for each in moments]
    assert days == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29, 31]
    assert {each.astimezone(NEW_YORK).hour for each in moments} == {10}  # local time, through summer time
    assert {each.tzinfo for each in moments} == {UTC}


@given(st.integers(0, 20 * 365 * 86_400), st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Paris"]))
def test_months_follow_each_other(seconds: int, zone: str) -> None:
    begins = anchor = NOW + timedelta(seconds=seconds)
    for _ in range(24):
        ends = next_month(anchor, begins, ZoneInfo(zone))
        assert timedelta(days=27) < ends - begins < timedelta(days=32)
        begins = ends
