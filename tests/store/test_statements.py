"""Statements from the store, on both databases: months, late bookings, closing, and the commands (SPEC R9.3, ADR 0009)."""

from __future__ import annotations

import itertools
import tracemalloc
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cli.test_store_commands import Operator, commands, operator
from tests.conftest import Store
from tests.store.cast import BY, Company, make_company
from tests.store.test_concurrency import all_at_once
from trunkline.domain import statement_files
from trunkline.domain.errors import Invalid, NotFound
from trunkline.domain.money import MICROS
from trunkline.domain.statement_check import Verified
from trunkline.store import ledger
from trunkline.store.models import Account, Posting, StatementHead
from trunkline.store.work import work
from trunkline.usecases import statements
from trunkline.usecases.statement_pages import statement_page

__all__ = ["commands", "operator"]

NOVEMBER, DECEMBER, JANUARY, FEBRUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)
AFTER_DECEMBER = datetime(2027, 1, 3, tzinfo=UTC)
AFTER_JANUARY = datetime(2027, 2, 3, tzinfo=UTC)
KEYS = itertools.count(1)


def moved(company: Company, amount: int, at: datetime, kind: str = "call") -> None:
    """From the profile's Credit to the operator; `at` may be in the past, as of a call."""
    with work(now=at, by=BY) as doing:
        revenue = ledger.outside(Account.Kind.REVENUE, "USD")
        rows = doing.locks.many(Account, [company.purse().pk, revenue.pk])
        ledger.post(
            key=f"call/{next(KEYS)}/1",
            debit=rows[company.purse().pk],
            credit=rows[revenue.pk],
            amount=amount,
            kind=kind,
            now=at,
            note="France",
        )


def text_of(company: Company, month: date, now: datetime, file_format: str = "csv") -> str:
    purse = statements.purse_of(profile_id=company.profile_ids[0])
    return "".join(statements.export(statements.statement(now=now, by=BY, purse=purse, month=month), file_format))


def verified(company: Company, month: date, now: datetime, file_format: str = "csv") -> Verified:
    return statement_files.verify(text_of(company, month, now, file_format).splitlines(keepends=True))


@pytest.fixture
def busy(company: Company) -> Company:
    """10 came in December (New York), two calls in December, three in January."""
    for at in (
        datetime(2026, 12, 30, tzinfo=UTC),
        datetime(2027, 1, 1, 4, 59, 59, 999_999, tzinfo=UTC),
        datetime(2027, 1, 1, 5, tzinfo=UTC),
        datetime(2027, 1, 20, tzinfo=UTC),
        datetime(2027, 1, 21, tzinfo=UTC),
    ):
        moved(company, MICROS, at)
    return company


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_a_month_is_the_managers_and_follows_from_the_one_before(busy: Company, file_format: str) -> None:
    december = verified(busy, DECEMBER, AFTER_JANUARY, file_format)
    january = verified(busy, JANUARY, AFTER_JANUARY, file_format)
    assert (december.opening_balance, december.rows, december.closing_balance, december.state) == ("0.00", 3, "8.00", "closed")
    assert (january.opening_balance, january.rows, january.closing_balance, january.state) == ("8.00", 3, "5.00", "closed")
    february = verified(busy, FEBRUARY, AFTER_JANUARY, file_format)
    assert (february.opening_balance, february.rows, february.state, february.digest) == ("5.00", 0, "open", january.digest)


def test_a_closed_month_never_changes(busy: Company) -> None:
    """Call control was away: it books in January what was in December."""
    before = text_of(busy, DECEMBER, AFTER_DECEMBER)
    moved(busy, MICROS, datetime(2026, 12, 31, tzinfo=UTC))
    assert text_of(busy, DECEMBER, AFTER_JANUARY) == before
    january = text_of(busy, JANUARY, AFTER_JANUARY)
    assert "2026-12-31T00:00:00.000000Z" in january
    assert statement_files.verify(january.splitlines(keepends=True)).rows == 4


