"""When sweeps run: each at its pace, none so often that it takes more than a twentieth of a processor to find nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from django.db import close_old_connections

from trunkline.clock.catch_up import Ran, Sweep, catch_up
from trunkline.runtime.beat import BEAT_SECONDS, Beat, SweepBeat, alive, write_beat

log = structlog.get_logger()

LOOK_SECONDS = 0.5
SHARE = 20
"""After a look that took a second, the next one is no sooner than 20 seconds later."""


@dataclass
class Loop:
    """One clock process. Several may run, here and elsewhere, on one store."""

    sweeps: Sequence[Sweep]
    now: Callable[[], datetime]
    beat_path: Path
    stopping: threading.Event = field(default_factory=threading.Event)
    _next: dict[str, float] = field(default_factory=dict)
    _counts: dict[str, SweepBeat] = field(default_factory=dict)
    _last_beat: float = 0.0

    def run(self) -> None:
        """Until `stopping`."""
        with alive(self.beat_path):
            self._beat(force=True)
            log.info("the clock is ready", sweeps=[sweep.name for sweep in self.sweeps])
            while not self.stopping.is_set():
                close_old_connections()
                done = self.turn()
                self._beat()
                if done:
                    self.stopping.wait(LOOK_SECONDS)

    def turn(self) -> bool:
        """One pass over the sweeps whose time has come. False: there is more to do at once."""
        moment = time.monotonic()
        chosen = [sweep for sweep in self.sweeps if self._next.get(sweep.name, 0.0) <= moment]
        if not chosen:
            return True
        took = dict.fromkeys((sweep.name for sweep in chosen), 0.0)

        def note(ran: Ran) -> None:
            took[ran.name] = max(took[ran.name], ran.took_seconds if not ran.done else 0.0)
            self._count(ran)
            self._beat()

        done = catch_up(chosen, self.now, note)
        if done:
            ended = time.monotonic()
            self._next |= {sweep.name: ended + max(sweep.every_seconds, SHARE * took[sweep.name]) for sweep in chosen}
        return done

    def _count(self, ran: Ran) -> None:
        before = self._counts.get(ran.name, SweepBeat())
        self._counts[ran.name] = SweepBeat(before.done + ran.done, before.failed + ran.failed, round(ran.took_seconds, 4))

    def _beat(self, *, force: bool = False) -> None:
        """For the probe, and for `clock show`."""
        if force or time.monotonic() - self._last_beat >= BEAT_SECONDS:
            self._last_beat = time.monotonic()
            write_beat(self.beat_path, Beat(datetime.now(UTC), self._counts))
