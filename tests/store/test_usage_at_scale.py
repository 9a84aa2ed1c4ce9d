"""Usage of a month with a million calls of one profile, ten million in the store: first page and totals in 100 ms (SPEC "Numbers to reach")."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from tests.conftest import Store
from tests.store.cast import make_company
from tests.store.many_calls import Callers, fill, settle
from trunkline.domain.months import Month
from trunkline.store.audit import CHECKS
from trunkline.store.usage import Filters, Scope, page_of_calls, usage_of_month

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RECORDS = 10_000_000
"""Of five profiles in two months: a million in each month of each."""
MONTH = Month(date(2026, 11, 1), ZoneInfo("America/New_York"))
BEFORE = Month(date(2026, 10, 1), ZoneInfo("America/New_York"))
MOST_SECONDS = 0.1
TIMES = 20


def measured(what: Callable[[], object]) -> tuple[float, float]:
    """Median and 95th percentile of the seconds that it takes, after one that nobody waits for."""
    taken = []
    for _ in range(TIMES + 1):
        started = time.perf_counter()
        what()
        taken.append(time.perf_counter() - started)
    ordered = sorted(taken[1:])
    return statistics.median(ordered), ordered[-2]


def seconds_of_audit() -> float:
    """Of the check that buckets follow from records."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(CHECKS["usage_buckets"])
        assert cursor.fetchall() == []
    return time.perf_counter() - started


def test_a_month_of_a_million_calls(store: Store) -> None:
    company = make_company(profile_count=5)
    started = time.perf_counter()
    fill(Callers(company.manager_id, company.profile_ids), RECORDS, BEFORE.starts_us, MONTH.ends_us)
    settle()
    print(f"\n{store.kind}: filled in {time.perf_counter() - started:.0f} s")
    one, whole = Scope(company.manager_id, company.profile_ids[1]), Scope(company.manager_id)
    in_month = usage_of_month(one, MONTH).total.attempts
    assert 950_000 < in_month < 1_050_000
    first = page_of_calls(one, MONTH)
    assert len(first.lines) == 50
    middle = ((MONTH.starts_us + MONTH.ends_us) // 2) << 10
    rare, destination = Filters(paid_by="both"), Filters(destination="United States", result="answered")
    looks: dict[str, Callable[[], object]] = {
        "profile: totals, days and first page": lambda: (usage_of_month(one, MONTH), page_of_calls(one, MONTH)),
        "profile: a page in the middle": lambda: page_of_calls(one, MONTH, before=middle),
        "profile: incoming, totals and first page": lambda: (
            usage_of_month(one, MONTH, Filters(direction="incoming")), page_of_calls(one, MONTH, Filters(direction="incoming")),
        ),
        "Manager: totals, days and first page": lambda: (usage_of_month(whole, MONTH), page_of_calls(whole, MONTH)),
        "profile: filtered page": lambda: page_of_calls(one, MONTH, destination),
        "profile: filtered page that finds nothing": lambda: page_of_calls(one, MONTH, rare),
        "profile: filtered totals of the newest 10,000": lambda: usage_of_month(one, MONTH, destination),
    }  # fmt: skip
    results = {name: measured(look) for name, look in looks.items()}
    for name, (median, p95) in results.items():
        print(f"{store.kind}: {name}: median {median * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms")
    print(f"{store.kind}: audit of the buckets in {seconds_of_audit():.0f} s")
    assert {name: p95 for name, (_, p95) in results.items() if p95 > MOST_SECONDS} == {}
