"""Price lists over time: imports, previews, periods that never overlap (SPEC R6.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.store.cast import BY, NOW, make_price_list
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.price_sheet import Difference
from trunkline.domain.sheets import SheetProblem
from trunkline.store.models import AuditEntry, Change, Price, PriceList
from trunkline.store.queries import prices_in_force
from trunkline.usecases import prices
from trunkline.usecases.prices import Imported

pytestmark = pytest.mark.usefixtures("store")

HOUR = timedelta(hours=1)


def sheet(*rows: str, header: str = "prefix,destination,rate") -> bytes:
    return "\n".join((header, *rows)).encode()


def imported(ident: int, data: bytes, *, at: datetime = NOW + HOUR, **more: Any) -> Imported:
    return prices.import_price_list(now=at, by=BY, price_list_id=ident, data=data, **more)


def in_force(ident: int, at: datetime) -> dict[str, int]:
    return {price.prefix: price.rate_per_minute_micros for price in prices_in_force(ident, at)}


def assert_whole(ident: int) -> None:
    """At any moment a prefix has one price at most."""
    by_prefix: dict[str, list[Price]] = {}
    for price in Price.objects.filter(price_list_id=ident).order_by("effective_from"):
        by_prefix.setdefault(price.prefix, []).append(price)
    for periods in by_prefix.values():
        for earlier, later in pairwise(periods):
            assert earlier.effective_until is not None
            assert earlier.effective_until <= later.effective_from


def test_an_import_says_what_it_changed() -> None:
    ident = make_price_list()
    done = imported(ident, sheet("1,United States,0.03", "33,France,0.03", "44,United Kingdom,0.02"))
    assert done.difference == Difference(("44",), ("1",), (), (), ("336",), 1)
    assert (done.prefixes, done.version, done.dry_run) == (3, 3, False)
    assert in_force(ident, NOW) == {"1": 20_000, "33": 30_000, "336": 60_000}
    assert in_force(ident, NOW + HOUR) == {"1": 30_000, "33": 30_000, "44": 20_000}
    entry = AuditEntry.objects.filter(action="price_list.import").latest("id")
    assert entry.after == {"new": 1, "increased": 1, "decreased": 0, "changed": 0, "removed": 1, "unchanged": 1, "version": 3}
    assert Change.objects.filter(what="prices").count() == 3


def test_a_preview_changes_nothing() -> None:
    ident = make_price_list()
    before = list(Price.objects.values())
    done = imported(ident, sheet("44,United Kingdom,0.02"), dry_run=True)
    assert (done.dry_run, len(done.difference.removed), done.difference.new) == (True, 3, ("44",))
    assert list(Price.objects.values()) == before
    assert PriceList.objects.get(pk=ident).version == 2


def test_one_wrong_line_and_nothing_is_imported() -> None:
    ident = make_price_list()
    with pytest.raises(SheetProblem, match="line 3: "):
        imported(ident, sheet("44,United Kingdom,0.02", "45,Denmark,free"))
    assert in_force(ident, NOW + HOUR) == {"1": 20_000, "33": 30_000, "336": 60_000}


def test_prefixes_that_are_missing_may_stay() -> None:
    ident = make_price_list()
    done = imported(ident, sheet("44,United Kingdom,0.02"), keep_missing=True)
    assert done.difference.removed == ()
    assert set(in_force(ident, NOW + HOUR)) == {"1", "33", "336", "44"}


def test_prices_begin_when_they_are_to() -> None:
    ident = make_price_list()
    later = NOW + timedelta(days=30)
    imported(ident, sheet("1,United States,0.05"), effective_at=later)
    assert in_force(ident, later - timedelta(seconds=1)) == {"1": 20_000, "33": 30_000, "336": 60_000}
    assert in_force(ident, later) == {"1": 50_000}
    assert_whole(ident)


def test_a_date_in_the_past_means_now() -> None:
    ident = make_price_list()
    imported(ident, sheet("1,United States,0.05"), effective_at=NOW - timedelta(days=9))
    imported(ident, sheet("1,United States,0.06,2020-01-01", header="prefix,name,rate,effective from"), at=NOW + 2 * HOUR)
    assert [in_force(ident, NOW + hours * HOUR)["1"] for hours in (0, 1, 2)] == [20_000, 50_000, 60_000]


def test_a_later_sheet_replaces_what_was_planned() -> None:
    ident = make_price_list()
    later = NOW + timedelta(days=30)
    imported(ident, sheet("1,United States,0.05"), effective_at=later)
    imported(ident, sheet("1,United States,0.04"), at=NOW + 2 * HOUR)
    assert in_force(ident, later) == {"1": 40_000}
    assert_whole(ident)


def test_lines_have_periods_of_their_own() -> None:
    ident = make_price_list()
    header = "prefix,name,rate,effective from,effective until"
    imported(ident, sheet("1,United States,0.05,2027-01-01,2027-02-01", "33,France,0.03,,", header=header))
    january, february = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
    assert in_force(ident, january - timedelta(seconds=1)) == {"1": 20_000, "33": 30_000}
    assert in_force(ident, january) == {"1": 50_000, "33": 30_000}
    assert in_force(ident, february) == {"33": 30_000}
    with pytest.raises(Invalid, match="line 2: "):
        imported(ident, sheet("1,United States,0.05,,2026-12-01T12:30", header=header), at=NOW + 2 * HOUR)


def test_the_same_sheet_again_changes_no_price() -> None:
    ident = make_price_list()
    data = sheet("1,United States,0.05", "44,United Kingdom,0.02")
    imported(ident, data)
    before = list(Price.objects.order_by("id").values())
    done = imported(ident, data, at=NOW + 2 * HOUR)
    assert done.difference == Difference((), (), (), (), (), 2)
    assert list(Price.objects.order_by("id").values()) == before


def test_two_imports_at_one_moment() -> None:
    ident = make_price_list()
    imported(ident, sheet("1,United States,0.05"), at=NOW)
    imported(ident, sheet("1,United States,0.06"), at=NOW)
    assert in_force(ident, NOW) == {"1": 60_000}
    assert_whole(ident)


def test_somebody_else_s_import_in_between_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    ident = make_price_list()
    planned = prices._plan

    def interrupted(*args: Any, **more: Any) -> Any:
        plan = planned(*args, **more)
        PriceList.objects.filter(pk=ident).update(version=99)
        return plan

    monkeypatch.setattr(prices, "_plan", interrupted)
    with pytest.raises(Conflict, match="import again"):
        imported(ident, sheet("44,United Kingdom,0.02"))
    assert "44" not in in_force(ident, NOW + HOUR)


def test_lists_and_their_echo_number() -> None:
    ident = make_price_list()
    with pytest.raises(Conflict, match="already"):
        prices.create_price_list(now=NOW, by=BY, name="Standard", currency="USD")
    with pytest.raises(Invalid, match="international number"):
        prices.set_echo_number(now=NOW, by=BY, price_list_id=ident, echo_number="4690")
    prices.set_echo_number(now=NOW, by=BY, price_list_id=ident, echo_number="+12025550123")
    assert PriceList.objects.get(pk=ident).echo_number == "12025550123"
    with pytest.raises(NotFound):
        imported(999, sheet("1,x,1"))


ROWS = st.dictionaries(
    st.sampled_from(["1", "33", "336", "44", "49"]),
    st.tuples(st.integers(1, 4), st.sampled_from(["", "2026-12-05", "2027-01-01"])),
    min_size=1,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(ROWS, st.integers(0, 40), st.booleans()), min_size=1, max_size=5), st.data())
def test_any_sequence_of_imports_leaves_one_price_at_any_moment(imports: list[Any], data: st.DataObject) -> None:
    """From its start on, a list is what the last sheet says."""
    ident = make_price_list(name=f"List {PriceList.objects.count()}")
    for number, (rows, start_days, keep_missing) in enumerate(imports):
        lines = [f"{prefix},x,0.0{rate},{begins}" for prefix, (rate, begins) in rows.items()]
        text = sheet(*lines, header="prefix,name,rate,effective from")
        at, start = NOW + number * HOUR, NOW + number * HOUR + timedelta(days=start_days)
        imported(ident, text, at=at, effective_at=start, keep_missing=keep_missing)
        assert_whole(ident)
        far = in_force(ident, datetime(2030, 1, 1, tzinfo=UTC))
        expected = {prefix: rate * 10_000 for prefix, (rate, _) in rows.items()}
        assert {prefix: far[prefix] for prefix in expected} == expected
        if not keep_missing:
            assert far == expected
