"""What happened, for call control: JSON lines in a file of the worker's own (docs/reference/edge-protocol.md).

Each event is one `write` to a file opened for appending: whole lines, in order, on disk as soon as Kamailio's own files would be. What a killed
worker wrote is kept by the kernel.
"""

from __future__ import annotations

import os

import KSR

from .place import BOOT_US, SPOOL_DIR, now_us
from .text import cleaned, quoted

SEGMENT_BYTES_MAX = 8 << 20


class Journal:
    """Opened on the first event of the process that writes it, so after Kamailio's fork."""

    def __init__(self, directory: str, boot_us: int) -> None:
        self._stem = f"{directory}/{boot_us:020d}"
        self._fd = -1
        self._segment = -1
        self._left = 0

    def write(self, line: str) -> None:
        data = line.encode() + b"\n"
        if self._left < len(data):
            self._begin_segment()
        written = os.write(self._fd, data)
        self._left -= written
        if written < len(data):  # disk full: the half line must not spoil the next one
            self._left = 0
            raise OSError(f"only {written} of {len(data)} bytes written: {line}")

    def _begin_segment(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._segment += 1
        # the process id, and not Kamailio's rank: several timer processes share one rank
        path = f"{self._stem}-{os.getpid():06d}-{self._segment:06d}.jsonl"
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._left = SEGMENT_BYTES_MAX


_journal = Journal(SPOOL_DIR, BOOT_US)
_auth_reported_us = {False: 0, True: 0}


def report(event: str, fields: str) -> None:
    """Append an event; `fields` is the rest of its JSON object. If the disk is full, the log has it: nothing is lost silently."""
    line = f'{{"e":"{event}","at":{now_us()},{fields}}}'
    try:
        _journal.write(line)
    except OSError as problem:
        KSR.crit(f"an event could not be written ({problem}): {line}\n")


def report_authentication(source: str, user: str, why: str, *, is_banned: bool) -> None:
    """At most one a second for each worker, and one that says who is banned: an attacker must not fill the disk."""
    now = now_us()
    if now - _auth_reported_us[is_banned] >= 1_000_000:
        _auth_reported_us[is_banned] = now
        why += ", banned" if is_banned else ""
        report("auth", f'"src":{quoted(source)},"user":{quoted(cleaned(user, 128))},"why":{quoted(why)}')
