"""Does everything follow from what happened? Balances from postings, holds and channels from live calls, costs from increments (DESIGN D4).

All in SQL aggregates over one snapshot: no row comes here unless it differs.
"""
# ruff: noqa: S608 - the statements are made of each other, of nothing that anybody typed

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from trunkline.store import append_only, audit_payments, audit_terms
from trunkline.store.buckets import SUMS, USAGE_OF_MANAGERS, USAGE_OF_RECORDS
from trunkline.store.snapshot import snapshot

MOST_DIFFERENCES = 200  # of one check: enough to see a pattern

COUNTS = {
    "accounts": "SELECT count(*) FROM store_account",
    "postings": "SELECT count(*) FROM store_posting",
    "live_calls": "SELECT count(*) FROM store_livecall",
    "call_records": "SELECT count(*) FROM store_callrecord",
    "profiles": "SELECT count(*) FROM store_profile",
}

_PAID = """(SELECT coalesce(sum(CASE p.kind WHEN 'call' THEN p.amount WHEN 'call_back' THEN -p.amount END), 0)
            FROM store_posting p WHERE p.call_ref = c.call_ref)"""
_INCREMENTS = """(SELECT coalesce(sum(CASE p.kind WHEN 'call' THEN 1 WHEN 'call_back' THEN -1 END), 0)
                  FROM store_posting p WHERE p.call_ref = c.call_ref)"""
_RATED = """((c.rate_per_minute_micros * (c.billed_seconds - c.bundle_seconds) + 59) / 60 + coalesce(c.connection_fee_micros, 0))"""
_DRAWN = """(SELECT coalesce(sum(CASE p.kind WHEN 'minutes' THEN p.amount WHEN 'minutes_back' THEN -p.amount END), 0)
             FROM store_posting p WHERE p.call_ref = c.call_ref)"""
_DRAWS = """(SELECT count(*) FROM store_posting p WHERE p.call_ref = c.call_ref AND p.kind = 'minutes')"""
_BUCKET = f"profile_id, starts_us, direction, {', '.join(SUMS)}"


def _in_a_row(of_records: int) -> str:
    """The sums of a bucket as one text."""
    return " || '/' || ".join(f"sum(CASE of_records WHEN {of_records} THEN {name} ELSE 0 END)" for name in SUMS)


