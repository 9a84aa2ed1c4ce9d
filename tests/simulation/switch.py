"""Call control as it is, with an edge that is played: what the edge has told is kept until the turn that read it is committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.callcontrol.ground import Table
from tests.simulation.crash import Crash, Fuse, RawConnection, start_again
from trunkline.callcontrol.batch import EndCall
from trunkline.callcontrol.daemon import newest_change_id
from trunkline.callcontrol.protocol import Admit, Event, Failed


@dataclass
class Switch:
    """`ends`: told of calls that must end. `unlucky`: does this turn crash?"""

    table: Table
    fuse: Fuse
    unlucky: Callable[[], int | None]
    ends: Callable[[EndCall], None]
    later: list[Event] = field(default_factory=list)
    away: bool = False
    missed: list[Event] = field(default_factory=list)
    last_change: int = 0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """From the store alone. All changes up to now are in what is loaded."""
        self.table.crash()
        self.table.store._raw = RawConnection(self.table.store._raw, self.fuse)
        self.last_change = newest_change_id()

    def next_us(self) -> int | None:
        """When it wants to be woken."""
        return None if self.away else self.table.desk.schedule.next_us()

    def wake(self, now_us: int) -> None:
        self.table.now_us = max(self.table.now_us, now_us)
        self._turn([])

    def tell(self, *events: Event) -> None:
        if self.away:
            self.missed += events
        else:
            self._turn(list(events))

    def ask(self, question: Admit) -> dict[str, Any] | None:
        """The verdict, or None: nobody has answered in time, and the edge has given up."""
        if self.away:
            return None
        answers = self._turn([], question)
        if answers is None:
            self.tell(Failed(self.table.now_us, key=question.key, status=503, by="edge"))
            return None
        return answers[0][1] if answers else None

    def go_away(self) -> None:
        self.away = True

    def come_back(self) -> None:
        """It reads all that has happened meanwhile."""
        self.away = False
        self.start()
        missed, self.missed = self.missed, []
        self._turn(missed)

    def _turn(self, events: list[Event], *questions: Admit) -> list[tuple[Any, dict[str, Any]]] | None:
        """None: it crashed. Events are read again then, questions are not."""
        events = self.later + events
        statements = self.unlucky()
        if statements is not None:
            self.fuse.light(statements)
        try:
            self._apply_changes()
            outcome = self.table.turn(*events, *questions)
        except Crash:
            self.fuse.put_out()
            start_again()
            self.start()
            outcome = self.table.turn(*events)
            self._act(outcome.later, outcome.commands)
            return None
        finally:
            self.fuse.put_out()
        self._act(outcome.later, outcome.commands)
        return outcome.answers

    def _act(self, later: list[Event], commands: list[EndCall]) -> None:
        self.later = later
        for command in commands:
            self.ends(command)

    def _apply_changes(self) -> None:
        changes = self.table.store.changes_after(self.last_change)
        if changes is None:
            self.start()
            return
        for change_id, what, ident, _ in changes:
            self.last_change = change_id
            self.table.desk.directory.apply(what, ident)
        self.table.desk.directory.tick(self.table.now_us)
