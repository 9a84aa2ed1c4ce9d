"""The virtual clock of a test system is put forward, and what falls due on the way happens then, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from trunkline.clock.catch_up import Ran, catch_up
from trunkline.clock.sweeps import all_sweeps
from trunkline.domain.errors import Conflict, Invalid
from trunkline.store import clock, reminders
from trunkline.store.models import LiveCall

LONGEST = timedelta(days=3_660)
STEP = timedelta(days=1)
CLOSEST = timedelta(minutes=1)
PATIENCE_SECONDS = 300.0
"""For one stop. What is left then is still due at the next."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """`done`: events by sweep."""

    now: datetime
    stops: int
    done: dict[str, int]
    failed: int


def put_forward(by: timedelta, *, is_test_system: bool, even_with_calls: bool = False) -> Forwarded:
    """By so much, with a stop after each day at most and wherever a term ends."""
    if not is_test_system:
        raise Conflict("This is no test system: its clock is the real one. Set TRUNKLINE_TEST_CLOCK=true in trunkline.env to make it one.")
    if not timedelta() < by <= LONGEST:
        raise Invalid("by", f"The clock is put forward by more than nothing and at most {LONGEST.days} days.")
    if not even_with_calls and (count := LiveCall.objects.count()):
        raise Conflict(f"{count} calls are in progress, and their time is the real one: end them, or say --even-with-calls.")
    done: dict[str, int] = {}
    failed = stops = 0

    def note(ran: Ran) -> None:
        nonlocal failed
        done[ran.name] = done.get(ran.name, 0) + ran.done
        failed += ran.failed

    sweeps, at = all_sweeps(), clock.now()
    until = at + by
    while at < until:
        clock.put_forward(next_stop(at, until))
        catch_up(sweeps, clock.now, note, pass_seconds=PATIENCE_SECONDS)
        at, stops = clock.now(), stops + 1
    return Forwarded(clock.now(), stops, {name: count for name, count in done.items() if count}, failed)


def next_stop(at: datetime, until: datetime) -> datetime:
    ends_at = reminders.first_end(at)
    stop = min(at + STEP, until)
    return stop if ends_at is None else min(stop, max(ends_at, at + CLOSEST))
