"""Call records: what remains of an attempt (notes "CDR"; SPEC R9, R13)."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.callcontrol.live import Facts, Live
from trunkline.domain.calls import Call, Payment
from trunkline.domain.rating import Rate
from trunkline.domain.refusals import Refusal

MICROSECONDS = 1_000_000
_RESULTS = {486: "busy", 600: "busy", 487: "cancelled", 408: "no_answer", 480: "no_answer"}


def result_of(call: Call, status: int) -> str:
    """In a word, what became of a call. `status` 0: the end was never reported."""
    if call.answered_us is not None:
        return "answered"
    return _RESULTS.get(status, "failed" if status else "lost")


def record_of_call(live: Live, *, result: str, status: int, ended_by: str) -> tuple[Any, ...]:
    """The record of a settled call, in `hotpath.RECORD_COLUMNS` order."""
    return _row(live.call, live.facts, result=result, status=status, refusal="", ended_by=ended_by)


def record_of_refusal(call: Call, facts: Facts, refusal: Refusal) -> tuple[Any, ...]:
    """The record of an attempt that was refused."""
    return _row(call, facts, result="refused", status=refusal.status, refusal=refusal.name, ended_by="edge")


def _row(call: Call, facts: Facts, *, result: str, status: int, refusal: str, ended_by: str) -> tuple[Any, ...]:
    ended_us = call.admitted_us if call.ended_us is None else call.ended_us
    duration_us = 0 if call.answered_us is None else ended_us - call.answered_us
    owner, peer = _owner_and_peer(facts)
    return (
        call.ref, facts.manager_id, owner, peer, facts.direction, facts.caller[:64], facts.shown[:64], facts.dialled[:64],
        facts.number[:16], facts.destination[:120], facts.carrier_id or None, call.admitted_us, facts.ringing_us, call.answered_us,
        ended_us, -(-duration_us // MICROSECONDS), *_money(call.payment, facts.rate), facts.currency, result, status, refusal,
        ended_by[:8], _trace(call, facts),
    )  # fmt: skip


def _money(payment: Payment | None, rate: Rate | None) -> tuple[int, int | None, int | None, int]:
    """Billed seconds, rate, connection fee, cost."""
    if rate is None:
        return 0, None, None, 0
    increments, paid = (payment.increments, payment.paid) if payment else (0, 0)
    return rate.seconds_of(increments), rate.rate_per_minute_micros, rate.connection_fee_micros, paid


def _owner_and_peer(facts: Facts) -> tuple[int | None, int | None]:
    """The profile whose record this is, and the other one of a call between two PBXs."""
    caller_id, callee_id = facts.profile_ids
    return (callee_id, None) if caller_id is None else (caller_id, callee_id)


def _trace(call: Call, facts: Facts) -> str:
    sip = facts.sip | ({"unpaid_us": call.unpaid_us} if call.unpaid_us else {})
    return msgspec.json.encode({"steps": facts.trace, "sip": sip}).decode()
