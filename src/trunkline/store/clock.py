"""The instance's time: the real one and, on a test system, how far it was put forward.

The command line, the web and the clock process take their `now` from here. Call control keeps the real time (docs/explanation/clock.md).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trunkline.store.models import ClockOffset

_ROW = 1
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """Aware, UTC. One look at one row: nobody shows an old time after somebody else has put the clock forward."""
    return datetime.now(UTC) + offset()


def offset() -> timedelta:
    found = ClockOffset.objects.filter(pk=_ROW).values_list("offset_us", flat=True).first()
    return timedelta(microseconds=found or 0)


def put_forward(to: datetime) -> None:
    """From now on it is `to` or later. Never back: what has happened has a time, and a moment that has passed changes nothing."""
    wanted_us = (to - datetime.now(UTC)) // _MICROSECOND
    ClockOffset.objects.get_or_create(pk=_ROW)
    ClockOffset.objects.filter(pk=_ROW, offset_us__lt=wanted_us).update(offset_us=wanted_us)
