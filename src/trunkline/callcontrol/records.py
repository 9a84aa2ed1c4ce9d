"""Call records: what remains of an attempt (notes "CDR"; SPEC R9, R13)."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.callcontrol.live import Facts, Live
from trunkline.domain import numbers
from trunkline.domain.calls import Call
from trunkline.domain.causes import cause_of
from trunkline.domain.rating import Rate
from trunkline.domain.refusals import Refusal
from trunkline.domain.talk_time import Payment

MICROSECONDS = 1_000_000
_RESULTS = {486: "busy", 600: "busy", 487: "cancelled", 408: "no_answer", 480: "no_answer"}


def result_of(call: Call, status: int) -> str:
    """In a word, what became of a call. `status` 0: the end was never reported."""
    if call.answered_us is not None:
        return "answered"
    return _RESULTS.get(status, "failed" if status else "lost")


def record_of_call(live: Live, *, result: str, status: int, ended_by: str) -> tuple[Any, ...]:
    """The record of a settled call, in `hotpath.RECORD_COLUMNS` order."""
    return _row(live.call, live.facts, result=result, status=status, cause=cause_of(status), ended_by=ended_by)


def record_of_refusal(call: Call, facts: Facts, refusal: Refusal) -> tuple[Any, ...]:
    """The record of an attempt that was refused."""
    return _row(call, facts, result="refused", status=refusal.status, cause=refusal.q850, refusal=refusal.name, ended_by="edge")


def _row(
    call: Call, facts: Facts, *, result: str, status: int, cause: int | None, refusal: str = "", ended_by: str
) -> tuple[Any, ...]:  # fmt: skip
    ended_us = call.admitted_us if call.ended_us is None else call.ended_us
    duration_us = 0 if call.answered_us is None else ended_us - call.answered_us
    owner, peer = _owner_and_peer(facts)
    return (
        call.ref, facts.manager_id, owner, peer, facts.direction, facts.caller[:64], facts.shown[:64], facts.dialled[:64],
        facts.number[:16], facts.rate.prefix if facts.rate else "", facts.destination[:120], numbers.country_of(facts.number) or "",
        facts.carrier_id or None, call.admitted_us, facts.ringing_us, call.answered_us, ended_us, -(-duration_us // MICROSECONDS),
        *_money(call.payment, facts.rate, facts.payer), facts.currency, result, status, cause, refusal, ended_by[:8],
        facts.sip["call_id"][:200], facts.sip["source"][:80], facts.sip["user_agent"][:120], _trace(call, facts),
    )  # fmt: skip


def _money(payment: Payment | None, rate: Rate | None, payer: str) -> tuple[Any, ...]:
    """Billed seconds, those of bundles, rate, connection fee, increments, cost, who paid. The fee of a call that began on minutes is none."""
    if rate is None:
        return 0, 0, None, None, None, None, 0, ""
    increments = rate.first_increment_seconds, rate.next_increment_seconds
    if payment is None:
        return 0, 0, rate.rate_per_minute_micros, rate.connection_fee_micros, *increments, 0, ""
    bundle_seconds = payment.minutes.paid if payment.minutes is not None else 0
    paid_by = ("both" if payment.paid else "bundle") if bundle_seconds else (payer if payment.paid else "")
    fee = payment.money_rate.connection_fee_micros
    return payment.billed_seconds, bundle_seconds, rate.rate_per_minute_micros, fee, *increments, payment.paid, paid_by


def _owner_and_peer(facts: Facts) -> tuple[int | None, int | None]:
    """The profile whose record this is, and the other one of a call between two PBXs."""
    caller_id, callee_id = facts.profile_ids
    return (callee_id, None) if caller_id is None else (caller_id, callee_id)


def _trace(call: Call, facts: Facts) -> str:
    sip = {"unpaid_us": call.unpaid_us} if call.unpaid_us else {}
    return msgspec.json.encode({"steps": facts.trace, "sip": sip}).decode()
