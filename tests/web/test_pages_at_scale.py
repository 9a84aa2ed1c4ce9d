"""Each page of a company with much of everything in 100 ms (SPEC "Numbers to reach"), and those of the operator of a thousand companies.

`pytest tests/web/test_pages_at_scale.py -m slow -s` prints what each page takes.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Store
from tests.store.cast import make_company
from tests.store.many_calls import Callers, fill, settle
from tests.web.cast import make_cast
from tests.web.walk import Page, Walk
from trunkline.api import door
from trunkline.store import flags
from trunkline.store.models import Profile
from trunkline.web.wsgi import keep_what_is_loaded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

CALLS = 1_000_000
"""Of the company in this month: half of them of one profile."""
OTHER_CALLS = 9_000_000
"""Of another company with five profiles, in this month and the one before."""
POSTINGS = 100_000
"""Of the Manager's Credit, and of that profile's, in this month."""
PROFILES = 98  # beside the one whose pages are looked at, and another
COMPANY = {
    "profiles": PROFILES,
    "numbers": 300,
    "accounts": 200,
    "members": 50,
    "payments": 2_000,
    "history": 10_000,
    "stock": 5_000,
    "live_calls": 300,
}
OPERATOR = {"companies": 1_000, "prices": 20_000, "mails": 10_000, "provider_events": 2_000, "routes": 1_000}
LARGE = ("store_callrecord", "store_posting")
PLANS = {"sqlite": ("EXPLAIN QUERY PLAN", "SCAN"), "postgresql": ("EXPLAIN", "Seq Scan on")}
TIMES = 20
MOST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """The median and the 95th percentile of its time."""

    page: Page
    p50_seconds: float
    p95_seconds: float
    queries: int

    def __str__(self) -> str:
        return f"| {self.page.name} | {self.p50_seconds * 1000:.1f} | {self.p95_seconds * 1000:.1f} | {self.queries} |"


def test_every_page_is_there_in_a_tenth_of_a_second(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUESTS_PER_SECOND", 1e9)
    started = time.perf_counter()
    walk = much()
    print(f"\n{store.kind}: filled in {time.perf_counter() - started:.0f} s")
    pages = walk.pages()
    keep_what_is_loaded()
    found = [measured(page) for page in pages]
    show(found)
    assert [str(each) for each in found if each.p95_seconds > MOST_SECONDS] == []


def much() -> Walk:
    """Ten million calls in the store, a million of them in this month of one company with a hundred profiles."""
    walk = Walk(make_cast())
    walk.crowd.grow(20, **COMPANY)
    walk.operators.grow(100, **OPERATOR)
    other = make_company(company_name="Builders", profile_count=5)
    fill(Callers(other.manager_id, other.profile_ids), OTHER_CALLS, walk.month.previous.starts_us, walk.time[1], number=3)
    mine = Profile.objects.filter(manager_id=walk.cast.company.manager_id).order_by("pk").values_list("pk", flat=True)
    walk.call([walk.crowd.home.pk], CALLS // 2)
    walk.call([*mine.filter(state="active", name__startswith="Branch")[:PROFILES]], CALLS // 2)
    walk.call([*mine.filter(state="deleted")], CALLS // 100)
    walk.post(POSTINGS)
    settle()
    flags.look(walk.crowd.now)
    return walk


def measured(page: Page) -> Measured:
    """After one that nobody waits for, whose queries are counted."""
    with CaptureQueriesContext(connection) as asked:
        assert page.client.get(page.path).status_code == 200, page
    queries, goes_through = len(asked), scans([query["sql"] for query in asked.captured_queries])
    assert goes_through == [], page
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        answer = page.client.get(page.path)
        taken.append(time.perf_counter() - started)
        assert answer.status_code == 200, page
    return Measured(page, statistics.median(taken), sorted(taken)[-2], queries)


def scans(asked: list[str]) -> list[str]:
    """Of the queries: those that go through the whole of a table that grows with every call. One that ends at a limit, in order, does not."""
    word, scan = PLANS[connection.vendor]
    found = []
    for sql in asked:
        if any(table in sql for table in LARGE) and sql.startswith(("SELECT", "WITH")):
            with connection.cursor() as cursor:
                cursor.execute(f"{word} {sql}")
                plan = str(cursor.fetchall())
            is_cut = " LIMIT " in sql and "TEMP B-TREE" not in plan and "Sort" not in plan
            found += [sql] if not is_cut and any(f"{scan} {table}" in plan for table in LARGE) else []
    return found


def show(found: list[Measured]) -> None:
    """The slowest first."""
    print("| page | p50 | p95 | queries |\n|---|---|---|---|")
    print(*sorted(found, key=lambda each: -each.p95_seconds), sep="\n")
