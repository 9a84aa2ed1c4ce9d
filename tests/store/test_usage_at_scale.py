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
from tests.store.cast import Company, make_company
from trunkline.domain.months import Month
from trunkline.store.audit import CHECKS
from trunkline.store.buckets import SUMS, USAGE_OF_RECORDS
from trunkline.store.usage import Filters, Scope, page_of_calls, usage_of_month

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RECORDS = 10_000_000
"""Of five profiles in two months: a million in each month of each."""
MONTH = Month(date(2026, 11, 1), ZoneInfo("America/New_York"))
BEFORE = Month(date(2026, 10, 1), ZoneInfo("America/New_York"))
MOST_SECONDS = 0.1
TIMES = 20

# Five profiles call in each of two months, evenly spread; every sixth call fails, every fourth is incoming, every eighth draws minutes.
FILL = """
    INSERT INTO store_callrecord (
        call_ref, manager_id, profile_id, direction, caller, caller_shown, dialled, callee, prefix, destination, country, started_us, answered_us,
        ended_us, duration_seconds, billed_seconds, bundle_seconds, rate_per_minute_micros, connection_fee_micros, first_increment_seconds,
        next_increment_seconds, cost_micros, paid_by, currency, result, sip_status, refusal, ended_by, sip_call_id, source, user_agent, trace)
    SELECT at * 1024 + n % 1024, {manager}, CASE n % 5 WHEN 0 THEN {p0} WHEN 1 THEN {p1} WHEN 2 THEN {p2} WHEN 3 THEN {p3} ELSE {p4} END,
        CASE n / 5 % 4 WHEN 0 THEN 'incoming' ELSE 'outgoing' END, '100', '12025550101', '+12125550100', '12125550100', '1', 'United States', 'US',
        at, CASE WHEN n % 6 > 0 THEN at + 3000000 END, at + 63000000, CASE WHEN n % 6 > 0 THEN 60 ELSE 0 END,
        CASE WHEN n % 6 > 0 THEN 60 ELSE 0 END, CASE WHEN n % 6 > 0 AND n % 8 = 1 THEN 60 ELSE 0 END, 20000, 0, 60, 60,
        CASE WHEN n % 6 > 0 AND n % 8 <> 1 THEN 20000 ELSE 0 END, CASE WHEN n % 8 = 1 THEN 'bundle' ELSE 'profile' END, 'USD',
        CASE WHEN n % 6 > 0 THEN 'answered' ELSE 'busy' END, 200, '', 'caller', 'a7c1f0de-5b1f-4b4e-9d2a@192.0.2.1', 'udp:192.0.2.1:5060',
        'A PBX 20.1', '{trace}'
    FROM ({numbers}) numbered"""
NUMBERS = {
    "sqlite": "WITH RECURSIVE series (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM series WHERE n < {last}) SELECT n, {at} AS at FROM series",
    "postgresql": "SELECT n, {at} AS at FROM generate_series(CAST(0 AS bigint), {last}) AS series (n)",
}
TRACE = (
    '{"steps":[["identity","SIP Profile Sales"],["subscription","30 channels"],["number","+12125550100 is +12125550100"],'
    '["rate","United States (+1): 20000 micro-USD a minute"],["caller_id","none"],["channel","1 of 30"]],"sip":{}}'
)


def fill(kind: str, company: Company) -> None:
    """By SQL, both months alike; then the buckets, and what the database knows of its tables."""
    step_us = (MONTH.ends_us - BEFORE.starts_us) // RECORDS
    numbers = NUMBERS[kind].format(last=RECORDS - 1, at=f"{BEFORE.starts_us} + n * {step_us}")
    profiles = {f"p{number}": ident for number, ident in enumerate(company.profile_ids)}
    sql = FILL.format(manager=company.manager_id, numbers=numbers, trace=TRACE, **profiles)
    with connection.cursor() as cursor:
        if kind == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute(sql)
        cursor.execute(f"INSERT INTO store_usagebucket (profile_id, starts_us, direction, {', '.join(SUMS)}) {USAGE_OF_RECORDS}")
        cursor.execute("ANALYZE")


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
    fill(store.kind, company)
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
