"""Calls are captured while few of them begin: what capturing costs must not be taken from a service that is busy.

Closed, Kamailio does no more for it than look at a flag. After a while it is opened again; if it is too much still, it is closed after as many calls.
"""

from __future__ import annotations

from collections import deque

import structlog

from trunkline.edge.rpc import KamailioRpc

log = structlog.get_logger()

SECOND_US = 1_000_000
MESSAGES_FOR_CALL = 40
"""As a limit: an answered call has some 17 over both legs. More messages without calls are a flood as well."""
CLOSED_US = 10 * SECOND_US
RETRY_US = SECOND_US


class Gate:
    """Moments are microseconds of this machine's clock. `is_open` changes in `look` only."""

    def __init__(self, calls_per_second: int) -> None:
        self._begun: deque[int] = deque(maxlen=calls_per_second)
        self._messages: deque[int] = deque(maxlen=calls_per_second * MESSAGES_FOR_CALL)
        self._opens_us = 0
        self.is_open = True

    def note_message(self, at_us: int) -> None:
        self._messages.append(at_us)

    def note_call(self, at_us: int) -> None:
        self._begun.append(at_us)

    def look(self, now_us: int) -> bool:
        """True: it has just been opened or closed."""
        if self.is_open and (_is_full(self._begun) or _is_full(self._messages)):
            self.is_open, self._opens_us = False, now_us + CLOSED_US
        elif not self.is_open and now_us >= self._opens_us:
            self.is_open = True
            self._begun.clear()
            self._messages.clear()
        else:
            return False
        return True


def _is_full(moments: deque[int]) -> bool:
    """As many as there may be, in less than a second."""
    return len(moments) == moments.maxlen and moments[-1] - moments[0] < SECOND_US


class Switch:
    """Kamailio's own flag. It is on when Kamailio starts, and what a capture that died has told it stays."""

    def __init__(self, rpc: KamailioRpc) -> None:
        self._rpc = rpc
        self._told: bool | None = None
        self._next_us = 0

    def tell(self, now_us: int, *, on: bool) -> None:
        """Once, and again in a second while Kamailio is away."""
        if self._told is on or now_us < self._next_us:
            return
        self._next_us = now_us + RETRY_US
        try:
            self._rpc.call("siptrace.status", "on" if on else "off")
        except OSError as problem:
            log.info("Kamailio could not be told", on=on, problem=str(problem))
        else:
            self._told, self._next_us = on, now_us

    def doubt(self, now_us: int) -> None:
        """It sends though it is off: another Kamailio than the one that was told."""
        if self._told is not None:
            self._told, self._next_us = None, now_us + RETRY_US
