"""Millions of call records, written by SQL in a minute, and the buckets that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from trunkline.store.buckets import SUMS, USAGE_OF_MANAGERS, USAGE_OF_RECORDS

FILLS = 4
"""So many fills may lie in the same time: each has microseconds of its own, so that no two calls have the same reference."""
# One profile after the other; of each, every sixth call fails, every fourth is incoming, every eighth draws minutes.
FILL = """
    INSERT INTO store_callrecord (
        call_ref, manager_id, profile_id, direction, caller, caller_shown, dialled, callee, prefix, destination, country, started_us, answered_us,
        ended_us, duration_seconds, billed_seconds, bundle_seconds, rate_per_minute_micros, connection_fee_micros, first_increment_seconds,
        next_increment_seconds, cost_micros, paid_by, currency, result, sip_status, refusal, ended_by, sip_call_id, source, user_agent, trace)
    SELECT at * 1024, {manager_id}, {first_profile_id} + n % {profile_count},
        CASE m % 4 WHEN 0 THEN 'incoming' ELSE 'outgoing' END, '100', '12025550101', '+12125550100', '12125550100', '1', 'United States', 'US',
        at, CASE WHEN m % 6 > 0 THEN at + 3000000 END, at + 63000000, CASE WHEN m % 6 > 0 THEN 60 ELSE 0 END,
        CASE WHEN m % 6 > 0 THEN 60 ELSE 0 END, CASE WHEN m % 6 > 0 AND m % 8 = 1 THEN 60 ELSE 0 END, 20000, 0, 60, 60,
        CASE WHEN m % 6 > 0 AND m % 8 <> 1 THEN 20000 ELSE 0 END, CASE WHEN m % 8 = 1 THEN 'bundle' ELSE 'profile' END, 'USD',
        CASE WHEN m % 6 > 0 THEN 'answered' ELSE 'busy' END, 200, '', 'caller', 'a7c1f0de-5b1f-4b4e-9d2a@192.0.2.1', 'udp:192.0.2.1:5060',
        'A PBX 20.1', '{trace}'
    FROM (SELECT n, n / {profile_count} AS m, {since_us} + n * {step_us} AS at FROM ({numbers}) numbers) numbered"""
NUMBERS = {
    "sqlite": "WITH RECURSIVE series (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM series WHERE n < {last}) SELECT n FROM series",
    "postgresql": "SELECT n FROM generate_series(CAST(0 AS bigint), {last}) AS series (n)",
}
TRACE = (
    '{"steps":[["identity","SIP Profile Sales"],["subscription","30 channels"],["number","+12125550100 is +12125550100"],'
    '["rate","United States (+1): 20000 micro-USD a minute"],["caller_id","none"],["channel","1 of 30"]],"sip":{}}'
)


@dataclass(frozen=True, slots=True)
class Callers:
    """Profiles of one Manager, whose ids follow each other."""

    manager_id: int
    profile_ids: tuple[int, ...]

    def __post_init__(self) -> None:
        assert [*self.profile_ids] == [*range(self.profile_ids[0], self.profile_ids[-1] + 1)]


def fill(callers: Callers, count: int, since_us: int, until_us: int, *, number: int = 0) -> None:
    """So many calls, evenly spread. `number` below `FILLS`: fills of the same time have different ones."""
    step_us = (until_us - since_us) // count // FILLS * FILLS
    assert step_us, "more calls than microseconds"
    sql = FILL.format(
        manager_id=callers.manager_id, first_profile_id=callers.profile_ids[0], profile_count=len(callers.profile_ids), trace=TRACE,
        since_us=since_us // FILLS * FILLS + FILLS + number, step_us=step_us, numbers=NUMBERS[connection.vendor].format(last=count - 1),
    )  # fmt: skip
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute(sql)


def settle() -> None:
    """The buckets of all records, and what the database knows of its tables."""
    with connection.cursor() as cursor:
        for table, owner, follows in (("usagebucket", "profile", USAGE_OF_RECORDS), ("managerusage", "manager", USAGE_OF_MANAGERS)):
            cursor.execute(f"DELETE FROM store_{table}")
            cursor.execute(f"INSERT INTO store_{table} ({owner}_id, starts_us, direction, {', '.join(SUMS)}) {follows}")
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
