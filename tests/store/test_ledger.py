"""Postings: double entry, once by key, never from an empty purse (DESIGN D4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from tests.conftest import Store
from tests.store.cast import BY, NOW, Company, make_company
from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit
from trunkline.domain.money import MAX_AMOUNT_MICROS
from trunkline.store import ledger
from trunkline.store.ledger import PostingConflict
from trunkline.store.locks import LockOrderError, Locks
from trunkline.store.models import Account, AuditEntry, CallRecord, ChannelUse, Posting, Profile, StatementHead
from trunkline.store.work import work

pytestmark = pytest.mark.usefixtures("store")


def purse(name: str, balance: int = 0, currency: str = "USD", *, held: int = 0) -> Account:
    return Account.objects.create(kind="profile", name=name, currency=currency, guarded=True, balance=balance, held=held)


def post(debit: Account, credit: Account, amount: int, key: str = "k") -> tuple[Posting, bool]:
    with work(now=NOW, by=BY) as doing:
        rows = doing.locks.many(Account, [debit.pk, credit.pk])
        return ledger.post(key=key, debit=rows[debit.pk], credit=rows[credit.pk], amount=amount, kind="test", now=NOW)


def balances(*accounts: Account) -> list[int]:
    return [Account.objects.get(pk=account.pk).balance for account in accounts]


def test_a_posting_moves_money_from_debit_to_credit() -> None:
    ada, ben = purse("ada", 50), purse("ben")
    posting, new = post(ada, ben, 20)
    assert (posting.amount, new, posting.posted_us) == (20, True, 1_796_126_400_000_000)
    assert balances(ada, ben) == [30, 20]


def test_the_same_movement_happens_once() -> None:
    ada, ben = purse("ada", 50), purse("ben")
    first, _ = post(ada, ben, 20)
    again, new = post(ada, ben, 20)
    assert (again.pk, new) == (first.pk, False)
    assert balances(ada, ben) == [30, 20]


def test_another_movement_under_the_same_key_is_refused() -> None:
    ada, ben = purse("ada", 50), purse("ben")
    post(ada, ben, 20)
    for debit, credit, amount in ((ada, ben, 21), (ben, ada, 20)):
        with pytest.raises(PostingConflict, match="another reference"):
            post(debit, credit, amount)
    assert balances(ada, ben) == [30, 20]


def test_a_purse_pays_only_what_is_free() -> None:
    ada, ben = purse("ada", 50, held=40), purse("ben")
    with pytest.raises(NotEnoughCredit, match=r"\$0\.00001 free \(\$0\.00004 more is held by calls\)"):
        post(ada, ben, 11)
    assert balances(ada, ben) == [50, 0]
    assert post(ada, ben, 10)[1]


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT_MICROS + 1])
def test_amounts_that_cannot_be_meant_are_refused(amount: int) -> None:
    with pytest.raises(Invalid):
        post(purse("ada", 50), purse("ben"), amount)


def test_money_does_not_change_its_currency() -> None:
    with pytest.raises(Conflict, match="currency"):
        post(purse("ada", 50), purse("ben", currency="EUR"), 1)


def test_the_database_itself_refuses_a_purse_below_its_holds() -> None:
    account = purse("ada", 50, held=40)
    for change in ({"balance": 39}, {"held": 51}, {"held": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.filter(pk=account.pk).update(**change)
    assert balances(account) == [50]


def test_the_database_itself_refuses_postings_that_are_none() -> None:
    ada, ben = purse("ada", 50), purse("ben")
    good = {"key": "k", "debit": ada, "credit": ben, "amount": 1, "kind": "test", "posted_us": 1}
    for wrong in ({"amount": 0}, {"amount": -1}, {"credit": ada}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Posting.objects.create(**(good | wrong))
    Posting.objects.create(**good)
    with pytest.raises(IntegrityError), transaction.atomic():
        Posting.objects.create(**good)


def append_only_rows() -> list[tuple[str, str]]:
    """A row in each table that is never changed, and a column of it."""
    post(purse("ada", 50), purse("ben"), 1)
    CallRecord.objects.create(call_ref=7, direction="outgoing", started_us=1, ended_us=2, result="failed", trace="{}")
    AuditEntry.objects.create(at=NOW, actor="ada", action="test", target="x")
    StatementHead.objects.create(account=purse("eve"), month=NOW.date(), postings=0, balance=0, head="0" * 64, closed_at=NOW)
    return [
        ("store_posting", "amount"),
        ("store_callrecord", "cost_micros"),
        ("store_auditentry", "actor"),
        ("store_statementhead", "balance"),
    ]


def statements(store: Store, table: str, column: str) -> list[str]:
    written = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
    if store.kind == "sqlite":
        return [*written, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"]
    return [*written, f"TRUNCATE {table} CASCADE", f"UPDATE {table} SET {column} = {column} WHERE false"]


def test_what_happened_is_never_changed(store: Store) -> None:
    """Not by SQL either."""
    for table, column in append_only_rows():
        for statement in statements(store, table, column):
            with pytest.raises(Exception, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def test_outside_accounts_are_one_by_currency_and_may_go_below_zero() -> None:
    with work(now=NOW, by=BY):
        first, again = (ledger.outside(Account.Kind.FUNDING, "USD") for _ in range(2))
        other = ledger.outside(Account.Kind.FUNDING, "EUR")
    assert (first.pk, first.guarded) == (again.pk, False)
    assert other.pk != first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(kind="funding", name="second", currency="USD", guarded=False)


def out_of_order(locks: Locks, company: Company) -> list[Callable[[], object]]:
    return [
        lambda: locks.one(Account, company.purse().pk),
        lambda: locks.one(ChannelUse, company.profile_ids[0]),
        lambda: locks.one(Profile, company.profile_ids[0]),
    ]


def test_locks_are_taken_in_one_order() -> None:
    company = make_company()
    with work(now=NOW, by=BY) as doing:
        doing.locks.one(Profile, company.profile_ids[0])
        for take in out_of_order(doing.locks, company):
            with pytest.raises(LockOrderError):
                take()


def fail_half_way(account: Account) -> None:
    with work(now=NOW, by=BY) as doing:
        row = doing.locks.one(Account, account.pk)
        row.balance = 1
        row.save()
        doing.audit("test", "x")
        raise RuntimeError("half-way")


def test_nothing_happens_when_a_use_case_fails_half_way() -> None:
    ada = purse("ada", 50)
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(ada)
    assert balances(ada) == [50]
    assert not AuditEntry.objects.filter(action="test").exists()
