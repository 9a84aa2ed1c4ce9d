"""When to try again what has failed, and when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

MAIL = (*(timedelta(minutes=minutes) for minutes in (1, 5, 30)), *(timedelta(hours=hours) for hours in (2, 6, 12, 24)))
RECHARGE = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(days=3))


def next_try(now: datetime, failures: int, waits: Sequence[timedelta]) -> datetime | None:
    """After so many failures in a row, counted from 1; None: enough."""
    return now + waits[failures - 1] if failures <= len(waits) else None
