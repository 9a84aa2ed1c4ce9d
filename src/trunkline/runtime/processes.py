"""What an instance consists of: each process, what it waits for, how it is started, and how one knows that it is ready."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from trunkline import __version__
from trunkline.runtime import probes
from trunkline.runtime.engine_root import engine_root
from trunkline.runtime.engines.echo import echo_command
from trunkline.runtime.engines.rtpengine import rtpengine_command
from trunkline.runtime.sandbox import engine_command
from trunkline.runtime.settings import Settings

WEB_WORKERS = 2
WEB_THREADS = 4


@dataclass(frozen=True)
class Port:
    transport: Literal["udp", "tcp"]
    host: str
    number: int

    def is_free(self) -> bool:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        kind = socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM
        with socket.socket(family, kind) as probe:
            if self.transport == "tcp":  # a connection that just ended does not hold the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.number))
            except OSError:
                return False
        return True

    def __str__(self) -> str:
        return f"{self.transport} {self.host}:{self.number}"


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """`command` writes the process's configuration and returns its command line; it is called before every start."""

    name: str
    command: Callable[[], list[str]]
    ready: Callable[[], Awaitable[bool]]
    ports: tuple[Port, ...]
    after: tuple[str, ...] = ()
    environment: dict[str, str]
    directory: Path
    grace_seconds: float = 5.0

    def fingerprint(self, argv: list[str]) -> str:
        """What it runs with: a child of a former supervisor is kept if this is still the same."""
        ours = sorted(item for item in self.environment.items() if item[0].startswith("TRUNKLINE_"))
        digest = hashlib.blake2b(repr((__version__, argv, ours)).encode(), digest_size=16)
        for path in sorted(self.directory.rglob("*")) if self.directory.is_dir() else []:
            if path.is_file() and path.suffix != ".list":  # lists change while it runs
                digest.update(path.read_bytes())
        return digest.hexdigest()


def instance_processes(settings: Settings) -> list[ProcessSpec]:
    """In the order of their start; they are stopped the other way round."""
    root = engine_root(settings)
    return [
        _rtpengine(settings, root),
        _echo(settings, root),
        _callcontrol(settings),
        _clock(settings),
        *([_capture(settings)] if settings.capture_calls_per_second else []),
        _kamailio(settings, root),
        _web(settings),
    ]


def _rtpengine(settings: Settings, root: Path | None) -> ProcessSpec:
    return ProcessSpec(
        name="rtpengine",
        command=lambda: rtpengine_command(settings, root),
        ready=lambda: probes.rtpengine_pings(settings),
        ports=(Port("udp", "127.0.0.1", settings.rtpengine_port),),
        environment=_engine_environment(),
        directory=settings.engines_dir / "rtpengine",
    )


def _echo(settings: Settings, root: Path | None) -> ProcessSpec:
    sip = [Port(transport, settings.echo_address, settings.echo_port) for transport in ("udp", "tcp")]
    return ProcessSpec(
        name="echo",
        command=lambda: echo_command(settings, root),
        ready=lambda: probes.echo_answers(settings),
        ports=(*sip, Port("tcp", settings.echo_address, settings.echo_tls_port)),
        environment=_engine_environment(),
        directory=settings.engines_dir / "echo",
    )


def _callcontrol(settings: Settings) -> ProcessSpec:
    return ProcessSpec(
        name="callcontrol",
        command=lambda: [sys.executable, "-m", "trunkline.callcontrol"],
        ready=lambda: probes.callcontrol_answers(settings),
        ports=(Port("tcp", "127.0.0.1", settings.metrics_port),),
        environment=_python_environment(settings),
        directory=settings.engines_dir / "callcontrol",
        grace_seconds=10.0,  # it finishes its batch and writes what it has read
    )


def _clock(settings: Settings) -> ProcessSpec:
    return ProcessSpec(
        name="clock",
        command=lambda: [sys.executable, "-m", "trunkline.clock"],
        ready=lambda: probes.clock_beats(settings),
        ports=(),
        environment=_python_environment(settings),
        directory=settings.engines_dir / "clock",
        grace_seconds=30.0,  # it may be asking a payment provider
    )


def _capture(settings: Settings) -> ProcessSpec:
    return ProcessSpec(
        name="capture",
        command=lambda: [sys.executable, "-m", "trunkline.capture"],
        ready=lambda: probes.capture_beats(settings),
        ports=(Port("udp", settings.capture_address, settings.capture_port),),
        environment=_python_environment(settings),
        directory=settings.engines_dir / "capture",
    )


def _kamailio(settings: Settings, root: Path | None) -> ProcessSpec:
    sip = [Port(transport, settings.sip_address, settings.sip_port) for transport in ("udp", "tcp")]
    return ProcessSpec(
        name="kamailio",
        command=lambda: _kamailio_command(settings, root),
        ready=lambda: probes.kamailio_answers(settings),
        ports=(*sip, Port("tcp", settings.sip_address, settings.sips_port)),
        after=("callcontrol", "rtpengine"),
        environment=_engine_environment(),
        directory=settings.engines_dir / "kamailio",
        grace_seconds=10.0,
    )


def _kamailio_command(settings: Settings, root: Path | None) -> list[str]:
    directory = settings.engines_dir / "kamailio"
    directory.mkdir(parents=True, exist_ok=True)
    # by name, at the moment of use: the edge is a room above this one
    edge_config = import_module("trunkline.edge.config")
    config = edge_config.write_kamailio_config(settings, directory)
    edge = Path(__file__).resolve().parents[1] / "edge"
    argv = ["kamailio", "-DD", "-E", *edge_config.KAMAILIO_OPTIONS, "-Y", str(settings.run_dir), "-f", str(config)]
    return engine_command(root, argv, writable=[settings.run_dir, settings.spool_dir, directory], readable=[edge])


def _web(settings: Settings) -> ProcessSpec:
    address = f"127.0.0.1:{settings.web_port}"
    scale = ["--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS), "--worker-tmp-dir", str(settings.run_dir)]
    argv = [sys.executable, "-m", "gunicorn", "trunkline.web.wsgi", "--bind", address, *scale, "--no-control-socket"]
    return ProcessSpec(
        name="web",
        command=lambda: argv,
        ready=lambda: probes.web_is_healthy(settings),
        ports=(Port("tcp", "127.0.0.1", settings.web_port),),
        environment=_python_environment(settings) | {"DJANGO_SETTINGS_MODULE": "trunkline.web.settings"},
        directory=settings.engines_dir / "web",
    )


def _engine_environment() -> dict[str, str]:
    """bubblewrap's own; inside, the engine has a clean one."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}


def _python_environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, **settings.environment(), "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "trunkline.store.settings"}
