"""`trunkline up`: starts an instance's processes in order, starts again what dies, and stops all in reverse order.

It is not needed for calls to go on: killed, it leaves its children running, and the next `up` takes over those that still run
what they should.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from trunkline.runtime.children import Child, clear_orphans, find_child, start_child, started_ticks, write_atomically
from trunkline.runtime.logs import keep_logs_small, log_tail
from trunkline.runtime.processes import ProcessSpec
from trunkline.runtime.settings import Settings, SettingsError
from trunkline.runtime.status import InstanceStatus, ProcessStatus, State

READY_TIMEOUT_SECONDS = 45.0
FIRST_BACKOFF_SECONDS = 0.1
LAST_BACKOFF_SECONDS = 5.0
CALM_AFTER_SECONDS = 10.0  # up this long, a death is news and not a series
ATTEMPTS_BEFORE_GIVING_UP = 3  # only until it has been ready once
PROBE_SECONDS = 0.05

Say = Callable[[str], None]


class StartError(RuntimeError):
    """A process cannot be brought up; the text says which, why, and where to look."""


@dataclass
class Supervised:
    spec: ProcessSpec
    state: State = "waiting"
    child: Child | None = None
    restarts: int = 0
    was_ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def status(self) -> ProcessStatus:
        record = self.child.record if self.child else None
        return ProcessStatus(self.spec.name, self.state, record.pid if record else None, record.since if record else None, self.restarts)


class Supervisor:
    def __init__(self, settings: Settings, specs: list[ProcessSpec], say: Say, on_ready: Callable[[], None]) -> None:
        self._settings = settings
        self._processes = [Supervised(spec) for spec in specs]
        self._say = say
        self._on_ready = on_ready
        self._stopping = asyncio.Event()
        self._since = _now()

    async def run(self) -> None:
        """Returns after a signal and an ordered stop. Raises, with all stopped, what kept a process from starting."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        chores = [asyncio.create_task(keep_logs_small(self._settings.log_dir)), asyncio.create_task(self._announce())]
        endings = await asyncio.gather(*map(self._keep, self._processes), return_exceptions=True)
        for chore in chores:
            chore.cancel()
        self._settings.status_path.unlink(missing_ok=True)
        for ending in endings:
            if isinstance(ending, BaseException):
                raise ending

    async def _announce(self) -> None:
        for process in self._processes:
            await process.was_ready.wait()
        self._on_ready()

    async def _keep(self, process: Supervised) -> None:
        """One process's life: a keeper that gives up takes the whole instance down with it."""
        try:
            await self._keep_alive(process)
        finally:
            self._stopping.set()
            for later in self._processes[self._processes.index(process) + 1 :]:
                await later.stopped.wait()
            if process.child is not None:
                self._note(process, "stopping")
                await process.child.end(process.spec.grace_seconds)
                process.child = None
            self._note(process, "stopped")
            process.stopped.set()

    async def _keep_alive(self, process: Supervised) -> None:
        for other in self._processes:
            if other.spec.name in process.spec.after:
                await self._unless_stopping(other.was_ready.wait())
        backoff = FIRST_BACKOFF_SECONDS
        while not self._stopping.is_set():
            started_at = _clock()
            how = await self._live_once(process)
            if self._stopping.is_set():
                return
            self._note_death(process, how)
            backoff = FIRST_BACKOFF_SECONDS if _clock() - started_at > CALM_AFTER_SECONDS else backoff
            await self._unless_stopping(asyncio.sleep(backoff))
            backoff = min(backoff * 2, LAST_BACKOFF_SECONDS)

    async def _live_once(self, process: Supervised) -> str:
        """From its start to its death, and how it died; or until we stop, with the child still there."""
        try:
            process.child = await self._adopt(process) or await self._start(process)
        except (StartError, SettingsError, OSError) as problem:  # a full disk, for one: the others run on
            return str(problem)
        ended = asyncio.create_task(process.child.ended())
        if await self._became_ready(process, ended):
            self._note(process, "ready")
            process.was_ready.set()
            await self._unless_stopping(asyncio.wait({ended}))
        how = ended.result() if ended.done() else f"not ready after {READY_TIMEOUT_SECONDS:.0f} s"
        ended.cancel()
        await asyncio.wait({ended})
        if not self._stopping.is_set():
            await process.child.clear()
        return how

    async def _adopt(self, process: Supervised) -> Child | None:
        """What a killed supervisor left is kept if it runs what it should, and ended otherwise."""
        pid_file = self._pid_file(process)
        await clear_orphans(pid_file)
        left = find_child(pid_file)
        if left is None:
            return None
        if left.record.fingerprint == process.spec.fingerprint(process.spec.command()) and await process.spec.ready():
            self._say(f"{process.spec.name}: was still running (pid {left.pid}), kept")
            return left
        self._say(f"{process.spec.name}: a former run's was still there (pid {left.pid}) with other settings, ended")
        await left.end(process.spec.grace_seconds)
        return None

    async def _start(self, process: Supervised) -> Child:
        spec = process.spec
        if taken := [str(port) for port in spec.ports if not port.is_free()]:
            raise StartError(f"{', '.join(taken)} is taken by another program")
        argv = spec.command()
        self._note(process, "starting")
        return await start_child(
            argv,
            environment=spec.environment,
            log=self._log_file(process),
            pid_file=self._pid_file(process),
            fingerprint=spec.fingerprint(argv),
        )

    async def _became_ready(self, process: Supervised, ended: asyncio.Task[str]) -> bool:
        deadline = _clock() + READY_TIMEOUT_SECONDS
        while not ended.done() and not self._stopping.is_set() and _clock() < deadline:
            if await process.spec.ready():
                return not ended.done()
            await asyncio.sleep(PROBE_SECONDS)
        return False

    def _note_death(self, process: Supervised, how: str) -> None:
        process.child = None
        process.restarts += 1
        if not process.was_ready.is_set() and process.restarts >= ATTEMPTS_BEFORE_GIVING_UP:
            log = self._log_file(process)
            raise StartError(f"{process.spec.name} does not start: {how}. The end of {log}:\n{log_tail(log)}")
        self._note(process, "restarting", how)

    def _note(self, process: Supervised, state: State, detail: str = "") -> None:
        process.state = state
        pid = f" (pid {process.child.pid})" if process.child and state == "ready" else ""
        self._say(f"{process.spec.name}: {state}{pid}{': ' + detail if detail else ''}")
        now = InstanceStatus(
            running=True,
            pid=os.getpid(),
            pid_started_ticks=started_ticks(os.getpid()),
            since=self._since,
            processes=[each.status() for each in self._processes],
        )
        try:
            write_atomically(self._settings.status_path, msgspec.json.encode(now))
        except OSError as problem:
            self._say(f"the status could not be written: {problem}")

    async def _unless_stopping(self, awaited: Coroutine[Any, Any, object]) -> None:
        """Waits for it, or for the end of everything."""
        tasks = {asyncio.create_task(awaited), asyncio.create_task(self._stopping.wait())}
        _, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()

    def _pid_file(self, process: Supervised) -> Path:
        return self._settings.run_dir / f"{process.spec.name}.pid"

    def _log_file(self, process: Supervised) -> Path:
        return self._settings.log_dir / f"{process.spec.name}.log"


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
