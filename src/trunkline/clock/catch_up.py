"""Everything that is due, in the order in which it fell due: event by event, not sweep by sweep.

After a week of downtime a renewal of Monday comes before a payment that was to be tried again on Tuesday.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connections

log = structlog.get_logger()

BATCH = 200
PASS_SECONDS = 5.0
"""Then the caller looks around; what is left is due in the next pass as well."""


@dataclass(frozen=True)
class Sweep:
    """`due_at(now)`: since when something is due, None: nothing is. `run(now, limit)`: does up to so many, oldest first; returns how many.

    Whatever it does happens once, however often and wherever it runs.
    """

    name: str
    due_at: Callable[[datetime], datetime | None]
    run: Callable[[datetime, int], int]
    every_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Ran:
    name: str
    done: int
    failed: bool
    took_seconds: float


def catch_up(
    sweeps: Sequence[Sweep], now: Callable[[], datetime], note: Callable[[Ran], None], *, pass_seconds: float = PASS_SECONDS
) -> bool:
    """One pass. True: nothing is left; a sweep that fails, or can do nothing of what it says is due, waits for the next one."""
    until = time.monotonic() + pass_seconds
    due = {sweep.name: moment for sweep in sweeps if (moment := _look(sweep, now(), note)) is not None}
    by_name = {sweep.name: sweep for sweep in sweeps}
    while due and time.monotonic() < until:
        name = min(due, key=lambda each: due[each])
        moment = _step(by_name[name], now(), alone=len(due) == 1, note=note)
        if moment is None:
            del due[name]
        else:
            due[name] = moment
    return not due


def _step(sweep: Sweep, now: datetime, *, alone: bool, note: Callable[[Ran], None]) -> datetime | None:
    """One event, or many when no other sweep has anything due. Returns since when the next of its events is due."""
    done = _run(sweep, now, BATCH if alone else 1, note)
    if not done and not alone:
        done = _run(sweep, now, BATCH, note)  # the first one may be stuck: those behind it need not be
    return _look(sweep, now, note) if done else None


def _run(sweep: Sweep, now: datetime, limit: int, note: Callable[[Ran], None]) -> int:
    started = time.monotonic()
    try:
        done = sweep.run(now, limit)
    except Exception:
        log.exception("a sweep failed", sweep=sweep.name)
        _failed(sweep.name, started, note)
        return 0
    note(Ran(sweep.name, done, failed=False, took_seconds=time.monotonic() - started))
    return done


def _look(sweep: Sweep, now: datetime, note: Callable[[Ran], None]) -> datetime | None:
    started = time.monotonic()
    try:
        moment = sweep.due_at(now)
    except Exception:
        log.exception("a sweep could not look", sweep=sweep.name)
        _failed(sweep.name, started, note)
        return None
    note(Ran(sweep.name, 0, failed=False, took_seconds=time.monotonic() - started))
    return moment


def _failed(name: str, started: float, note: Callable[[Ran], None]) -> None:
    """The others go on, each with a connection that works or says why not."""
    connections.close_all()
    note(Ran(name, 0, failed=True, took_seconds=time.monotonic() - started))
