"""A whole instance in a home of its own: every process real, to be killed and frozen."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections

from tests.conftest import _lead_django_to
from tests.ports import PortBlock, assert_done
from trunkline.runtime.status import InstanceStatus, read_status
from trunkline.store.models import ChannelUse, LiveCall

COMMAND_SECONDS = 120
READY_SECONDS = 40
EMPTY_SECONDS = 60
"""Issue 2: no channel is leaked after this."""
MEDIA_PORTS = {"rtp_port_min": 30_000, "rtp_port_max": 39_999}
"""A block's own would be used up by 75 calls. These are for media addresses of the instance's own, so nobody is in the way."""


class Instance:
    """SIP and media have loopback addresses of their own: those of the instance, of PBXs, and of the carrier. Whatever comes from a carrier's
    address is the carrier's."""

    def __init__(self, database_url: str = "") -> None:
        self.written_off: set[tuple[Any, ...]] = set()
        self.ports = PortBlock()
        network = self.ports.network
        self.pbx_address, self.carrier_address, self.carrier_port = f"{network}.2", f"{network}.3", self.ports.take()
        home = Path(tempfile.mkdtemp(prefix="tlf-"))
        self.settings = self.ports.settings(
            home, database_url=database_url, sip_address=f"{network}.1", allow_private_sources=True, **MEDIA_PORTS
        )

    @property
    def server(self) -> tuple[str, int]:
        return self.settings.sip_address, self.settings.sip_port

    @property
    def domain(self) -> str:
        return self.settings.sip_domain

    # Life

    def up(self) -> None:
        assert_done(self._trunkline("up", "--detach"))

    def down(self) -> None:
        """All processes, for good; the store stays."""
        connections.close_all()
        self._trunkline("down")
        self.ports.close()

    def remove(self) -> None:
        shutil.rmtree(self.settings.home)

    def keep(self, directory: Path) -> None:
        """What is in its home, as evidence."""
        shutil.move(self.settings.home, directory)

    def migrate(self) -> None:
        assert_done(self._trunkline("migrate"))

    def lead_django_here(self) -> None:
        """Use cases and queries of this process, on the store of the instance."""
        _lead_django_to(self.settings.database_url, self.settings.sqlite_path)

    def _trunkline(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "trunkline.cli", *arguments]
        environment = {**os.environ, **self.settings.environment()}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)

    # Faults

    def pids(self) -> dict[str, int]:
        return {process.name: process.pid for process in read_status(self.settings).processes if process.pid is not None}

    def restarts(self) -> dict[str, int]:
        return {process.name: process.restarts for process in read_status(self.settings).processes}

    def kill(self, *names: str) -> None:
        """At once, as the kernel would for want of memory. The supervisor starts them again."""
        pids = self.pids()
        for name in names:
            os.kill(pids[name], signal.SIGKILL)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """It runs no instruction, holds its sockets, and answers nobody."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def killed_and_back(self, *names: str) -> None:
        before = self.restarts()
        self.kill(*names)
        self.await_status(lambda now: now.ready and all(now_of(now, name) > before[name] for name in names))

    def await_ready(self) -> None:
        self.await_status(lambda now: now.ready)

    def await_status(self, wanted: Callable[[InstanceStatus], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not wanted(now := read_status(self.settings)):
            assert time.monotonic() < deadline, now
            time.sleep(0.02)

    # What is left

    def write_off(self) -> None:
        """What a test that failed has left behind is not held against the next one."""
        self.written_off = _in_progress()

    def await_empty(self, seconds: float = EMPTY_SECONDS) -> float:
        """No live call, no channel in use; how many seconds that took."""
        started = time.monotonic()
        while rest := _in_progress() - self.written_off:
            assert time.monotonic() - started < seconds, rest
            time.sleep(0.05)
        return time.monotonic() - started

    def audit(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._trunkline("audit", "--json").stdout)
        return found

    def log(self, process: str) -> str:
        return (self.settings.log_dir / f"{process}.log").read_text(encoding="utf-8", errors="replace")


def now_of(status: InstanceStatus, name: str) -> int:
    """How often it was started again."""
    return next(process.restarts for process in status.processes if process.name == name)


def _in_progress() -> set[tuple[Any, ...]]:
    calls = set(LiveCall.objects.values_list("call_ref", "direction"))
    return calls | set(ChannelUse.objects.exclude(in_use=0).values_list("profile_id"))
