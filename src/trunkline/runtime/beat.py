"""Heartbeats of processes that answer no questions: a file that each writes every second, beside a lock that it holds while it lives."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

FRESH_SECONDS = 60.0
"""A payment provider may take its time."""
BEAT_SECONDS = 1.0
Kind = TypeVar("Kind", bound=msgspec.Struct)


class SweepBeat(msgspec.Struct, frozen=True):
    """Since the process began: events done, failures of the sweep as a whole; how long the last look took."""

    done: int = 0
    failed: int = 0
    took_seconds: float = 0.0


class Beat(msgspec.Struct, frozen=True):
    """The clock's."""

    at: datetime
    sweeps: dict[str, SweepBeat]


class CaptureBeat(msgspec.Struct, frozen=True):
    """The capture's: messages since it began. What was dropped, by reason (docs/reference/metrics.md)."""

    at: datetime
    is_paused: bool
    stored: int
    calls: int
    dropped: dict[str, int]
    bytes: int


def read_beat(path: Path) -> Beat | None:
    """None: no clock lives here."""
    return _read(path, Beat)


def read_capture_beat(path: Path) -> CaptureBeat | None:
    """None: nobody captures here."""
    return _read(path, CaptureBeat)


def _read(path: Path, kind: type[Kind]) -> Kind | None:
    if not _is_locked(path.with_suffix(".lock")):
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind) if time.time() - path.stat().st_mtime < FRESH_SECONDS else None
    except FileNotFoundError:
        return None


def write_beat(path: Path, beat: Beat | CaptureBeat) -> None:
    """Whole or not at all."""
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(msgspec.json.encode(beat))
    unfinished.replace(path)


@contextmanager
def alive(path: Path) -> Iterator[None]:
    """Holds a lock that the kernel lets go of however we end. Shared: a second one may run beside us."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
