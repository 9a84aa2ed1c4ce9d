"""Usage buckets: what call records add up to by quarter of an hour and direction, of each profile and of each Manager (SPEC R9).

Any month in any time zone is a sum of whole quarters of an hour. A call between two profiles is the caller's `internal` and, without its
cost, the callee's `incoming`. Whoever writes records writes these with them.
"""
# ruff: noqa: S608 - our own names and number

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import add, itemgetter
from typing import Any

BUCKET_US = 15 * 60 * 1_000_000
SUMS = ("attempts", "answered", "duration_seconds", "billed_seconds", "bundle_seconds", "cost_micros")
PICKED = ("started_us", "profile_id", "peer_profile_id", "direction", "result", "duration_seconds", *SUMS[3:])

Key = tuple[int, int, str]


def _upsert(table: str, owner: str) -> str:
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)
    return (
        f"INSERT INTO {table} ({owner}, starts_us, direction, {', '.join(SUMS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        f"ON CONFLICT ({owner}, starts_us, direction) DO UPDATE SET {added}"
    )


UPSERT_USAGE = _upsert("store_usagebucket", "profile_id")
UPSERT_MANAGER_USAGE = _upsert("store_managerusage", "manager_id")

# What the buckets must be, from the records: for the audit, and for a store that has records from before there were buckets.
USAGE_OF_RECORDS = f"""
    SELECT profile_id, starts_us, direction, count(*) AS attempts, sum(answered) AS answered, sum(duration_seconds) AS duration_seconds,
           sum(billed_seconds) AS billed_seconds, sum(bundle_seconds) AS bundle_seconds, sum(cost_micros) AS cost_micros
    FROM (
        SELECT profile_id, started_us - started_us % {BUCKET_US} AS starts_us, direction, CASE result WHEN 'answered' THEN 1 ELSE 0 END AS answered,
               duration_seconds, billed_seconds, bundle_seconds, cost_micros
        FROM store_callrecord WHERE profile_id IS NOT NULL
        UNION ALL
        SELECT peer_profile_id, started_us - started_us % {BUCKET_US}, 'incoming', CASE result WHEN 'answered' THEN 1 ELSE 0 END,
               duration_seconds, 0, 0, 0
        FROM store_callrecord WHERE peer_profile_id IS NOT NULL
    ) records GROUP BY profile_id, starts_us, direction"""
USAGE_OF_MANAGERS = f"""
    SELECT p.manager_id, b.starts_us, b.direction, {", ".join(f"sum(b.{name}) AS {name}" for name in SUMS)}
    FROM store_usagebucket b JOIN store_profile p ON p.id = b.profile_id GROUP BY p.manager_id, b.starts_us, b.direction"""


def usage_of(columns: str, records: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows for `UPSERT_USAGE`, in the order in which everybody locks them."""
    pick = _picker(columns)
    sums: dict[Key, list[int]] = defaultdict(lambda: [0] * len(SUMS))
    for row in records:
        started_us, profile_id, peer_id, direction, result, duration, billed, bundle, cost = pick(row)
        starts_us, answered = started_us - started_us % BUCKET_US, int(result == "answered")
        if profile_id is not None:
            _add(sums[profile_id, starts_us, direction], answered, duration, billed, bundle, cost)
        if peer_id is not None:
            _add(sums[peer_id, starts_us, "incoming"], answered, duration, 0, 0, 0)
    return [(*key, *sums[key]) for key in sorted(sums)]


def usage_of_managers(usage: Iterable[tuple[Any, ...]], manager_of: Mapping[int, int]) -> list[tuple[Any, ...]]:
    """The same for `UPSERT_MANAGER_USAGE`: in an order of its own, since that of the profiles would lock two Managers in either order."""
    sums: dict[Key, list[int]] = defaultdict(lambda: [0] * len(SUMS))
    for profile_id, starts_us, direction, *added in usage:
        found = sums[manager_of[profile_id], starts_us, direction]
        found[:] = map(add, found, added)
    return [(*key, *sums[key]) for key in sorted(sums)]


@lru_cache(maxsize=2)
def _picker(columns: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    names = columns.split(", ")
    return itemgetter(*(names.index(name) for name in PICKED))


def _add(sums: list[int], *values: int) -> None:
    """One record; in place, since this is done for every call."""
    sums[0] += 1
    for place, value in enumerate(values, start=1):
        sums[place] += value
