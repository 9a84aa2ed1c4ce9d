"""The audit names what does not follow: each kind of damage is done by hand, and found (DESIGN D4)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from tests.callcontrol.ground import Table
from tests.conftest import Store
from tests.store.cast import BY, NOW, Company
from trunkline.domain.money import MICROS
from trunkline.store import append_only, audit_payments, audit_terms
from trunkline.store.audit import CHECKS, audit
from trunkline.store.models import Account, CallRecord, ChannelUse, LiveCall, Posting
from trunkline.store.snapshot import snapshot
from trunkline.usecases import carriers
from trunkline.usecases.credit import book_payment

Damage = Callable[[], object]


@pytest.fixture
def busy(company: Company) -> Company:
    """One call is over, one is talking, one rings."""
    carrier_id = carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier_id, prefix="")
    table = Table(now_us=int(NOW.timestamp()) * MICROS)
    profile = company.profile()
    over = table.answered_call(profile)
    table.pass_seconds(70)
    table.turn(table.ended(over))
    table.answered_call(profile)
    table.start_call(profile)
    return company


def found() -> set[tuple[str, str]]:
    return {(each.check, each.kind) for each in audit().differences}


def sql(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def unprotected(statement: str) -> None:
    """As somebody with the database's own tools might."""
    table = statement.split()[2 if statement.startswith("DELETE") else 1]
    for event in ("UPDATE", "DELETE"):
        sql(f"DROP TRIGGER {table}_{event}_refused" + (f" ON {table}" if connection.vendor == "postgresql" else ""))
    assert sql(statement)
    append_only.protect(connection)


@pytest.mark.usefixtures("busy")
def test_a_store_in_use_is_whole() -> None:
    whole = audit()
    assert whole.as_json() == {
        "ok": True,
        "checked": {"accounts": 4, "postings": 5, "live_calls": 2, "call_records": 1, "profiles": 1},
        "differences": [],
    }


DAMAGES: list[tuple[str, str, Damage]] = [
    ("balance", "account", lambda: sql("UPDATE store_account SET balance = balance + 1 WHERE kind = 'profile'")),
    ("balance", "account", lambda: sql("UPDATE store_account SET balance = balance - 1 WHERE kind = 'revenue'")),
    ("sum_of_balances", "currency", lambda: sql("UPDATE store_account SET balance = balance + 1 WHERE kind = 'funding'")),
    ("held", "account", lambda: sql("UPDATE store_account SET held = held + 1 WHERE kind = 'profile'")),
    ("held", "account", lambda: sql("UPDATE store_livecall SET held = 0")),
    ("hold_without_purse", "call", lambda: sql("UPDATE store_livecall SET purse_id = NULL, held = 1")),
    ("channels", "profile", lambda: sql("UPDATE store_channeluse SET in_use = in_use + 1")),
    ("channels", "profile", lambda: sql("DELETE FROM store_channeluse")),
    ("channels", "profile", lambda: sql("DELETE FROM store_livecall WHERE state = 'admitted'")),
    ("live_call_paid", "call", lambda: sql("UPDATE store_livecall SET paid = paid + 1 WHERE state = 'answered'")),
    ("live_call_increments", "call", lambda: sql("UPDATE store_livecall SET increments = 0 WHERE state = 'answered'")),
    ("record_cost", "call", lambda: unprotected("UPDATE store_callrecord SET cost_micros = cost_micros + 1")),
    ("record_rated", "call", lambda: unprotected("UPDATE store_callrecord SET billed_seconds = billed_seconds + 60")),
    ("balance", "account", lambda: unprotected("UPDATE store_posting SET amount = amount + 1 WHERE kind = 'call'")),
    ("posting_without_call", "posting", lambda: unprotected("DELETE FROM store_callrecord WHERE cost_micros > 0")),
    ("balance", "account", lambda: unprotected("DELETE FROM store_posting WHERE kind = 'payment'")),
    ("two_holds", "call", lambda: sql("UPDATE store_livecall SET held = 1, minutes_held_seconds = 1")),
    ("hold_without_purse", "call", lambda: sql("UPDATE store_livecall SET minutes_held_seconds = 1")),
    ("live_call_minutes", "call", lambda: sql("UPDATE store_livecall SET minutes_paid_seconds = 60")),
    ("live_call_minutes_increments", "call", lambda: sql("UPDATE store_livecall SET minutes_increments = 1")),
    ("record_minutes", "call", lambda: unprotected("UPDATE store_callrecord SET bundle_seconds = bundle_seconds + 1")),
    ("usage_buckets", "bucket", lambda: sql("UPDATE store_usagebucket SET cost_micros = cost_micros + 1")),
    ("usage_buckets", "bucket", lambda: sql("DELETE FROM store_usagebucket")),
    ("usage_managers", "manager", lambda: sql("UPDATE store_managerusage SET attempts = attempts + 1")),
    ("usage_managers", "manager", lambda: sql("DELETE FROM store_managerusage")),
    ("usage_buckets", "bucket", lambda: unprotected("UPDATE store_callrecord SET duration_seconds = duration_seconds + 1")),
]


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("check", "kind", "damage"), DAMAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_each_damage_is_named(check: str, kind: str, damage: Damage) -> None:
    damage()
    assert (check, kind) in found()


