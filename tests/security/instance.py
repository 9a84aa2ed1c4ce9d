"""A whole instance as an attacker meets it: every process real; and what may be looked at to see whether it was harmed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.ports import PortBlock, PortTakenError, assert_done
from tests.security.company import Cast
from trunkline.edge.rpc import CARRIERS_FILE, KamailioRpc
from trunkline.runtime.status import read_status

ROOT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 120
WAIT_SECONDS = 10.0
COUNTED = re.compile(rb"^(trunkline_\w+)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Vitals:
    """`restarts`: how often the supervisor started a process again. `workers`: Kamailio's processes. `files`: open descriptors."""

    restarts: dict[str, int]
    workers: frozenset[int]
    files: dict[str, int]
    shared_bytes: int
    log_bytes: dict[str, int]
    counted: dict[str, float]


class WholeInstance:
    """`with` fills it, brings it up and takes it down. What is in its home goes to `evidence` when a test has failed: pytest clears up there."""

    def __init__(self, evidence: Path) -> None:
        self._evidence = evidence
        self.home = Path(tempfile.mkdtemp(prefix="tls-"))
        self._ports = PortBlock()
        self.settings = self._ports.settings(self.home, allow_private_sources=True)
        self.carrier_port, self.fixed_port = self.settings.lab_carrier_port, self._ports.take()
        self.rpc = KamailioRpc(self.settings.kamailio_rpc_socket, self.settings.engines_dir / "kamailio" / CARRIERS_FILE)

    cast: Cast
    has_failed = False

    def __enter__(self) -> Self:
        try:
            self.trunkline("migrate")
            filled = self._run([sys.executable, "-m", "tests.security.company", str(self.carrier_port), str(self.fixed_port)])
            self.cast = Cast.read(filled.stdout)
            self.trunkline("up", "--detach")
        except BaseException as error:
            self._down(has_failed=not isinstance(error, PortTakenError))
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._down(has_failed=self.has_failed or kind is not None)

    def _down(self, *, has_failed: bool) -> None:
        self.trunkline("down", check=False)
        self._ports.close()
        if has_failed:
            shutil.move(self.home, self._evidence)
        else:
            shutil.rmtree(self.home)

    # Commands

    def trunkline(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, "-m", "trunkline.cli", *arguments], check=check)

    def _run(self, command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.settings.environment(), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        if check:
            assert_done(done)
        return done

    def audit(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.trunkline("audit", "--json", check=False).stdout)
        return found

    # Where it is

    @property
    def domain(self) -> str:
        return self.settings.sip_domain

    @property
    def server(self) -> tuple[str, int]:
        return self.settings.sip_address, self.settings.sip_port

    @property
    def network(self) -> str:
        """Loopback addresses that nobody else uses: this and a fourth number."""
        return self._ports.network

    @property
    def tls_server(self) -> tuple[str, int]:
        return self.settings.sip_address, self.settings.sips_port

    # What it says

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """From the store, by a reader of its own."""
        with closing(sqlite3.connect(f"file:{self.settings.sqlite_path}?mode=ro", uri=True)) as store:
            return store.execute(sql, parameters).fetchall()

    def await_row(self, sql: str, *parameters: object) -> tuple[Any, ...]:
        """The first row, as soon as there is one."""
        found: tuple[Any, ...] = self.eventually(lambda: next(iter(self.rows(sql, *parameters)), None), sql)
        return found

    def eventually(self, look: Callable[[], Any], what: str, within: float = WAIT_SECONDS) -> Any:
        deadline = time.monotonic() + within
        while not (found := look()):
            assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
            time.sleep(0.02)
        return found

    def log(self, process: str, since: int = 0) -> str:
        """What a process has printed since its log had this size."""
        return (self.settings.log_dir / f"{process}.log").read_bytes()[since:].decode("utf-8", "backslashreplace")

    def counted(self) -> dict[str, float]:
        """Call control's metrics, by name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.metrics_port}/metrics", timeout=WAIT_SECONDS) as page:
            found = COUNTED.findall(page.read())
        sums: dict[str, float] = {}
        for name, value in found:
            sums[name.decode()] = sums.get(name.decode(), 0.0) + float(value)
        return sums

    def vitals(self) -> Vitals:
        processes = read_status(self.settings).processes
        families = {process.name: family(process.pid) for process in processes if process.pid}
        return Vitals(
            restarts={process.name: process.restarts for process in processes},
            workers=frozenset(families["kamailio"]),
            files={name: sum(open_files(pid) for pid in pids) for name, pids in families.items()},
            shared_bytes=int(self.rpc.call("core.shmmem")["used"]),
            log_bytes={path.stem: path.stat().st_size for path in self.settings.log_dir.glob("*.log")},
            counted=self.counted(),
        )

    def private_bytes(self) -> dict[str, int]:
        """Memory that each process and its children have written to, not counting what they share."""
        processes = read_status(self.settings).processes
        return {process.name: sum(map(private_bytes_of, family(process.pid))) for process in processes if process.pid}


def family(pid: int) -> frozenset[int]:
    """A process and its descendants."""
    found, newest = {pid}, [pid]
    while newest:
        newest = [child for parent in newest for child in _children(parent)]
        found.update(newest)
    return frozenset(found)


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def open_files(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def private_bytes_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024
