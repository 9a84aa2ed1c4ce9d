"""Ports of the tests' own. Whoever takes a block has it alone, beside other workers, other runs and other clones on this machine.

A block is held by a UNIX socket with an abstract name: the kernel keeps those per network, as it keeps ports, and gives them back when
their owner dies. Nothing is left behind, and no list has to be kept.
"""

from __future__ import annotations

import errno
import random
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from trunkline.runtime.settings import Settings

T = TypeVar("T")

SERVICE_PORTS, MEDIA_PORTS = 100, 400
BLOCK_PORTS = SERVICE_PORTS + MEDIA_PORTS
FIRST_PORTS = (*range(10_000, 20_000, BLOCK_PORTS), *range(21_000, 30_000, BLOCK_PORTS))
"""Between them is the media of `trunkline demo`; above them an instance's own default, and what the system gives to clients."""
TAKEN = "taken by another program"


class PortTakenError(AssertionError):
    """Somebody who knows nothing of blocks has come between the look and the use."""


class PortBlock:
    """Every one of its ports can be bound, for UDP and TCP, on every address. `with` or `close` gives it back."""

    def __init__(self) -> None:
        for first in random.sample(FIRST_PORTS, len(FIRST_PORTS)):
            if name := _reserved(first):
                self.first, self._name = first, name
                break
        else:
            raise AssertionError(f"No block of {BLOCK_PORTS} free ports is left: see what runs (`ss -lntup`), and end it.")
        self._services = iter(range(self.first, self.first + SERVICE_PORTS, 2))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._name.close()

    def take(self) -> int:
        """A port that nobody was given yet. It is even, and the next one is nobody's: the echo service takes that, too."""
        return next(self._services)

    @property
    def media(self) -> tuple[int, int]:
        """First and last."""
        return self.first + SERVICE_PORTS, self.first + BLOCK_PORTS - 1

    @property
    def network(self) -> str:
        """Loopback addresses are this and a fourth number; nobody else uses them."""
        return f"127.27.{FIRST_PORTS.index(self.first)}"

    def settings(self, home: Path, **others: Any) -> Settings:
        """Of an instance on these ports, as small as it can be."""
        names = ("sip", "sips", "web", "rtpengine", "echo", "metrics", "lab_carrier")
        ports: dict[str, Any] = {f"{name}_port": self.take() for name in names}
        ports |= dict(zip(("rtp_port_min", "rtp_port_max"), self.media, strict=True))
        return Settings(home=home, **({"udp_workers": 2, "invite_workers": 2} | ports | others))


def _reserved(first: int) -> socket.socket | None:
    """The block's name, or None if somebody has it, or one of its ports."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0trunkline-tests-ports-{first}")
        for port in range(first, first + BLOCK_PORTS):
            _try(socket.SOCK_DGRAM, port)
            _try(socket.SOCK_STREAM, port)
    except OSError as problem:
        name.close()
        if problem.errno != errno.EADDRINUSE:
            raise
        return None
    return name


def _try(kind: socket.SocketKind, port: int) -> None:
    """On all addresses: so no program may have it on any."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:  # a connection that just ended does not hold the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("0.0.0.0", port))


def assert_done(done: subprocess.CompletedProcess[str]) -> None:
    """The command ended well; its words are the error if not."""
    if done.returncode:
        said = f"{done.args}:\n{done.stdout}{done.stderr}"
        raise PortTakenError(said) if TAKEN in said else AssertionError(said)


def in_free_ports(start: Callable[[], T]) -> T:
    """What `start` makes with a block of its own; in another block if a stranger was in the first one."""
    try:
        return start()
    except PortTakenError:
        return start()