@pytest.mark.usefixtures("busy")
def test_a_difference_says_what_follows_and_what_is_stored() -> None:
    purse = Account.objects.get(kind="profile")
    sql(f"UPDATE store_account SET balance = balance + 5 WHERE id = {purse.pk}")
    (difference,) = [each for each in audit().differences if each.check == "balance"]
    assert (difference.ident, difference.follows, difference.stored) == (str(purse.pk), purse.balance, purse.balance + 5)


@pytest.mark.usefixtures("busy")
def test_a_call_both_live_and_recorded_is_named() -> None:
    LiveCall.objects.create(
        call_ref=CallRecord.objects.get().pk, edge_key="x", edge="e", state="admitted", direction="outgoing", admitted_us=1, facts="{}"
    )
    assert ("live_and_recorded", "call") in found()


def test_a_posting_between_currencies_is_named(company: Company) -> None:
    euro = Account.objects.create(kind="profile", name="euro", currency="EUR", guarded=False)
    Posting.objects.create(key="x", debit=company.purse(), credit=euro, amount=1, kind="test", posted_us=1)
    assert ("posting_currencies", "posting") in found()


def test_a_missing_trigger_is_named(company: Company, store: Store) -> None:
    sql("DROP TRIGGER store_posting_UPDATE_refused" + (" ON store_posting" if store.kind == "postgresql" else ""))
    assert found() == {("append_only", "trigger")}


def test_the_audit_sees_one_moment_and_nobody_waits_for_it(company: Company) -> None:
    """A payment is booked in the middle: it neither waits nor shows."""

    def pay() -> None:
        book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=MICROS, reference="meanwhile")
        connections.close_all()

    with snapshot() as cursor:
        cursor.execute("SELECT count(*) FROM store_posting")
        before = cursor.fetchone()
        paying = threading.Thread(target=pay)
        paying.start()
        paying.join(10)
        assert not paying.is_alive()
        cursor.execute("SELECT count(*) FROM store_posting")
        assert cursor.fetchone() == before
    assert company.manager.account.balance == 91 * MICROS


@pytest.mark.usefixtures("store")
def test_a_snapshot_begins_outside_of_transactions() -> None:
    with pytest.raises(RuntimeError), transaction.atomic(), snapshot():
        pass


def test_a_profile_of_two_channels_counts_both_legs(company: Company) -> None:
    """A call between two profiles takes a channel on each; one to itself takes two."""
    profile_id = company.profile_ids[0]
    LiveCall.objects.create(
        call_ref=1, edge_key="x", edge="e", state="admitted", direction="internal", admitted_us=1, facts="{}",
        caller_profile_id=profile_id, callee_profile_id=profile_id,
    )  # fmt: skip
    assert ("channels", "profile") in found()
    ChannelUse.objects.filter(pk=profile_id).update(in_use=2)
    assert found() == set()


def test_every_check_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/explanation/ledger.md").read_text(encoding="utf-8")
    assert [name for name in (*CHECKS, *audit_terms.CHECKS, *audit_payments.CHECKS, "append_only") if f"`{name}`" not in page] == []
