"""The calls in progress of this edge, in memory as in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from trunkline.callcontrol.protocol import Admit, Ended
from trunkline.domain.admission import Attempt, Decision
from trunkline.domain.calls import Call, State
from trunkline.domain.directory import ProfileFacts
from trunkline.domain.rating import Rate
from trunkline.domain.talk_time import Minutes, Payment

MICROSECONDS = 1_000_000
REASON_OPERATOR = 'Reason: Q.850;cause=31;text="Ended by the operator"\r\n'
HUNG_UP = ("cut", "the operator has hung up")
REASON_CREDIT = 'Reason: SIP;cause=402;text="Credit exhausted"\r\n'


class Facts(msgspec.Struct, omit_defaults=True):
    """What is known of a call beside its money: kept as JSON in `LiveCall.facts`, it becomes the call record."""

    direction: str
    profile_ids: tuple[int | None, int | None]
    dialled: str
    caller: str
    shown: str
    number: str
    destination: str
    manager_id: int | None
    currency: str
    media: str
    ring_until_us: int
    max_seconds: int
    rate: Rate | None
    carrier_ids: list[int]
    trace: list[tuple[str, str]]
    sip: dict[str, Any]
    carrier_id: int | None = None
    ringing_us: int | None = None
    legs: dict[str, Any] = {}
    payer: str = ""
    minutes_revenue_id: int = 0
    minutes_earlier: dict[int, int] = {}
    ended: tuple[int, str] | None = None
    """When, and by whom, if that was read before the answer: its line in the journal counts as read."""


_facts_decoder = msgspec.json.Decoder(Facts)


@dataclass(slots=True)
class Live:
    """A call in progress. `verdict`: the answer that the edge got, for a question that is repeated."""

    call: Call
    edge_key: str
    facts: Facts
    verdict: dict[str, Any] | None = None

    @property
    def ref(self) -> int:
        """The call reference."""
        return self.call.ref

    def due_us(self, now_us: int) -> int:
        """When this call needs attention next: ring time over, next increment, longest duration."""
        if self.call.state is State.ADMITTED:
            return self.facts.ring_until_us
        assert self.call.answered_us is not None
        last_us = self.call.answered_us + self.facts.max_seconds * MICROSECONDS
        due_us = self.call.due_after(now_us)
        return last_us if due_us is None else min(due_us, last_us)

    def row(self, edge: str) -> tuple[Any, ...]:
        """In `hotpath.LIVE_COLUMNS` order."""
        call, payment = self.call, self.call.payment
        purse_id, revenue_id = (payment.purse_id, payment.revenue_id) if payment else (None, None)
        caller_id, callee_id = self.facts.profile_ids
        return (
            call.ref, self.edge_key, edge, call.state.value, self.facts.direction, caller_id, callee_id, purse_id, revenue_id,
            *self._money(), call.admitted_us, call.answered_us, payment.paid_until_us if payment else None, self.facts_json(),
        )  # fmt: skip

    def update_row(self) -> tuple[Any, ...]:
        """In the order of `hotpath.UPDATE_LIVE`."""
        call = self.call
        return (call.state.value, *self._money(), call.answered_us, call.payment.paid_until_us if call.payment else None, call.ref)

    def minutes_row(self, minutes: Minutes) -> tuple[Any, ...]:
        """In the order of `hotpath.UPDATE_MINUTES`."""
        return minutes.purse_id, minutes.held, minutes.paid, minutes.increments, self.ref

    def _money(self) -> tuple[int, int, int]:
        payment = self.call.payment
        return (payment.held, payment.paid, payment.increments) if payment else (0, 0, 0)

    def facts_json(self) -> str:
        """For the store."""
        return msgspec.json.encode(self.facts).decode()


def from_row(row: tuple[Any, ...]) -> Live:
    """A call as it was stored, in the order of `HotPath.live_rows`."""
    ref, key, _, state, _, caller, callee, purse, revenue, held, paid, increments, admitted, answered, paid_until, facts_json, *drawn = row
    facts = _facts_decoder.decode(facts_json)
    payment = None
    if purse is not None and facts.rate is not None:
        payment = Payment(ref, purse, revenue, facts.rate, held, paid, increments, paid_until or 0, _minutes(drawn, facts))
    profile_ids = tuple(ident for ident in (caller, callee) if ident is not None)
    return Live(Call(ref, admitted, profile_ids, payment, State(state), answered), key, facts)


def _minutes(drawn: list[Any], facts: Facts) -> Minutes | None:
    purse_id, held, paid, increments = drawn
    return None if purse_id is None else Minutes(purse_id, facts.minutes_revenue_id, held, paid, increments, facts.minutes_earlier)


def facts_of(decision: Decision, question: Admit, ring_until_us: int) -> Facts:
    """What a decision and its question say about a call."""
    attempt: Attempt = decision.attempt
    owner = decision.caller or decision.callee
    return Facts(
        direction=decision.direction,
        profile_ids=(_id_of(decision.caller), _id_of(decision.callee)),
        dialled=attempt.dialled,
        caller=attempt.asserted or attempt.caller,
        shown=decision.shown,
        number=decision.number,
        destination=decision.rate.destination if decision.rate else "",
        manager_id=owner.manager_id if owner else None,
        currency=owner.currency if owner else "",
        media=decision.media,
        ring_until_us=ring_until_us,
        max_seconds=decision.max_seconds,
        rate=decision.rate,
        carrier_ids=[route.carrier_id for route in decision.routes],
        trace=decision.trace,
        sip={"call_id": question.call_id, "user_agent": question.user_agent, "source": question.src},
        carrier_id=attempt.from_id if attempt.from_kind == "carrier" else None,
        payer=_payer(decision),
        minutes_revenue_id=decision.bundles[0].revenue_id if decision.bundles else 0,
    )


def _payer(decision: Decision) -> str:
    """Whose Credit pays with money."""
    if decision.payer is None:
        return ""
    return "profile" if decision.purse_id == decision.payer.purse_id else "manager"


def _id_of(profile: ProfileFacts | None) -> int | None:
    return None if profile is None else profile.profile_id


@dataclass(slots=True)
class Calls:
    """All live calls of this edge, by reference and by the edge's key."""

    by_ref: dict[int, Live] = field(default_factory=dict)
    by_key: dict[str, int] = field(default_factory=dict)

    def add(self, live: Live) -> None:
        """A new call."""
        self.by_ref[live.ref] = live
        self.by_key[live.edge_key] = live.ref

    def remove(self, live: Live) -> None:
        """A call that is over."""
        del self.by_ref[live.ref]
        del self.by_key[live.edge_key]

    def find(self, reference: str, key: str = "") -> Live | None:
        """By reference as the edge writes it, or by key."""
        ref = int(reference) if reference.isdecimal() else self.by_key.get(key)
        return self.by_ref.get(ref) if ref is not None else None

    def ends_kept(self) -> Iterator[Ended]:
        """Of calls whose answer was not read yet when a crash came."""
        for live in self.by_ref.values():
            if live.call.state is State.ADMITTED and live.facts.ended is not None:
                at_us, by = live.facts.ended
                yield Ended(at=at_us, c=str(live.ref), by=by)
