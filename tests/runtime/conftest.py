"""Instances of the tests' own: homes in short paths, ports that nobody else has."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ports import PortBlock
from trunkline.runtime.settings import Settings
from trunkline.runtime.status import InstanceStatus, bring_down, read_status

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def make_settings() -> Iterator[Callable[[], Settings]]:
    """Settings of new instances; whatever runs in their homes is ended, and the homes are removed."""
    with ExitStack() as made:

        def make() -> Settings:
            ports = made.enter_context(PortBlock())
            home = made.enter_context(tempfile.TemporaryDirectory(prefix="tl-"))
            settings = ports.settings(Path(home))
            made.callback(lambda: asyncio.run(bring_down(settings)))
            return settings

        yield make


@pytest.fixture
def settings(make_settings: Callable[[], Settings]) -> Settings:
    return make_settings()


class Supervising:
    """A supervisor in a process of its own, so that it can be killed."""

    def __init__(self, settings: Settings, *names: str) -> None:
        self.settings = settings
        self._output = (settings.home / f"said-{time.monotonic_ns()}").open("w+b")
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.part_instance", *names],
            cwd=ROOT,
            env={**os.environ, **settings.environment()},
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def await_status(self, wanted: Callable[[InstanceStatus], bool], seconds: float = 20.0) -> InstanceStatus:
        deadline = time.monotonic() + seconds
        while not wanted(status := read_status(self.settings)):
            assert self.popen.poll() is None, self.said()
            assert time.monotonic() < deadline, (status, self.said())
            time.sleep(0.01)
        return status

    def await_ready(self) -> dict[str, int]:
        """The processes' pids, by name."""
        status = self.await_status(lambda now: now.ready and now.pid == self.popen.pid)
        return {process.name: process.pid for process in status.processes if process.pid is not None}

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        self.popen.send_signal(number)
        return self.popen.wait(30)

    def said(self) -> str:
        self._output.flush()
        return Path(self._output.name).read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        if self.popen.poll() is None:
            self.kill()
        self._output.close()


@pytest.fixture
def supervise(make_settings: Callable[[], Settings]) -> Iterator[Callable[..., Supervising]]:
    started: list[Supervising] = []

    def start(settings: Settings, *names: str) -> Supervising:
        started.append(Supervising(settings, *names))
        return started[-1]

    yield start
    for each in started:
        each.close()
