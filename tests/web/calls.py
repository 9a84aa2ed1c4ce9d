"""A month of calls for the reports, written as call control writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db.models import F

from tests.store.cast import Company
from trunkline.store.clock import put_forward
from trunkline.store.hotpath import RECORD_COLUMNS, HotPath, Writes
from trunkline.store.ledger import outside
from trunkline.store.models import Account, Manager, Posting

MICROSECONDS = 1_000_000
MONTH = "2026-11"
USUAL: dict[str, Any] = {
    "direction": "outgoing", "caller": "100", "caller_shown": "12125550100", "dialled": "", "callee": "", "prefix": "33", "destination": "France",
    "country": "FR", "duration_seconds": 0, "billed_seconds": 0, "bundle_seconds": 0, "rate_per_minute_micros": 30_000,
    "connection_fee_micros": 10_000, "first_increment_seconds": 60, "next_increment_seconds": 60, "cost_micros": 0, "paid_by": "",
    "currency": "USD", "result": "answered", "sip_status": 200, "q850_cause": 16, "refusal": "", "ended_by": "caller", "sip_call_id": "a7c1@pbx",
    "source": "udp:192.0.2.1:5060", "user_agent": "A PBX 20.1", "trace": "{}",
}  # fmt: skip


def us(day: int, hour: int = 15, minute: int = 0) -> int:
    """In November 2026, UTC: five hours ahead of New York."""
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()) * MICROSECONDS


def write(company: Company, *records: dict[str, Any]) -> list[int]:
    """The references of the calls. Each record names what is unusual about it, at least `started_us`."""
    whose = {"manager_id": company.manager_id, "profile_id": company.profile_ids[0]}
    rows = []
    for number, record in enumerate(records):
        began = record["started_us"]
        full = USUAL | whose | {"ended_us": began + record.get("duration_seconds", 0) * MICROSECONDS, "call_ref": (began << 10) + number}
        rows.append(full | {"dialled": record.get("callee", "")} | record)
    path = HotPath()
    path.begin()
    path.write(Writes(records=[tuple(row.get(name) for name in RECORD_COLUMNS.split(", ")) for row in rows]), {}, {})
    path.commit()
    return [row["call_ref"] for row in rows]


def trace(*steps: tuple[str, str]) -> str:
    return msgspec.json.encode({"steps": steps, "sip": {}}).decode()


def pay(company: Company, call_ref: int, number: int, amount_micros: int, at_us: int) -> None:
    """One increment of a call, out of the profile's Credit."""
    purse, revenue = company.purse(), outside(Account.Kind.REVENUE, "USD")
    key = f"call/{call_ref}/{number}"
    Posting.objects.create(
        key=key, debit=purse, credit=revenue, amount=amount_micros, kind="call", call_ref=call_ref, note="France", posted_us=at_us
    )
    Account.objects.filter(pk=purse.pk).update(balance=F("balance") - amount_micros)
    Account.objects.filter(pk=revenue.pk).update(balance=F("balance") + amount_micros)


def open_since(company: Company) -> None:
    """The company is there since October, and it is January: November can be looked at, and December is closed."""
    put_forward(datetime(2027, 1, 15, tzinfo=UTC))
    Manager.objects.filter(pk=company.manager_id).update(created_at=datetime(2026, 10, 1, tzinfo=UTC))


def november(company: Company) -> list[int]:
    """What a report should show: paid, zero-rated, both, busy, refused, incoming, and a name that was dialled."""
    open_since(company)
    steps = (
        ("identity", "SIP Profile Profile 0"),
        ("subscription", "3 channels"),
        ("number", "0033123456789 is +33123456789"),
        ("rate", "France (+33): 30000 micro-USD a minute, fee 10000, increments 60/60"),
        ("barring", "allowed"),
        ("caller_id", "anonymous: no Caller ID is set"),
        ("route", "Cheap Carrier, Dear Carrier"),
        ("channel", "1 of 3 of Profile 0"),
        ("purse", "40000 of 5000000 micro-USD of the profile's Credit held"),
        ("admitted", "the call may go on"),
        ("answered", "connected"),
        ("ended", "by caller"),
    )
    refused = (*steps[:3], ("refused", "C01 40000 micro-USD needed, 20000 free in the profile's Credit"))
    talked = {"duration_seconds": 75, "billed_seconds": 120, "answered_us": us(5)}
    refs = write(
        company,
        {"started_us": us(5), "callee": "33123456789", "cost_micros": 70_000, "paid_by": "profile", "trace": trace(*steps), **talked},
        {"started_us": us(5, 16), "callee": "12125550123", "destination": "United States", "bundle_seconds": 120, "paid_by": "bundle", **talked},
        {"started_us": us(6), "callee": "12125550123", "bundle_seconds": 60, "cost_micros": 20_000, "paid_by": "both", **talked},
        {"started_us": us(12), "callee": "33123456789", "result": "busy", "sip_status": 486},
        {"started_us": us(13), "callee": "33123456789", "result": "refused", "refusal": "no_credit", "sip_status": 402, "trace": trace(*refused)},
        {"started_us": us(20), "dialled": "=cmd|' /C calc'!A0", "destination": "", "result": "refused", "refusal": "name_called"},
        {
            "started_us": us(21), "direction": "incoming", "caller": "secret", "caller_shown": "442079460000", "callee": "12125550100",
            "trace": trace(("identity", "carrier Cheap Carrier"), ("route", "PBX of Profile 0 at udp:192.0.2.1:5060")), **talked,
        },
        {"started_us": us(22), "direction": "incoming", "caller_shown": "", "callee": "12125550100", "result": "no_answer"},
    )  # fmt: skip
    pay(company, refs[0], 1, 40_000, us(5))
    pay(company, refs[0], 2, 30_000, us(5, 15, 1))
    return refs
