"""Whether an instance runs, who looks after it, and how to bring it down: what every other command may ask."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from trunkline.runtime.children import clear_orphans, find_child, started_ticks
from trunkline.runtime.settings import Settings, make_directories, remove_run_directory

State = Literal["waiting", "starting", "ready", "restarting", "stopping", "stopped", "orphaned"]
DOWN_TIMEOUT_SECONDS = 60.0
LEFTOVER_GRACE_SECONDS = 5.0
POLL_SECONDS = 0.05


class ProcessStatus(msgspec.Struct, frozen=True):
    name: str
    state: State
    pid: int | None
    since: str | None
    restarts: int


class InstanceStatus(msgspec.Struct, frozen=True):
    running: bool
    pid: int | None = None
    pid_started_ticks: int | None = None
    since: str | None = None
    processes: list[ProcessStatus] = []

    @property
    def ready(self) -> bool:
        return self.running and all(process.state == "ready" for process in self.processes)


class AlreadyRunningError(RuntimeError):
    """One home is run once."""


class NotStoppedError(RuntimeError):
    """The supervisor did not end in time."""


@contextmanager
def sole_supervisor(settings: Settings) -> Iterator[None]:
    """Holds the instance's lock; the kernel lets go of it however we end."""
    make_directories(settings)
    with _lock_path(settings).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                f"{settings.home} is running already. `./trunkline status` shows it, `./trunkline down` ends it."
            ) from None
        yield


def is_supervised(settings: Settings) -> bool:
    try:
        with _lock_path(settings).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def read_status(settings: Settings) -> InstanceStatus:
    if not is_supervised(settings):
        return InstanceStatus(running=False, processes=list(_orphans(settings)))
    try:
        return msgspec.json.decode(settings.status_path.read_bytes(), type=InstanceStatus)
    except FileNotFoundError:
        return InstanceStatus(running=True)  # it has only just begun, or is about to end


def _orphans(settings: Settings) -> Iterator[ProcessStatus]:
    for pid_file in sorted(settings.run_dir.glob("*.pid")):
        if child := find_child(pid_file):
            yield ProcessStatus(pid_file.stem, "orphaned", child.pid, child.record.since, 0)
            child.release()


async def bring_down(settings: Settings) -> None:
    """Ends the supervisor, which ends all in order; then whatever a killed one left behind."""
    status = read_status(settings)
    if status.pid is not None and started_ticks(status.pid) == status.pid_started_ticks:
        os.kill(status.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT_SECONDS
    while is_supervised(settings):
        if time.monotonic() > deadline:
            raise NotStoppedError(f"The supervisor (pid {status.pid}) has not ended within {DOWN_TIMEOUT_SECONDS:.0f} s.")
        await asyncio.sleep(POLL_SECONDS)
    for pid_file in sorted(settings.run_dir.glob("*.pid")):
        await clear_orphans(pid_file)
        if child := find_child(pid_file):
            await child.end(LEFTOVER_GRACE_SECONDS)
    if not is_supervised(settings):  # nobody has started it again meanwhile
        remove_run_directory(settings)


def _lock_path(settings: Settings) -> Path:
    return settings.run_dir / "up.lock"
