"""One turn of call control: questions, events and due calls of a few milliseconds, decided in one transaction.

Order within a turn: what has happened (by its own time), then what is due, then new calls. So a channel or Credit that an ended
call gives back is there for a call that came in the same turn.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from trunkline.callcontrol import metrics, records
from trunkline.callcontrol.live import HUNG_UP, REASON_CREDIT, REASON_OPERATOR, Calls, Facts, Live, facts_of
from trunkline.callcontrol.pace import Pace
from trunkline.callcontrol.protocol import (
    Admit,
    Answered,
    AuthenticationFailed,
    Boot,
    CarrierHealth,
    Ended,
    Event,
    Failed,
    LegMoved,
    Registered,
)  # fmt: skip
from trunkline.callcontrol.registrations import Registrar
from trunkline.callcontrol.schedule import Schedule
from trunkline.domain import calls as rules, numbers
from trunkline.domain.admission import RING_SECONDS, Attempt, Decision, decide
from trunkline.domain.calls import Call, Due, State
from trunkline.domain.directory import Usage
from trunkline.domain.purses import Book
from trunkline.domain.refusals import REFUSALS
from trunkline.domain.routing import Route
from trunkline.domain.talk_time import Minutes, Payment
from trunkline.store.directory import StoreDirectory
from trunkline.store.hotpath import HotPath, Writes

log = structlog.get_logger()

MICROSECONDS = 1_000_000
RING_GRACE_US = 30 * MICROSECONDS
ORPHAN_RING_US = 34 * MICROSECONDS
"""After a crash of Kamailio nobody can answer a ringing call any more; it is given up when its callee has given up too (64*T1, RFC 3261)."""
ANSWER_LAG_US = 2 * MICROSECONDS
"""An end that was read before its answer, from another worker's journal, waits this long for it."""
LATE_CUT_US = MICROSECONDS
"""A call that is cut later than this lasted longer than was paid, since call control or Kamailio was away: the record says so."""
QUESTION_LIFE_US = 1_200_000
"""An older question is not answered: its asker has given up, or is about to."""
ABANDONED_KEPT = 10_000
NO_OFFER = -1
"""The INVITE came without a description of media: it says nothing about SRTP."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """A command to the edge: end this call in both directions."""

    ref: int
    at_us: int
    call_id: str
    legs: dict[str, Any]
    headers: str


def hang_up(live: Live, at_us: int) -> EndCall:
    """As the operator wants it; the call's record will say so."""
    if HUNG_UP not in live.facts.trace:
        live.facts.trace.append(HUNG_UP)
    return EndCall(live.ref, at_us, live.facts.sip["call_id"], live.facts.legs, REASON_OPERATOR)


@dataclass(slots=True)
class Outcome:
    """What a committed turn leads to: answers to send, calls to end, events to look at again; and what is counted."""

    answers: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    later: list[Event] = field(default_factory=list)
    commands: list[EndCall] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Desk:
    """What call control keeps in memory between turns. Everything in it can be loaded from the store again."""

    edge: str
    directory: StoreDirectory
    registrar: Registrar
    calls: Calls = field(default_factory=Calls)
    schedule: Schedule = field(default_factory=Schedule)
    pace: Pace = field(default_factory=Pace)
    abandoned: OrderedDict[str, None] = field(default_factory=OrderedDict)
    last_ref: int = 0

    def new_ref(self, now_us: int) -> int:
        """Ascending with time, so that records and postings are stored in the order in which they come."""
        self.last_ref = max(now_us << 10, self.last_ref + 1)
        return self.last_ref

    def abandon(self, key: str) -> None:
        """The edge gave up on this question; should it still be in the queue, it is not to be answered."""
        self.abandoned[key] = None
        if len(self.abandoned) > ABANDONED_KEPT:
            self.abandoned.popitem(last=False)


