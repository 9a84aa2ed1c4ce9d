"""Which terms of a Manager are worth a mail before they end (SPEC R3.6). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS = (1, 3, 7)
FIRST = timedelta(days=DAYS[-1])


@dataclass(frozen=True, slots=True)
class Ending:
    """An open term. `price_micros`: what its renewal will cost."""

    term_id: int
    ends_at: datetime
    renews: bool
    price_micros: int


@dataclass(frozen=True, slots=True)
class Reminder:
    """`free_micros`: what is left for this renewal when those before it are paid."""

    term_id: int
    days: int
    price_micros: int
    free_micros: int


def reminders(endings: Sequence[Ending], *, free_micros: int, recharges: bool, now: datetime) -> list[Reminder]:
    """Of what was cancelled, and of renewals for which the Credit would not do, in the order in which they are due.

    `recharges`: Auto-recharge works, so that renewals will be paid.
    """
    found, left = [], free_micros
    for ending in sorted(endings, key=lambda each: (each.ends_at, each.term_id)):
        days = days_left(ending.ends_at, now)
        unpaid = ending.renews and not recharges and ending.price_micros > left
        if days is not None and (unpaid or not ending.renews):
            found.append(Reminder(ending.term_id, days, ending.price_micros, left))
        if ending.renews and not unpaid:
            left -= ending.price_micros
    return found


def days_left(ends_at: datetime, now: datetime) -> int | None:
    """1, 3 or 7: at most so many. None: more, or it is over."""
    left = ends_at - now
    if left <= timedelta():
        return None
    return next((days for days in DAYS if left <= timedelta(days=days)), None)
