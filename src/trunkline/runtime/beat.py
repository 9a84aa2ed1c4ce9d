"""The clock's heartbeat: a file that it writes every second, beside a lock that it holds while it lives."""

from __future__ import annotations

import fcntl
import time
from datetime import datetime
from pathlib import Path

import msgspec

FRESH_SECONDS = 60.0
"""A payment provider may take its time."""


class SweepBeat(msgspec.Struct, frozen=True):
    """Since the process began: events done, failures of the sweep as a whole; how long the last look took."""

    done: int = 0
    failed: int = 0
    took_seconds: float = 0.0


class Beat(msgspec.Struct, frozen=True):
    at: datetime
    sweeps: dict[str, SweepBeat]


def read_beat(path: Path) -> Beat | None:
    """None: no clock lives here."""
    if not _is_locked(path.with_suffix(".lock")):
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Beat) if time.time() - path.stat().st_mtime < FRESH_SECONDS else None
    except FileNotFoundError:
        return None


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
