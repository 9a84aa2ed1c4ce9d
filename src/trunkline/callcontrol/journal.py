"""Reading the edge's journals: append-only files of JSON lines, one for each Kamailio worker (docs/reference/edge-protocol.md).

The position up to which a file was read is stored in the same transaction as what it said: each line takes effect exactly once,
whichever of the two processes dies when.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

CHUNK_BYTES = 1 << 20
PATTERN = "*.jsonl"
TICK_NS = 100_000_000
"""More than a tick of the clock by which file systems tell the time."""


@dataclass(slots=True)
class _Segment:
    path: Path
    fd: int
    offset: int

    @property
    def worker(self) -> tuple[str, str]:
        """Boot and rank."""
        boot, rank, _ = self.path.stem.split("-")
        return boot, rank

    @property
    def boot(self) -> str:
        return self.worker[0]


@dataclass(slots=True)
class JournalReader:
    """All journals in one directory. `positions`: what was stored, by file name. `is_behind`: there is more than the last `read` gave.

    Call `read`, store `positions_read()`, commit, then `advance()`.
    """

    directory: Path
    positions: dict[str, int]
    is_behind: bool = False
    _segments: dict[str, _Segment] = field(default_factory=dict)
    _pending: dict[str, int] = field(default_factory=dict)
    _directory_mtime_ns: int = -1

    def read(self) -> list[bytes]:
        """The whole lines that came since the last `advance`. A file's order is kept."""
        self._find_segments()
        self.is_behind = False
        lines: list[bytes] = []
        for name, segment in self._segments.items():
            data = os.pread(segment.fd, CHUNK_BYTES, segment.offset)
            if not data:
                continue
            self.is_behind |= len(data) == CHUNK_BYTES
            whole = data.rfind(b"\n") + 1
            if whole:
                lines += data[: whole - 1].split(b"\n")
                self._pending[name] = segment.offset + whole
        return lines

    def positions_read(self) -> list[tuple[str, int]]:
        """Positions to store with the effects of what `read` gave."""
        return list(self._pending.items())

    def advance(self) -> None:
        """What was read is stored."""
        for name, offset in self._pending.items():
            self._segments[name].offset = offset
        self._pending.clear()

    def finished(self) -> list[str]:
        """Names of segments that will not grow any more and were read to their end: `remove` them."""
        newest_boot = max((segment.boot for segment in self._segments.values()), default="")
        last = {segment.worker: name for name, segment in sorted(self._segments.items())}
        return [
            name
            for name, segment in self._segments.items()
            if (segment.boot < newest_boot or last[segment.worker] != name) and self._is_read(segment)
        ]

    def remove(self, names: Iterable[str]) -> None:
        """Delete finished segments."""
        for name in names:
            segment = self._segments.pop(name)
            os.close(segment.fd)
            segment.path.unlink(missing_ok=True)

    def _is_read(self, segment: _Segment) -> bool:
        """At its end, but for a last line that a crash cut off."""
        rest = os.pread(segment.fd, CHUNK_BYTES, segment.offset)
        return b"\n" not in rest

    def _find_segments(self) -> None:
        now_ns, mtime_ns = time.time_ns(), self.directory.stat().st_mtime_ns
        if mtime_ns == self._directory_mtime_ns:
            return
        # another file made in the same tick leaves the directory's time as it is: look again until the tick is surely over
        self._directory_mtime_ns = mtime_ns if now_ns - mtime_ns > TICK_NS else -1
        for path in sorted(self.directory.glob(PATTERN)):
            if path.name not in self._segments:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                self._segments[path.name] = _Segment(path, fd, self.positions.get(path.name, 0))