@dataclass(slots=True)
class Turn:
    """One transaction. Use `run`. `is_behind`: more has happened than was read yet, after a long absence."""

    desk: Desk
    store: HotPath
    now_us: int
    is_behind: bool = False
    book: Book = field(default_factory=Book)
    channels: dict[int, int] = field(default_factory=dict)
    writes: Writes = field(default_factory=Writes)
    outcome: Outcome = field(default_factory=Outcome)
    touched: dict[int, Live] = field(default_factory=dict)

    def run(self, questions: Sequence[tuple[Admit, Any]], events: Sequence[Event], due: Iterable[int],
            positions: Sequence[tuple[str, int]] = ()) -> Outcome:  # fmt: skip
        """Decide and write, without committing. The caller commits, then acts on the outcome."""
        lives = [live for ref in due if (live := self.desk.calls.by_ref.get(ref)) is not None]
        attempts = [(question, address, self._attempt(question)) for question, address in questions]
        self._load(attempts, events, lives)
        before = {ident: (purse.balance, purse.held) for ident, purse in self.book.purses.items()}
        channels_before = dict(self.channels)
        for event in sorted(events, key=lambda item: item.at):
            self._event(event)
        for live in lives:
            if live.call.state is not State.SETTLED:
                self._due(live)
        for question, address, attempt in attempts:
            self._admit(question, address, attempt)
        self._write(before, channels_before, positions)
        return self.outcome

    # Loading and writing

    def _load(self, attempts: Sequence[tuple[Admit, Any, Attempt]], events: Sequence[Event], lives: Iterable[Live]) -> None:
        accounts: set[int] = set()
        profiles: set[int] = set()
        concerned = list(lives)
        for event in events:
            if isinstance(event, Answered | Ended | Failed) and (live := self._find(event)) is not None:
                concerned.append(live)
        for live in concerned:
            profiles.update(live.call.profile_ids)
            if (payment := live.call.payment) is not None:
                if payment.minutes is not None:
                    payment.minutes.choices = self._bundles_of(live)
                accounts.update(payment.accounts())
        for _, _, attempt in attempts:
            self._needs_of(attempt, accounts, profiles)
        self.book.purses = self.store.purses(accounts)
        self.channels = self.store.channel_use(profiles)

    def _needs_of(self, attempt: Attempt, accounts: set[int], profiles: set[int]) -> None:
        directory = self.desk.directory
        number: str | None = attempt.dialled.lstrip("+")
        if attempt.from_kind == "profile":
            profile = directory.profile(attempt.from_id)
            if profile is None:
                return
            accounts.update((profile.purse_id, profile.revenue_id))
            profiles.add(profile.profile_id)
            number = numbers.to_e164(attempt.dialled, profile.country)
            if number and (bundles := profile.bundles_for(number, attempt.at_us)):
                accounts.add(profile.manager_purse_id)
                accounts.update(ident for bundle in bundles for ident in (bundle.account_id, bundle.revenue_id))
        callee_id = directory.profile_of_number(number) if number else None
        if callee_id is not None:
            profiles.add(callee_id)

    def _bundles_of(self, live: Live) -> tuple[int, ...]:
        """The accounts that a call may draw minutes on now: those of its profile's bundles as they are now (SPEC R5.4)."""
        caller_id = live.facts.profile_ids[0]
        profile = self.desk.directory.profile(caller_id) if caller_id is not None else None
        return tuple(bundle.account_id for bundle in profile.bundles_for(live.facts.number, self.now_us)) if profile is not None else ()

    def _write_minutes(self, live: Live, minutes: Minutes) -> None:
        self.writes.minutes.append(live.minutes_row(minutes))
        if minutes.moved:
            minutes.moved = False
            self.writes.facts.append((live.facts_json(), live.ref))

    def _write(self, before: dict[int, tuple[int, int]], channels_before: dict[int, int], positions: Sequence[tuple[str, int]]) -> None:
        for live in self.touched.values():
            if live.call.state is not State.SETTLED:
                self.writes.live_updates.append(live.update_row())
                if (payment := live.call.payment) is not None and payment.minutes is not None:
                    self._write_minutes(live, payment.minutes)
        self.writes.entries = self.book.entries
        self.writes.positions = [(self.desk.edge, file, offset) for file, offset in positions]
        purses = {ident: purse for ident, purse in self.book.purses.items() if before[ident] != (purse.balance, purse.held)}
        channels = {ident: count for ident, count in self.channels.items() if channels_before[ident] != count}
        self.store.write(self.writes, purses, channels)

    # What has happened

    def _find(self, event: Answered | Ended | Failed | LegMoved) -> Live | None:
        return self.desk.calls.find(event.c, event.key if isinstance(event, Failed) else "")

    def _event(self, event: Event) -> None:
        match event:
            case Answered():
                self._answered(event)
            case Ended():
                self._ended(event)
            case Failed():
                self._failed(event)
            case Registered():
                self.desk.registrar.registered(event, self.writes)
            case LegMoved():
                self._leg_moved(event)
            case CarrierHealth():
                self.desk.directory.set_carrier_health(event.id, up=bool(event.up))
                self.writes.carriers.append((bool(event.up), datetime.fromtimestamp(event.at / MICROSECONDS, tz=UTC), event.id))
            case Boot():
                self._kamailio_started(event)
            case AuthenticationFailed():
                log.warning("authentication failed", source=event.src, user=event.user, why=event.why)

    def _answered(self, event: Answered) -> None:
        live = self._find(event)
        if live is None:
            log.error("answered, but not live: ending it", call=event.c)
            self.outcome.commands.append(EndCall(_number(event.c), event.at, str(event.legs.get("call_id", "")), event.legs, ""))
            return
        if not rules.answered(live.call, event.at, self.book):
            return
        facts = live.facts
        facts.legs = event.legs
        facts.ringing_us = event.ring_at or facts.ringing_us
        if 0 <= event.route < len(facts.carrier_ids):
            facts.carrier_id = facts.carrier_ids[event.route] or facts.carrier_id
        self._note_tried(facts, event.tried)
        facts.trace.append(("answered", "connected"))
        self.writes.facts.append((live.facts_json(), live.ref))
        self._touch(live)

    def _ended(self, event: Ended) -> None:
        live = self._find(event)
        if live is None:
            return
        if live.call.state is State.ADMITTED and (self.is_behind or self.now_us - event.at < ANSWER_LAG_US):
            self._keep_for_later(live, event)
            return
        live.facts.trace.append(("ended", f"by {event.by}"))
        self._settle(live, event.at, status=200, ended_by=event.by)

    def _keep_for_later(self, live: Live, event: Ended) -> None:
        """In memory, and in the store for whoever starts after a crash."""
        self.outcome.later.append(event)
        if live.facts.ended is None:
            live.facts.ended = (event.at, event.by)
            self.writes.facts.append((live.facts_json(), live.ref))

    def _failed(self, event: Failed) -> None:
        if event.key:
            self.desk.abandon(event.key)
        live = self._find(event)
        if live is None or live.call.state is not State.ADMITTED:
            return
        live.facts.ringing_us = event.ring_at or None
        self._note_tried(live.facts, event.tried)
        live.facts.trace.append(("failed", f"{event.status} {event.phrase} by {event.by}"))
        # who is hung up while it rings answers the CANCEL: that is not what ended the call
        self._settle(live, event.at, status=event.status, ended_by="edge" if HUNG_UP in live.facts.trace else event.by)

    def _leg_moved(self, event: LegMoved) -> None:
        live = self._find(event)
        if live is not None and live.facts.legs:
            live.facts.legs[f"{event.side}_contact"] = event.contact
            self.writes.facts.append((live.facts_json(), live.ref))

    def _kamailio_started(self, event: Boot) -> None:
        """Transactions of the Kamailio before are gone: what it had ringing is given up after a while."""
        for live in self.desk.calls.by_ref.values():
            if live.call.state is State.ADMITTED and live.call.admitted_us < event.at:
                live.facts.ring_until_us = min(live.facts.ring_until_us, event.at + ORPHAN_RING_US)
                self.desk.schedule.set(live.ref, live.facts.ring_until_us)

    @staticmethod
    def _note_tried(facts: Facts, tried: Iterable[tuple[int, int]]) -> None:
        for route, status in tried:
            facts.trace.append(("tried", f"route {route + 1}: {status}"))

    # What is due

    def _due(self, live: Live) -> None:
        call = live.call
        if call.state is State.ADMITTED:
            live.facts.trace.append(("failed", "no answer was ever reported"))
            self._settle(live, self.now_us, status=0, ended_by="edge")
            return
        assert call.answered_us is not None
        last_us = call.answered_us + live.facts.max_seconds * MICROSECONDS
        if self.now_us >= last_us:
            live.facts.trace.append(("cut", f"longest duration of {live.facts.max_seconds} s"))
            self._cut(live, last_us, 'Reason: SIP;cause=408;text="Longest duration"\r\n')
        elif rules.advance(call, self.now_us, self.book) is Due.CUT:
            assert call.payment is not None
            live.facts.trace.append(("cut", "the purse can't pay the next increment"))
            paid_until_us = call.payment.paid_until_us
            self._cut(live, paid_until_us if self.now_us - paid_until_us < LATE_CUT_US else self.now_us, REASON_CREDIT)
        else:
            self._touch(live)

    def _cut(self, live: Live, at_us: int, headers: str) -> None:
        """Tell the edge to end the call; it is settled when the edge has done so. Until then, again every second."""
        self.outcome.commands.append(EndCall(live.ref, at_us, live.facts.sip["call_id"], live.facts.legs, headers))
        self.desk.schedule.set(live.ref, self.now_us + MICROSECONDS)

    # New calls

    def _attempt(self, question: Admit) -> Attempt:
        directory = self.desk.directory
        too_fast = False
        if question.from_kind == "profile" and (profile := directory.profile(question.from_id)) is not None:
            too_fast = self.desk.pace.is_too_fast(profile.profile_id, profile.calls_per_second, self.now_us)
        return Attempt(
            from_kind=question.from_kind,
            from_id=question.from_id,
            dialled=question.ruri,
            at_us=question.at,
            caller=question.from_user,
            asserted=question.pai,
            anonymous=bool(question.anonymous),
            srtp_offered=question.srtp > 0,
            too_fast=too_fast,
        )

    def _admit(self, question: Admit, address: Any, attempt: Attempt) -> None:
        known = self.desk.calls.find("", question.key)
        if known is not None:
            self._answer(question, address, known.verdict or _refused(known.ref, "call_again"))
            return
        if question.key in self.desk.abandoned or self.now_us - question.at > QUESTION_LIFE_US:
            return
        if question.from_kind == "profile" and question.srtp != NO_OFFER:
            self.desk.registrar.note_offer(question.from_id, self.writes, srtp=attempt.srtp_offered)
        usage = Usage(self.book.purses, self.channels)
        decision = decide(attempt, self.desk.directory, usage)
        ref = self.desk.new_ref(self.now_us)
        ring_until_us = question.at + RING_SECONDS * MICROSECONDS + RING_GRACE_US
        facts = facts_of(decision, question, ring_until_us)
        call = Call(ref, question.at, tuple(profile.profile_id for profile in decision.profiles))
        if decision.refusal is not None:
            self.outcome.counts[decision.refusal.name] += 1
            self.writes.records.append(records.record_of_refusal(call, facts, decision.refusal))
            self._answer(question, address, _refused(ref, decision.refusal.name))
            return
        self.outcome.counts["admitted"] += 1
        self._take(call, decision, facts)
        live = Live(call, question.key, facts, _allowed(ref, decision))
        self.desk.calls.add(live)
        self.desk.schedule.set(ref, ring_until_us)
        self.writes.live.append(live.row(self.desk.edge))
        if call.payment is not None and call.payment.minutes is not None:
            self._write_minutes(live, call.payment.minutes)
        self._answer(question, address, live.verdict or {})

    def _take(self, call: Call, decision: Decision, facts: Facts) -> None:
        """Take what the decision found to be there: the hold and the channels."""
        if decision.payer is not None and decision.rate is not None:
            call.payment = Payment(call.ref, decision.purse_id, decision.payer.revenue_id, decision.rate)
            if bundles := decision.bundles:
                choices = tuple(bundle.account_id for bundle in bundles)
                call.payment.minutes = Minutes(choices[0], bundles[0].revenue_id, earlier=facts.minutes_earlier, choices=choices)
            if not call.payment.hold_next(self.book):
                raise AssertionError("the decision saw Credit that the purse does not have")
        for profile_id in call.profile_ids:
            self.channels[profile_id] += 1

    def _answer(self, question: Admit, address: Any, verdict: dict[str, Any]) -> None:
        self.outcome.answers.append((address, {"n": question.n, **verdict}))

    # Bookkeeping

    def _touch(self, live: Live) -> None:
        self.touched[live.ref] = live
        self.desk.schedule.set(live.ref, live.due_us(self.now_us))

    def _settle(self, live: Live, at_us: int, *, status: int, ended_by: str) -> None:
        """The call is over: its money, its channels, its record."""
        if not rules.settle(live.call, at_us, self.book):
            return
        if live.call.unpaid_us:
            log.error("talk time that nobody paid", call=live.ref, unpaid_us=live.call.unpaid_us)
            metrics.UNPAID.inc(live.call.unpaid_us / MICROSECONDS)
        for profile_id in live.call.profile_ids:
            self.channels[profile_id] -= 1
        self.touched.pop(live.ref, None)
        self.desk.calls.remove(live)
        self.desk.schedule.cancel(live.ref)
        self.writes.ended.append((live.ref,))
        result = records.result_of(live.call, status)
        self.outcome.results[result] += 1
        self.writes.records.append(records.record_of_call(live, result=result, status=status, ended_by=ended_by))


def _number(reference: str) -> int:
    return int(reference) if reference.isdecimal() else 0


def _refused(ref: int, name: str) -> dict[str, Any]:
    refusal = REFUSALS[name]
    return {"go": 0, "call": str(ref), "status": refusal.status, "phrase": refusal.phrase, "headers": refusal.headers}


def _allowed(ref: int, decision: Decision) -> dict[str, Any]:
    return {
        "go": 1,
        "call": str(ref),
        "expires_s": RING_SECONDS,
        "max_s": decision.max_seconds,
        "media": decision.media,
        "routes": [_route(route) for route in decision.routes],
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "uri": route.uri,
        "dst": route.dst,
        "from": route.from_uri,
        "to": route.to_uri,
        "pai": route.asserted,
        "privacy": int(route.privacy),
        "auth": route.auth,
        "carrier": route.carrier_id,
        "srtp": route.srtp,
        "after_488": int(route.after_488),
        "announce": int(route.announced),
    }
