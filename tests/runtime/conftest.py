"""Instances of the tests' own: homes in short paths, ports that nobody else has."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from trunkline.runtime.settings import Settings
from trunkline.runtime.status import InstanceStatus, bring_down, read_status

ROOT = Path(__file__).resolve().parents[2]
MEDIA_PORTS = 64


def free_ports(count: int) -> list[int]:
    """Ports that were free for both UDP and TCP a moment ago."""
    with ExitStack() as held:
        ports: list[int] = []
        for _ in range(20 * count):
            number = held.enter_context(_bound(socket.SOCK_STREAM, 0)).getsockname()[1]
            try:
                held.enter_context(_bound(socket.SOCK_DGRAM, number))
            except OSError:
                continue
            ports.append(number)
            if len(ports) == count:
                return ports
    raise AssertionError("no free ports")


def free_media_ports() -> int:
    """The first of MEDIA_PORTS in a row, below those that the system gives to clients."""
    for _ in range(100):
        first = random.randrange(10_000, 32_000, MEDIA_PORTS)
        with ExitStack() as held, suppress(OSError):
            for number in range(first, first + MEDIA_PORTS):
                held.enter_context(_bound(socket.SOCK_DGRAM, number))
            return first
    raise AssertionError("no free media ports")


def _bound(kind: socket.SocketKind, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    try:
        made.bind(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    return made


def settings_with_own_ports(home: Path) -> Settings:
    ports, media = iter(free_ports(7)), free_media_ports()
    return Settings(
        home=home,
        sip_port=next(ports),
        sips_port=next(ports),
        web_port=next(ports),
        rtpengine_port=next(ports),
        echo_port=next(ports),
        metrics_port=next(ports),
        lab_carrier_port=next(ports),
        rtp_port_min=media,
        rtp_port_max=media + MEDIA_PORTS - 1,
        udp_workers=2,
        invite_workers=2,
    )


@pytest.fixture
def make_settings() -> Iterator[Callable[[], Settings]]:
    """Settings of new instances; whatever runs in their homes is ended, and the homes are removed."""
    made: list[Settings] = []

    def make() -> Settings:
        made.append(settings_with_own_ports(Path(tempfile.mkdtemp(prefix="tl-"))))
        return made[-1]

    yield make
    for settings in made:
        asyncio.run(bring_down(settings))
        shutil.rmtree(settings.home)


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
