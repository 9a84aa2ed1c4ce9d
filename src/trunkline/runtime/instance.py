"""Brings an instance up: checks the engines, updates the store, then hands over to the supervisor."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from trunkline.runtime.engine_root import check_versions, ensure_root
from trunkline.runtime.keys import secret_key
from trunkline.runtime.logs import log_tail
from trunkline.runtime.processes import instance_processes
from trunkline.runtime.settings import Settings, make_directories, remove_run_directory
from trunkline.runtime.status import is_supervised, read_status, sole_supervisor
from trunkline.runtime.supervisor import Say, StartError, Supervisor

MIGRATE_TIMEOUT_SECONDS = 600
DETACHED_TIMEOUT_SECONDS = 180.0
OPEN_FILES = 65_536  # a call takes eight


def prepare(settings: Settings, say: Say) -> dict[str, str]:
    """All that must be there before the first process starts. Returns the engines' versions."""
    make_directories(settings)
    secret_key(settings)
    root = ensure_root("engine", say) if settings.engine == "root" else None
    versions = check_versions(root)
    _migrate(settings)
    return versions


def run_in_foreground(settings: Settings, say: Say, on_ready: Callable[[], None], load: Callable[[], None] = lambda: None) -> None:
    """Until a signal. `load` fills the store that has just been brought up to date, before anybody uses it."""
    with sole_supervisor(settings):
        try:
            prepare(settings, say)
            load()
            _raise_file_limit()
            asyncio.run(Supervisor(settings, instance_processes(settings), say, on_ready).run())
        finally:
            remove_run_directory(settings)  # while the lock in it is held: nobody else uses it


def run_detached(settings: Settings, say: Say = print) -> None:
    """Returns when the instance is ready; raises with the supervisor's own last words when it is not."""
    make_directories(settings)
    if settings.engine == "root":
        ensure_root("engine", say)  # here, where somebody sees the progress
    log = settings.log_dir / "supervisor.log"
    before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "trunkline.cli", "up"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + DETACHED_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            with log.open("rb") as written:
                written.seek(before)
                raise StartError(written.read().decode("utf-8", errors="replace").strip())
        if is_supervised(settings) and (status := read_status(settings)).ready and status.pid == supervisor.pid:
            return
        time.sleep(0.05)
    supervisor.terminate()
    raise StartError(f"Not ready after {DETACHED_TIMEOUT_SECONDS:.0f} s. The end of {log}:\n{log_tail(log)}")


def _migrate(settings: Settings) -> None:
    """In a process of its own: the supervisor needs no Django."""
    log = settings.log_dir / "migrate.log"
    with log.open("wb") as output:
        environment = {**os.environ, **settings.environment()}
        command = [sys.executable, "-m", "trunkline.cli", "migrate"]
        done = subprocess.run(command, stdout=output, stderr=output, env=environment, timeout=MIGRATE_TIMEOUT_SECONDS, check=False)
    if done.returncode:
        raise StartError(f"The store could not be brought up to date. The end of {log}:\n{log_tail(log)}")


def _raise_file_limit() -> None:
    """Children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
