"""The loop of call control."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from trunkline.callcontrol import live as live_calls, metrics
from trunkline.callcontrol.batch import Desk, EndCall, Outcome, Turn, hang_up
from trunkline.callcontrol.commands import Edge, end_calls, pass_on_carriers, pass_on_change
from trunkline.callcontrol.journal import JournalReader
from trunkline.callcontrol.protocol import Admit, BindingOf, Ended, Event, NotUnderstoodError, Question, Source, Who, decode_event
from trunkline.callcontrol.questions import QuestionSocket
from trunkline.callcontrol.reconcile import Reconciler
from trunkline.callcontrol.registrations import Registrar
from trunkline.domain.refusals import REFUSALS
from trunkline.store import directory as lookups
from trunkline.store.directory import StoreDirectory
from trunkline.store.hotpath import STORE_AWAY, HotPath, Writes
from trunkline.store.models import CallRecord, Change, LiveCall

log = structlog.get_logger()

MICROSECONDS = 1_000_000
SLICE_SECONDS = 0.002
"""The kernel queues ten questions (net.unix.max_dgram_qlen): while more are gathered, they are fetched this often."""
SLICES = 2
"""How many slices a turn waits for more to come once somebody has asked: one commit for all of it (DESIGN D3)."""
BUSY_SLICES = 4
BUSY_QUESTIONS = 16
"""After a turn with this many new calls the next one waits longer: some milliseconds of ringing delay buy a tenth of the calls."""
IDLE_SECONDS = 0.02
"""How often the journals are looked at when nobody asks."""
CHANGES_EVERY_US = 200_000
TIDY_EVERY_US = 5 * MICROSECONDS


@dataclass(slots=True)
class Ground:
    """What the daemon stands on."""

    edge_name: str
    sip_domain: str
    echo_uri: str
    socket_path: Path
    spool_dir: Path
    edge: Edge
    reconciler: Reconciler
    clock_us: Callable[[], int] = lambda: time.time_ns() // 1000


@dataclass(slots=True)
class Work:
    """What one turn takes up."""

    questions: list[tuple[Admit, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    due: list[int] = field(default_factory=list)
    positions: list[tuple[str, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.questions or self.events or self.due or self.positions)

    def parts(self) -> list[Work]:
        """The same work in as many turns as there are pieces; the positions come last."""
        singles = [Work(events=[event]) for event in self.events]
        singles += [Work(due=[ref]) for ref in self.due]
        singles += [Work(questions=[question]) for question in self.questions]
        return [*singles, Work(positions=self.positions)]


class CallControl:
    """Owns the live calls of one edge. Not thread-safe: one loop."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.store = HotPath()
        self.last_change_id = newest_change_id()  # first: what changes while the rest is loaded is looked at again
        self.desk = self._load_desk()
        self.journal = JournalReader(ground.spool_dir, self.store.positions(ground.edge_name))
        self.sockets = QuestionSocket.bind(ground.socket_path)
        self._changes_due_us = 0
        self._tidy_due_us = 0
        self._own_events: list[Event] = list(self.desk.calls.ends_kept())
        self._hang_ups: set[int] = set()
        pass_on_carriers(ground.edge, self.desk.directory.probed)
        self._stopping = False
        self._last_asked = 0

    def run(self) -> None:
        """Until `stop`."""
        self._warm_up()
        log.info("call control is ready", live_calls=len(self.desk.calls.by_ref))
        try:
            while not self._stopping:
                self.turn()
        finally:
            self.sockets.close()

    def stop(self) -> None:
        """End after the present turn. Calls go on; whoever starts next finds them in the store."""
        self._stopping = True

    def turn(self) -> None:
        """Wait for something to do, and do it."""
        now_us = self.ground.clock_us()
        asked = self._gather(now_us)
        now_us = self.ground.clock_us()
        work = self._collect(asked, now_us)
        if work:
            self._do(work, now_us)
        self._housekeeping(now_us)

    # One turn

    def _gather(self, now_us: int) -> list[tuple[Question, Any]]:
        """Wait until somebody asks or something is due; then, on a busy edge, a little longer."""
        next_us = self.desk.schedule.next_us()
        wait_seconds = IDLE_SECONDS if next_us is None else min(IDLE_SECONDS, max(0, next_us - now_us) / MICROSECONDS)
        readable, _, _ = select.select([self.sockets.socket], [], [], wait_seconds)
        asked = self.sockets.receive()
        if readable:
            slices = BUSY_SLICES if self._last_asked >= BUSY_QUESTIONS else SLICES
            for _ in range(slices):
                time.sleep(SLICE_SECONDS)
                asked += self.sockets.receive()
        self._last_asked = len(asked)
        return asked

    def _collect(self, asked: Sequence[tuple[Question, Any]], now_us: int) -> Work:
        events = self._own_events + [event for line in self.journal.read() if (event := _event_of(line)) is not None]
        self._own_events = []
        admits, looked_up = [], []
        for question, address in asked:
            if isinstance(question, Admit):
                admits.append((question, address))
            else:
                looked_up.append((address, {"n": question.n, **self._look_up(question, now_us)}))
        self.sockets.answer(looked_up)
        # what is due is judged when all that happened is known: the call may have been answered, or have ended
        due = [] if self.journal.is_behind else self.desk.schedule.take_due(now_us)
        return Work(admits, events, due, self.journal.positions_read())

    def _do(self, work: Work, now_us: int) -> None:
        try:
            outcome = self._transact(work, now_us)
        except STORE_AWAY:
            raise  # nothing is lost: the supervisor starts us again, and journals and live calls are where they were
        except Exception:
            log.exception("a turn failed; its parts are done one by one")
            self._recover()
            self._do_one_by_one(work, now_us)
            return
        self.journal.advance()
        self._act(outcome)
        metrics.LIVE.set(len(self.desk.calls.by_ref))

    def _transact(self, work: Work, now_us: int) -> Outcome:
        self.desk.directory.tick(now_us)
        started = time.perf_counter()
        self.store.begin()
        try:
            outcome = Turn(self.desk, self.store, now_us, self.journal.is_behind).run(work.questions, work.events, work.due, work.positions)
            self.store.commit()
        except BaseException:
            self.store.rollback()
            raise
        metrics.TURN_SECONDS.observe(time.perf_counter() - started)
        metrics.EVENTS.inc(len(work.events))
        metrics.count(outcome.counts, outcome.results)
        return outcome

    def _act(self, outcome: Outcome) -> None:
        self.sockets.answer(outcome.answers)
        self._own_events += outcome.later
        if outcome.commands:
            self._end(outcome.commands)

    # When a turn fails

    def _recover(self) -> None:
        """Memory may be half changed: take it from the store again."""
        self.desk = self._load_desk()

    def _do_one_by_one(self, work: Work, now_us: int) -> None:
        """One bad event must not stop the others: it is set aside, with all it said, for a person to look at."""
        for part in work.parts():
            try:
                outcome = self._transact(part, now_us)
            except STORE_AWAY:
                raise
            except Exception:
                metrics.SET_ASIDE.inc()
                log.exception("set aside", events=part.events, questions=part.questions, due=part.due)
                self._recover()
                self._refuse(part)
            else:
                self._act(outcome)
        self.journal.advance()

    def _refuse(self, part: Work) -> None:
        refusal = REFUSALS["call_control_away"]
        for question, address in part.questions:
            answer = {"n": question.n, "go": 0, "call": "0", "status": refusal.status, "phrase": refusal.phrase, "headers": refusal.headers}
            self.sockets.answer([(address, answer)])

    # Look-ups and housekeeping

    def _warm_up(self) -> None:
        """The first use of a query takes a tenth of a second, more than a whole second's calls: not while somebody waits."""
        now_us = self.ground.clock_us()
        self._look_up(Who(0, ""), now_us)
        self._look_up(Source(0, "127.0.0.1", 0), now_us)
        self._look_up(BindingOf(0, 0), now_us)
        self.desk.directory.profile(0)

    def _look_up(self, question: Who | Source | BindingOf, now_us: int) -> dict[str, Any]:
        match question:
            case Who():
                found = lookups.credentials_of(question.user, datetime.fromtimestamp(now_us / MICROSECONDS, tz=UTC))
                if found is None:
                    return {"ok": 0}
                profile_id, ha1s, old_until = found
                until_us = int(old_until.timestamp() * MICROSECONDS) if old_until is not None else 0
                return {"ok": 1, "profile": profile_id, "ha1": ha1s, "old_until": until_us}
            case Source():
                kind, ident = lookups.source_of(question.ip, question.port)
                return {"kind": kind, "id": ident}
            case BindingOf():
                contact = lookups.contact_of(question.profile, now_us)
                return {"contact": contact[0], "expires_at": contact[1]} if contact else {"contact": None}

    def _housekeeping(self, now_us: int) -> None:
        if now_us >= self._changes_due_us:
            self._changes_due_us = now_us + CHANGES_EVERY_US
            self._apply_changes()
            self._hang_up(now_us)
        if now_us >= self._tidy_due_us:
            self._tidy_due_us = now_us + TIDY_EVERY_US
            self._remove_finished_journals()
        if self.ground.reconciler.is_due():
            lost = self.ground.reconciler.run(self.desk.calls)
            self._end(lost)
            metrics.RECONCILED.inc(len(lost))

    def _end(self, commands: Sequence[EndCall]) -> set[int]:
        """Tell the edge; calls that are over are settled in the next turn. Returns which."""
        over = end_calls(self.ground.edge, commands)
        metrics.CUTS.inc(len(over))
        self._own_events += [Ended(at=command.at_us, c=str(command.ref), by="edge") for command in over]
        return {command.ref for command in over}

    def _hang_up(self, now_us: int) -> None:
        """What the operator wants ended; while Kamailio is away, again and again."""
        wanted = [live for ref in self._hang_ups if (live := self.desk.calls.by_ref.get(ref)) is not None]
        over = self._end([hang_up(live, now_us) for live in wanted]) if wanted else set()
        self._hang_ups = {live.ref for live in wanted} - over

    def _apply_changes(self) -> None:
        changes = self.store.changes_after(self.last_change_id)
        if changes is None:
            self._start_over()
            return
        for change_id, what, ident, sip_user in changes:
            self.last_change_id = change_id
            if what == Change.What.HANG_UP:
                self._hang_ups.add(int(ident))
            self.desk.directory.apply(what, ident)
            pass_on_change(self.ground.edge, what, ident, sip_user)
            if what == Change.What.CARRIERS:
                pass_on_carriers(self.ground.edge, self.desk.directory.probed)

    def _start_over(self) -> None:
        """We stood still for longer than changes are kept: whatever memory has may be old, here and at the edge."""
        log.warning("changes were removed unread: everything is loaded again", last_change=self.last_change_id)
        newest = newest_change_id()
        self._recover()
        pass_on_carriers(self.ground.edge, self.desk.directory.probed)  # with it the edge forgets all that it was told
        self.last_change_id = newest

    def _remove_finished_journals(self) -> None:
        finished = self.journal.finished()
        if not finished:
            return
        # the files first: one that is left without its position would be read again from its beginning
        self.journal.remove(finished)
        self.store.begin()
        self.store.write(Writes(positions_gone=[(self.ground.edge_name, name) for name in finished]), {}, {})
        self.store.commit()

    def _load_desk(self) -> Desk:
        ground = self.ground
        now_us = ground.clock_us()
        directory = StoreDirectory(sip_domain=ground.sip_domain, echo_uri=ground.echo_uri, now_us=now_us)
        registrar = Registrar(directory)
        registrar.load(self.store.registration_rows())
        desk = Desk(ground.edge_name, directory, registrar, last_ref=largest_ref())
        for row in self.store.live_rows(ground.edge_name):
            live = live_calls.from_row(row)
            desk.calls.add(live)
            desk.schedule.set(live.ref, live.due_us(now_us))
        return desk


def newest_change_id() -> int:
    return Change.objects.order_by("-id").values_list("id", flat=True).first() or 0


def largest_ref() -> int:
    """References go on ascending after a restart, also when the clock went back."""
    newest = [model.objects.order_by("-call_ref").values_list("call_ref", flat=True).first() or 0 for model in (LiveCall, CallRecord)]
    return max(newest)


def _event_of(line: bytes) -> Event | None:
    try:
        return decode_event(line)
    except NotUnderstoodError as problem:
        metrics.NOT_UNDERSTOOD.inc()
        log.warning("journal line not understood", problem=str(problem), line=line[:300])
        return None
