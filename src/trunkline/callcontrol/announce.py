"""The announcement of the echo test number (SPEC R6.6): RTPengine plays it to the caller, and keeps the caller's voice from the echo.

(Keeping the echo from the caller instead leaves an Asterisk deaf: it does not take the echo's stream up again.)

A nicety: whatever goes wrong here is logged, and the caller hears the echo at once.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

log = structlog.get_logger()

MOST_WAITING = 200
"""More echo calls at once get no announcement."""


class Relay(Protocol):
    """The part of `engines.MediaRelay` that is used here."""

    def tell(self, command: str, call_id: str, from_tag: str, **more: str) -> None:
        """One command about one side of a call. Raises OSError."""


@dataclass(frozen=True, slots=True)
class EchoCall:
    """An echo call that was answered."""

    call_id: str
    caller_tag: str


class Announcer:
    """A thread of its own, since RTPengine may be slow to answer."""

    def __init__(self, relay: Relay, file: Path, seconds: float) -> None:
        self._relay = relay
        self._file = file
        self._seconds = seconds
        self._new: queue.Queue[EchoCall] = queue.Queue(MOST_WAITING)
        self._playing: list[tuple[float, EchoCall]] = []

    def start(self) -> None:
        """Begin to wait for calls."""
        threading.Thread(target=self._run, name="announce", daemon=True).start()

    def announce(self, call: EchoCall) -> None:
        """Soon, and without waiting."""
        try:
            self._new.put_nowait(call)
        except queue.Full:
            log.warning("too many echo calls at once: no announcement", call_id=call.call_id)

    def _run(self) -> None:
        while True:
            wait_seconds = max(0.0, self._playing[0][0] - time.monotonic()) if self._playing else None
            try:
                self._begin(self._new.get(timeout=wait_seconds))
            except queue.Empty:
                self._end(heapq.heappop(self._playing)[1])

    def _begin(self, call: EchoCall) -> None:
        try:
            self._relay.tell("block media", call.call_id, call.caller_tag)
            self._relay.tell("play media", call.call_id, call.caller_tag, file=str(self._file))
        except OSError as problem:
            log.warning("no announcement", call_id=call.call_id, problem=str(problem))
            self._end(call)
        else:
            heapq.heappush(self._playing, (time.monotonic() + self._seconds, call))

    def _end(self, call: EchoCall) -> None:
        try:
            self._relay.tell("unblock media", call.call_id, call.caller_tag)
        except OSError as problem:
            log.info("the echo call is over already", call_id=call.call_id, problem=str(problem))