# Each gives (what, whose, what follows, what is stored) where the last two differ.
CHECKS = {
    "balance": """
        SELECT 'account', a.id, coalesce(m.moved, 0), a.balance FROM store_account a
        LEFT JOIN (
            SELECT account, sum(amount) AS moved FROM (
                SELECT credit_id AS account, sum(amount) AS amount FROM store_posting GROUP BY credit_id
                UNION ALL SELECT debit_id, -sum(amount) FROM store_posting GROUP BY debit_id
            ) moves GROUP BY account
        ) m ON m.account = a.id
        WHERE a.balance <> coalesce(m.moved, 0) ORDER BY a.id""",
    "held": """
        SELECT 'account', a.id, coalesce(h.held, 0), a.held FROM store_account a
        LEFT JOIN (
            SELECT account, sum(held) AS held FROM (
                SELECT purse_id AS account, held FROM store_livecall UNION ALL SELECT minutes_id, minutes_held_seconds FROM store_livecall
            ) holds GROUP BY account
        ) h ON h.account = a.id
        WHERE a.held <> coalesce(h.held, 0) ORDER BY a.id""",
    "hold_without_purse": """
        SELECT 'call', call_ref, 0, held + minutes_held_seconds FROM store_livecall
        WHERE (purse_id IS NULL AND held <> 0) OR (minutes_id IS NULL AND minutes_held_seconds <> 0) ORDER BY call_ref""",
    "two_holds": """
        SELECT 'call', call_ref, 0, minutes_held_seconds FROM store_livecall WHERE held <> 0 AND minutes_held_seconds <> 0 ORDER BY call_ref""",
    "purse_below_zero": """
        SELECT 'account', id, held, balance FROM store_account WHERE guarded AND balance < held ORDER BY id""",
    "sum_of_balances": """
        SELECT 'currency', currency, 0, sum(balance) FROM store_account GROUP BY currency HAVING sum(balance) <> 0""",
    "posting_currencies": """
        SELECT 'posting', p.id, d.currency, c.currency FROM store_account d
        JOIN store_account c ON c.currency <> d.currency
        JOIN store_posting p ON p.debit_id = d.id AND p.credit_id = c.id""",
    "channels": """
        SELECT 'profile', s.id, coalesce(n.calls, 0), u.in_use FROM store_profile s
        LEFT JOIN store_channeluse u ON u.profile_id = s.id
        LEFT JOIN (
            SELECT profile_id, count(*) AS calls FROM (
                SELECT caller_profile_id AS profile_id FROM store_livecall UNION ALL SELECT callee_profile_id FROM store_livecall
            ) taken GROUP BY profile_id
        ) n ON n.profile_id = s.id
        WHERE u.in_use IS NULL OR u.in_use <> coalesce(n.calls, 0) ORDER BY s.id""",
    "live_call_paid": f"""
        SELECT 'call', c.call_ref, {_PAID}, c.paid FROM store_livecall c WHERE c.paid <> {_PAID} ORDER BY c.call_ref""",
    "live_call_increments": f"""
        SELECT 'call', c.call_ref, {_INCREMENTS}, c.increments FROM store_livecall c
        WHERE c.increments < {_INCREMENTS} ORDER BY c.call_ref""",
    "live_call_minutes": f"""
        SELECT 'call', c.call_ref, {_DRAWN}, c.minutes_paid_seconds FROM store_livecall c
        WHERE c.minutes_paid_seconds <> {_DRAWN} ORDER BY c.call_ref""",
    "live_call_minutes_increments": f"""
        SELECT 'call', c.call_ref, {_DRAWS}, c.minutes_increments FROM store_livecall c
        WHERE c.minutes_increments <> {_DRAWS} ORDER BY c.call_ref""",
    "record_cost": f"""
        SELECT 'call', c.call_ref, {_PAID}, c.cost_micros FROM store_callrecord c WHERE c.cost_micros <> {_PAID} ORDER BY c.call_ref""",
    "record_minutes": f"""
        SELECT 'call', c.call_ref, {_DRAWN}, c.bundle_seconds FROM store_callrecord c WHERE c.bundle_seconds <> {_DRAWN} ORDER BY c.call_ref""",
    "record_rated": f"""
        SELECT 'call', c.call_ref, {_RATED}, c.cost_micros FROM store_callrecord c
        WHERE c.billed_seconds > 0 AND c.cost_micros <> {_RATED} ORDER BY c.call_ref""",
    "usage_buckets": f"""
        SELECT 'bucket', profile_id || ' ' || direction || ' ' || starts_us, {_in_a_row(1)}, {_in_a_row(0)} FROM (
            SELECT 1 AS of_records, {_BUCKET} FROM ({USAGE_OF_RECORDS}) follows
            UNION ALL SELECT 0, {_BUCKET} FROM store_usagebucket
        ) sides GROUP BY profile_id, starts_us, direction HAVING {_in_a_row(1)} <> {_in_a_row(0)}""",
    "usage_managers": f"""
        SELECT 'manager', manager_id || ' ' || direction || ' ' || starts_us, {_in_a_row(1)}, {_in_a_row(0)} FROM (
            SELECT 1 AS of_records, {_BUCKET.replace("profile_id", "manager_id")} FROM ({USAGE_OF_MANAGERS}) follows
            UNION ALL SELECT 0, {_BUCKET.replace("profile_id", "manager_id")} FROM store_managerusage
        ) sides GROUP BY manager_id, starts_us, direction HAVING {_in_a_row(1)} <> {_in_a_row(0)}""",
    "posting_without_call": """
        SELECT 'posting', p.id, 0, p.amount FROM store_posting p WHERE p.call_ref IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM store_callrecord r WHERE r.call_ref = p.call_ref)
        AND NOT EXISTS (SELECT 1 FROM store_livecall l WHERE l.call_ref = p.call_ref)""",
    "live_and_recorded": """
        SELECT 'call', l.call_ref, 0, 1 FROM store_livecall l JOIN store_callrecord r ON r.call_ref = l.call_ref""",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """`follows`: what the postings and calls say; `stored`: what the store says."""

    check: str
    kind: str
    ident: str
    follows: int | str
    stored: int | str | None


@dataclass(slots=True)
class Audit:
    checked: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "checked": self.checked, "differences": [asdict(each) for each in self.differences]}


def audit() -> Audit:
    """Recompute everything at one moment; calls go on meanwhile."""
    found = Audit()
    with snapshot() as cursor:
        for name, sql in COUNTS.items():
            found.checked[name] = _number(cursor, sql)
        for name, sql in (CHECKS | audit_terms.CHECKS | audit_payments.CHECKS).items():
            found.differences += _differences(cursor, name, sql)
    for trigger in append_only.missing(connection):
        found.differences.append(Difference("append_only", "trigger", trigger, "there", "missing"))
    return found


def _number(cursor: CursorWrapper, sql: str) -> int:
    cursor.execute(sql)
    (number,) = cursor.fetchone() or (0,)
    return int(number)


def _differences(cursor: CursorWrapper, name: str, sql: str) -> list[Difference]:
    cursor.execute(f"{sql} LIMIT {MOST_DIFFERENCES}")
    return [Difference(name, kind, str(ident), _plain(follows), _plain(stored)) for kind, ident, follows, stored in cursor.fetchall()]


def _plain(value: Any) -> Any:
    """PostgreSQL adds up BIGINTs to a Decimal without decimals."""
    return value if value is None or isinstance(value, str) else int(value)
