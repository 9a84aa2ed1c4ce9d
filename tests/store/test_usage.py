"""Usage reports: months in the Manager's time zone, filters, pages, both sides of a call, allocations (SPEC R9.1, R9.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.store.cast import BY, NOW, Company, make_company
from trunkline.domain.errors import Invalid
from trunkline.domain.months import Month
from trunkline.store.allocations import allocations_of_month
from trunkline.store.audit import audit
from trunkline.store.buckets import UPSERT_MANAGER_USAGE, UPSERT_USAGE, usage_of, usage_of_managers
from trunkline.store.hotpath import RECORD_COLUMNS, HotPath, Writes
from trunkline.store.models import CallRecord, Profile, UsageBucket
from trunkline.store.usage import Filters, Scope, every_call, page_of_calls, usage_of_month
from trunkline.usecases import credit

NEW_YORK = ZoneInfo("America/New_York")
NOVEMBER = Month(date(2026, 11, 1), NEW_YORK)
MICROSECONDS = 1_000_000


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * MICROSECONDS  # type: ignore[misc,arg-type]


def write(*records: dict[str, Any]) -> None:
    """As call control writes them, buckets and all."""
    usual: dict[str, Any] = {
        "direction": "outgoing", "caller": "1", "caller_shown": "", "dialled": "1", "callee": "", "prefix": "", "destination": "", "country": "",
        "duration_seconds": 0, "billed_seconds": 0, "bundle_seconds": 0, "cost_micros": 0, "paid_by": "", "currency": "USD", "result": "answered",
        "sip_status": 200, "refusal": "", "ended_by": "", "sip_call_id": "", "source": "", "user_agent": "", "trace": "{}",
    }  # fmt: skip
    rows = []
    for number, record in enumerate(records):
        full = usual | {"ended_us": record["started_us"], "call_ref": (record["started_us"] << 10) + number} | record
        rows.append(tuple(full.get(name) for name in RECORD_COLUMNS.split(", ")))
    path = HotPath()
    path.begin()
    path.write(Writes(records=rows), {}, {})
    path.commit()


def a_call(company: Company, started_us: int, **more: Any) -> dict[str, Any]:
    return {"manager_id": company.manager_id, "profile_id": company.profile_ids[0], "started_us": started_us, **more}


def test_a_month_is_the_managers_own(company: Company) -> None:
    """New York is four hours behind UTC on 1 November 2026, five from that day on."""
    write(
        a_call(company, us(2026, 11, 1, 3, 59, 59), duration_seconds=1),
        a_call(company, us(2026, 11, 1, 4), duration_seconds=10),
        a_call(company, us(2026, 11, 2, 4, 59, 59), duration_seconds=100),
        a_call(company, us(2026, 11, 2, 5), duration_seconds=1000),
        a_call(company, us(2026, 12, 1, 4, 59, 59), duration_seconds=10_000),
        a_call(company, us(2026, 12, 1, 5), duration_seconds=100_000),
    )
    usage = usage_of_month(Scope(company.manager_id, company.profile_ids[0]), NOVEMBER)
    by_day = {day.day.day: day.outgoing.duration_seconds for day in usage.days if day.outgoing.attempts}
    assert by_day == {1: 110, 2: 1000, 30: 10_000}
    assert usage.total.duration_seconds == 11_110
    assert usage.complete
    page = page_of_calls(Scope(company.manager_id), NOVEMBER)
    assert [line.duration_seconds for line in page.lines] == [10_000, 1000, 100, 10]
    assert NOVEMBER.previous.next == NOVEMBER == Month.of(us(2026, 12, 1, 4), NEW_YORK)


def test_totals_say_how_it_was_paid(company: Company) -> None:
    write(
        a_call(company, us(2026, 11, 5), duration_seconds=240, billed_seconds=270, bundle_seconds=90, cost_micros=30_000, paid_by="both"),
        a_call(company, us(2026, 11, 5), result="busy"),
        a_call(company, us(2026, 11, 5), direction="incoming", duration_seconds=7),
    )
    usage = usage_of_month(Scope(company.manager_id, company.profile_ids[0]), NOVEMBER)
    made = usage.outgoing
    assert (made.attempts, made.answered, made.duration_seconds, made.billed_seconds, made.bundle_seconds, made.cost_micros) == (
        2, 1, 240, 270, 90, 30_000,
    )  # fmt: skip
    assert (usage.incoming.attempts, usage.incoming.duration_seconds) == (1, 7)


def test_a_call_between_profiles_is_seen_from_both_sides(store: object) -> None:
    company = make_company(profile_count=2)
    other = make_company(company_name="Builders")
    caller, callee = company.profile_ids
    write(
        a_call(
            company, us(2026, 11, 5), direction="internal", peer_profile_id=callee, duration_seconds=60, cost_micros=500, paid_by="profile"
        ),
        a_call(company, us(2026, 11, 6), direction="internal", peer_profile_id=other.profile_ids[0], duration_seconds=5, cost_micros=300),
        a_call(company, us(2026, 11, 7), direction="internal", peer_profile_id=caller, duration_seconds=2),
    )
    seen = page_of_calls(Scope(company.manager_id, callee), NOVEMBER).lines
    assert [(line.direction, line.duration_seconds, line.cost_micros, line.paid_by) for line in seen] == [("incoming", 60, 0, "")]
    assert usage_of_month(Scope(company.manager_id, callee), NOVEMBER).incoming.duration_seconds == 60
    [theirs] = page_of_calls(Scope(other.manager_id), NOVEMBER).lines
    assert (theirs.direction, theirs.profile_id, theirs.cost_micros) == ("incoming", other.profile_ids[0], 0)
    whole = usage_of_month(Scope(company.manager_id), NOVEMBER)
    assert (whole.outgoing.attempts, whole.incoming.attempts, whole.total.cost_micros) == (3, 2, 800)
    pages = list(all_pages(Scope(company.manager_id), size=1))
    assert [len(page) for page in pages] == [2, 1, 2], "the two sides of one call stay together"
    assert list(chain(*pages)) == [line.call_ref for line in page_of_calls(Scope(company.manager_id), NOVEMBER).lines]
    assert [each for each in audit().differences if each.check == "usage_buckets"] == []


def test_the_called_side_sees_whom_it_was_shown(store: object) -> None:
    """Not what a PBX wrote into its From: the caller may have asked for privacy."""
    company, other = make_company(), make_company(company_name="Builders")
    there = other.profile_ids[0]
    hidden = {"caller": "100", "caller_shown": ""}
    write(
        a_call(company, us(2026, 11, 5), direction="internal", peer_profile_id=there, **hidden),
        a_call(company, us(2026, 11, 6), direction="incoming", caller="12125550100", caller_shown="442079460000"),
    )
    assert [line.caller for line in page_of_calls(Scope(other.manager_id), NOVEMBER).lines] == [""]
    assert [line.caller for line in page_of_calls(Scope(company.manager_id), NOVEMBER).lines] == ["442079460000", "100"]


def all_pages(scope: Scope, filters: Filters | None = None, size: int = 50) -> Iterator[list[int]]:
    before = None
    for _ in range(100):
        page = page_of_calls(scope, NOVEMBER, filters or Filters(), before=before, size=size)
        yield [line.call_ref for line in page.lines]
        if (before := page.next_before) is None:
            return
    raise AssertionError("no last page")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [0, 1, 2, 3, 4]),
        (Filters(direction="outgoing"), [0, 1, 2]),
        (Filters(direction="incoming"), [3, 4]),
        (Filters(result="busy"), [1]),
        (Filters(number="+331"), [0]),
        (Filters(number="33"), [0, 1]),
        (Filters(paid_by="bundle"), [2]),
        (Filters(destination="France"), [0, 1]),
        (Filters(direction="outgoing", destination="France", result="answered"), [0]),
        (Filters(destination="Nowhere"), []),
    ],
)
def test_filters_of_pages_and_totals(company: Company, filters: Filters, expected: list[int]) -> None:
    write(
        a_call(company, us(2026, 11, 5, 5), callee="33123456789", destination="France", duration_seconds=1, paid_by="profile"),
        a_call(company, us(2026, 11, 5, 4), callee="33623456789", destination="France", result="busy"),
        a_call(company, us(2026, 11, 5, 3), callee="12125550100", destination="United States", duration_seconds=100, paid_by="bundle"),
        a_call(company, us(2026, 11, 5, 2), direction="incoming", callee="12025550101", duration_seconds=1000),
        a_call(company, us(2026, 11, 5, 1), direction="incoming", callee="12025550101", duration_seconds=10_000),
    )
    everything = [line.call_ref for line in page_of_calls(Scope(company.manager_id), NOVEMBER).lines]
    for scope in (Scope(company.manager_id), Scope(company.manager_id, company.profile_ids[0])):
        found = page_of_calls(scope, NOVEMBER, filters)
        assert [everything.index(line.call_ref) for line in found.lines] == expected
        usage = usage_of_month(scope, NOVEMBER, filters)
        assert (usage.total.attempts, usage.total.duration_seconds) == (len(expected), sum(line.duration_seconds for line in found.lines))
        assert usage.complete
        assert list(chain(*all_pages(scope, filters, size=1))) == [line.call_ref for line in found.lines]


def test_more_than_is_looked_at(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result says that it is not all; pages go on behind what was looked at, and get everything in the end."""
    monkeypatch.setattr("trunkline.store.usage.MOST_LOOKED_AT", 4)
    monkeypatch.setattr("trunkline.store.usage.MOST_COUNTED", 5)
    calls = (a_call(company, us(2026, 11, 5, number // 4, number % 4), result="busy" if number % 5 else "answered") for number in range(24))
    write(*calls)
    scope = Scope(company.manager_id, company.profile_ids[0])
    usage = usage_of_month(scope, NOVEMBER, Filters(result="answered"))
    assert (usage.complete, usage.total.attempts) == (False, 1)
    pages = list(all_pages(scope, Filters(result="answered")))
    assert sum(map(len, pages)) == 5
    assert len(pages) == 7
    assert [line.call_ref for line in every_call(scope, NOVEMBER, Filters(result="answered"))] == list(chain(*pages))


def test_deleted_profiles_keep_their_usage(store: object) -> None:
    company = make_company(profile_count=2)
    _, deleted = company.profile_ids
    write(a_call(company, us(2026, 11, 5)), a_call(company, us(2026, 11, 6), profile_id=deleted, duration_seconds=3))
    Profile.objects.filter(pk=deleted).update(state="deleted")
    scope = Scope(company.manager_id, deleted_only=True)
    assert [line.profile_id for line in page_of_calls(scope, NOVEMBER).lines] == [deleted]
    assert usage_of_month(scope, NOVEMBER).total.duration_seconds == 3
    assert usage_of_month(Scope(company.manager_id), NOVEMBER).total.attempts == 2
    Profile.objects.filter(pk=deleted).update(state="active")
    assert page_of_calls(scope, NOVEMBER).lines == ()
    assert usage_of_month(scope, NOVEMBER).total.attempts == 0


def test_nobody_sees_anothers_calls(company: Company) -> None:
    other = make_company(company_name="Builders")
    write(a_call(company, us(2026, 11, 5)))
    assert page_of_calls(Scope(other.manager_id), NOVEMBER).lines == ()
    assert page_of_calls(Scope(other.manager_id, company.profile_ids[0]), NOVEMBER).lines == ()
    assert usage_of_month(Scope(other.manager_id, company.profile_ids[0]), NOVEMBER).total.attempts == 0


@pytest.mark.parametrize(
    ("filters", "field"), [({"direction": "sideways"}, "direction"), ({"number": "33x"}, "number"), ({"number": "+"}, "number")]
)
def test_filters_that_can_not_be(filters: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as problem:
        Filters(**filters)
    assert problem.value.field == field


def test_buckets_of_one_turn_are_grouped_and_in_order() -> None:
    names = RECORD_COLUMNS.split(", ")
    record = dict.fromkeys(names, 0) | {"direction": "outgoing", "result": "answered", "started_us": 900_000_001, "peer_profile_id": None}
    rows = usage_of(RECORD_COLUMNS, [tuple((record | {"profile_id": ident, "cost_micros": 5}).values()) for ident in (9, 3, 9)])
    assert rows == [(3, 900_000_000, "outgoing", 1, 1, 0, 0, 0, 5), (9, 900_000_000, "outgoing", 2, 2, 0, 0, 0, 10)]
    assert UPSERT_USAGE.count("?") == len(rows[0])
    of_managers = usage_of_managers(rows, {3: 20, 9: 10})
    assert [row[0] for row in of_managers] == [10, 20], "not in the order of the profiles: two turns would wait for each other"
    assert usage_of_managers(rows, {3: 1, 9: 1}) == [(1, *rows[0][1:3], *(a + b for a, b in zip(rows[0][3:], rows[1][3:], strict=True)))]
    assert UPSERT_MANAGER_USAGE.count("?") == len(of_managers[0])


def test_allocations_of_a_month(store: object) -> None:
    company = make_company(credit_units=100, allocated_units=10, profile_count=2)
    first, second = company.profile_ids
    credit.take_back_credit(now=NOW, by=BY, profile_id=first, amount_micros=4_000_000, reference="back")
    account, month = company.manager.account, Month.of(int(NOW.timestamp()) * MICROSECONDS, NEW_YORK)
    lines = allocations_of_month(account, month)
    assert [(line.amount_micros // MICROSECONDS, line.profile_id) for line in lines] == [
        (100, None),
        (-10, first),
        (-10, second),
        (4, first),
    ]
    assert [line.amount_micros // MICROSECONDS for line in allocations_of_month(account, month, profile_id=first)] == [-10, 4]
    assert allocations_of_month(account, month.previous) == []
    assert CallRecord.objects.count() == UsageBucket.objects.count() == 0