def test_a_closed_month_keeps_the_words_in_which_it_was_closed(busy: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the one after it, in the words of today, goes on from its head."""
    with monkeypatch.context() as earlier:
        earlier.setattr("trunkline.store.statements.WORDING", 1)
        before = text_of(busy, DECEMBER, AFTER_DECEMBER)
    assert "Call: France" in before
    moved(busy, MICROS, datetime(2026, 12, 31, tzinfo=UTC))
    assert text_of(busy, DECEMBER, AFTER_JANUARY) == before
    january = text_of(busy, JANUARY, AFTER_JANUARY)
    assert "Call to France" in january
    assert "Call: France" not in january
    december = statement_files.verify(before.splitlines(keepends=True))
    assert f"opening_hash,{december.digest}" in january
    assert statement_files.verify(january.splitlines(keepends=True)).rows == 4
    about: dict[str, Any] = {
        "now": AFTER_JANUARY,
        "by": BY,
        "purse": statements.purse_of(profile_id=busy.profile_ids[0]),
        "month": DECEMBER,
    }
    rest = statement_page(**about, after=statement_page(**about, size=2).next)
    assert (rest.closing.digest, rest.rows[0].cells[3]) == (december.digest, "Call: France")


def test_before_it_is_closed_a_month_takes_what_comes_late(company: Company) -> None:
    moved(company, MICROS, datetime(2026, 12, 30, tzinfo=UTC))
    soon = datetime(2027, 1, 1, 5, 30, tzinfo=UTC)
    assert verified(company, DECEMBER, soon).state == "open"
    moved(company, MICROS, datetime(2026, 12, 31, tzinfo=UTC))
    moved(company, MICROS, datetime(2027, 1, 1, 5, 10, tzinfo=UTC))
    assert (verified(company, DECEMBER, soon).rows, verified(company, JANUARY, soon).opening_balance) == (3, "8.00")
    assert verified(company, JANUARY, soon).rows == 1
    assert not StatementHead.objects.exists()


def test_a_month_without_movements_is_closed_by_who_looks(company: Company) -> None:
    assert verified(company, JANUARY, AFTER_JANUARY).rows == 0
    moved(company, MICROS, datetime(2027, 1, 5, tzinfo=UTC))
    assert verified(company, JANUARY, AFTER_JANUARY).rows == 0
    assert verified(company, FEBRUARY, AFTER_JANUARY).rows == 1


def test_before_the_first_movement_there_was_nothing(busy: Company) -> None:
    assert verified(busy, DECEMBER, AFTER_JANUARY).rows == 3
    november = verified(busy, NOVEMBER, AFTER_JANUARY)
    assert (november.rows, november.opening_balance, november.closing_balance) == (0, "0.00", "0.00")


def test_the_clock_closes_what_is_over_and_only_once(busy: Company) -> None:
    done = statements.close_months(now=AFTER_JANUARY, by=BY)
    assert (done.purses, done.more) == (2, False)
    heads = list(StatementHead.objects.filter(account=busy.purse()).order_by("month").values_list("month", "postings", "balance"))
    assert heads == [(DECEMBER, 3, 8 * MICROS), (JANUARY, 6, 5 * MICROS)]
    assert statements.close_months(now=AFTER_JANUARY, by=BY).purses == 0
    assert verified(busy, JANUARY, AFTER_JANUARY).rows == 3


def test_the_clock_closes_some_at_a_time(store: Store) -> None:
    make_company(allocated_units=1, profile_count=3)
    found = [statements.close_months(now=AFTER_DECEMBER, by=BY, limit=3) for _ in range(3)]
    assert [(each.purses, each.more) for each in found] == [(3, True), (1, False), (0, False)]


def test_many_close_at_once(busy: Company) -> None:
    all_at_once([lambda: statements.close_months(now=AFTER_JANUARY, by=BY)] * 6)
    assert StatementHead.objects.filter(account=busy.purse()).count() == 2
    assert verified(busy, JANUARY, AFTER_JANUARY).rows == 3


def test_a_balance_is_the_sum_of_all_statements(busy: Company) -> None:
    months = [verified(busy, month, AFTER_JANUARY) for month in (NOVEMBER, DECEMBER, JANUARY, FEBRUARY)]
    assert all(before.closing_balance == after.opening_balance for before, after in itertools.pairwise(months))
    assert sum(each.rows for each in months) == 6
    assert months[-1].closing_balance == "5.00"
    assert busy.purse().balance == 5 * MICROS


def test_what_can_not_be_shown(busy: Company) -> None:
    purse = statements.purse_of(manager_id=busy.manager_id)
    with pytest.raises(Invalid, match="not begun"):
        statements.statement(now=AFTER_JANUARY, by=BY, purse=purse, month=date(2027, 3, 1))
    for given in ({"manager_id": 99}, {"profile_id": 99}, {"term_id": 99}):
        with pytest.raises(NotFound):
            statements.purse_of(**given)
    for several in ({}, {"manager_id": 1, "profile_id": 1}):
        with pytest.raises(Invalid):
            statements.purse_of(**several)


def test_more_rows_than_are_read_at_once(company: Company) -> None:
    """Both sides of the purse, across the seams of what is read at once; and memory does not grow with the month."""
    purse, manager = company.purse(), company.manager.account
    at_us = ledger.microseconds(datetime(2027, 1, 10, tzinfo=UTC))
    sides = [(purse.pk, manager.pk, "take_back"), (manager.pk, purse.pk, "allocate")]
    made = []
    for number in range(30_000):
        debit, credit, kind = sides[number % 3 == 0]
        made.append(Posting(key=f"many/{number}", debit_id=debit, credit_id=credit, amount=1, kind=kind, posted_us=at_us + number))
    Posting.objects.bulk_create(made, batch_size=5_000)
    statement = statements.statement(now=AFTER_JANUARY, by=BY, purse=statements.purse_of(profile_id=company.profile_ids[0]), month=JANUARY)
    tracemalloc.start()
    numbers = [row.head.number for row in statement.rows]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert numbers == list(range(2, 30_002))
    assert peak < 12 * MICROS
    assert verified(company, JANUARY, AFTER_JANUARY).closing_balance == "9.99"


def test_the_commands(operator: Operator, busy: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trunkline.cli.statement.acting", lambda: {"now": AFTER_JANUARY, "by": BY})
    for words in (["--manager", "Architects"], ["--profile", str(busy.profile_ids[0])]):
        for file_format in ("csv", "json"):
            file = tmp_path / f"{words[0][2:]}.{file_format}"
            operator.types("statement", "export", *words, "--month", "2026-12", "--format", file_format, "--output", str(file))
            assert operator.asks("statement", "verify", str(file))["state"] == "closed"
    assert "3 movements" in operator.types("statement", "verify", str(file))
    file.write_text(file.read_text().replace('"amount": "-1.00"', '"amount": "-2.00"', 1))
    assert "the balance is 9.00, but 8.00 follows" in operator.types("statement", "verify", str(file), status=1)
    assert "Name one purse" in operator.types("statement", "export", "--month", "2026-12", status=1)
    file.write_bytes(b"\xff\xfe\x00")
    assert file.name in operator.types("statement", "verify", str(file), status=1)


def test_what_is_not_closed_is_found_without_reading_postings(busy: Company) -> None:
    """There may be millions: the clock asks every few minutes."""
    with CaptureQueriesContext(connection) as asked:
        statements.close_months(now=AFTER_JANUARY, by=BY)
        done = len(asked)
        statements.close_months(now=AFTER_JANUARY, by=BY)
    assert done < len(asked) < done + 5
    assert [each["sql"] for each in asked.captured_queries[done:] if "store_posting" in each["sql"]] == []
