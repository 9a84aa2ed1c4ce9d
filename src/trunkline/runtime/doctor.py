"""Is this machine fit to run an instance, and is this instance well? Each check says what it found and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import msgspec

from trunkline.runtime.engine_root import EngineError, check_versions, engine_root
from trunkline.runtime.processes import instance_processes
from trunkline.runtime.sandbox import Confinement, confinement
from trunkline.runtime.settings import Settings, SettingsError, make_directories
from trunkline.runtime.status import read_status

PYTHON_OLDEST = (3, 11)
DISK_FREE_BYTES_MIN = 2 * 1024**3
FSYNC_TRIES = 20
FSYNC_MILLISECONDS_MAX = 50.0  # a call waits for one: SPEC wants 15 ms in all, at half load
STORE_SECONDS = 60


class Check(msgspec.Struct, frozen=True):
    name: str
    ok: bool
    detail: str
    todo: str = ""


class Unfit(Exception):  # noqa: N818 - a finding, not a failure of the doctor
    """A check that failed: what was found, and what to do about it."""

    def __init__(self, detail: str, todo: str) -> None:
        super().__init__(detail)
        self.detail, self.todo = detail, todo


def examine(settings: Settings) -> Iterator[Check]:
    for name, look in CHECKS.items():
        try:
            yield Check(name, ok=True, detail=look(settings))
        except Unfit as found:
            yield Check(name, ok=False, detail=found.detail, todo=found.todo)


def _python(_: Settings) -> str:
    found = f"{'.'.join(map(str, sys.version_info[:3]))} in {sys.prefix}"
    if sys.version_info < PYTHON_OLDEST:
        raise Unfit(found, "Install Python 3.11 or newer.")
    if sys.prefix == sys.base_prefix:
        raise Unfit(found, "Start it by ./trunkline, which uses the project's own environment with pinned packages.")
    return found


def _home(settings: Settings) -> str:
    try:
        make_directories(settings)
    except (OSError, SettingsError) as problem:
        raise Unfit(str(problem), "Set TRUNKLINE_HOME to a directory that this user may write.") from problem
    key = settings.secret_key_path
    if key.exists() and key.stat().st_mode & 0o077:
        raise Unfit(f"{key} can be read by others", f"chmod 600 {key}")
    return f"{settings.home}, sockets in {settings.run_dir}"


def _engines(settings: Settings) -> str:
    root = engine_root(settings)
    if root is not None and not root.is_dir():
        raise Unfit(f"The engine root is not built ({root})", "./trunkline engines build")
    try:
        versions = check_versions(root)
    except EngineError as problem:
        todo = "Install newer engines, or use the engine root: TRUNKLINE_ENGINE=root." if root is None else "./trunkline engines build"
        raise Unfit(str(problem), todo) from problem
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{found} from {root or 'the installed packages'}"


def _sandbox(settings: Settings) -> str:
    if settings.engine == "system":
        return "none: installed engines run as they are"
    way = confinement()
    if way is Confinement.NONE:
        raise Unfit(
            "This host allows no mount namespaces: the engines would run without a sandbox, as this user",
            "Install bubblewrap and allow user namespaces; in a container, let it mount. It runs without, less safely.",
        )
    return {
        Confinement.NAMESPACES: "bubblewrap with namespaces for files, processes, IPC and host name",
        Confinement.MOUNTS: "bubblewrap with a namespace for files only: /proc is masked here",
    }[way]


def _ports(settings: Settings) -> str:
    """Free, or held by our own processes."""
    ours = {process.name for process in read_status(settings).processes if process.pid is not None}
    taken = [
        f"{port} ({spec.name})"
        for spec in instance_processes(settings)
        if spec.name not in ours
        for port in spec.ports
        if not port.is_free()
    ]
    if taken:
        raise Unfit(f"Taken by another program: {', '.join(taken)}", "End that program, or set other ports (docs/reference/layout.md).")
    return "ours" if ours else "free"


def _processes(settings: Settings) -> str:
    now = read_status(settings)
    if orphans := [process.name for process in now.processes if process.state == "orphaned"]:
        raise Unfit(f"Without a supervisor: {', '.join(orphans)}", "./trunkline up takes them over; ./trunkline down ends them.")
    if not now.running:
        return "not running"
    answers = asyncio.run(_all_answer(settings))
    if silent := [name for name, answered in answers.items() if not answered]:
        raise Unfit(f"Not answering: {', '.join(silent)}", f"See {settings.log_dir}.")
    return f"running, all {len(answers)} processes answer"


async def _all_answer(settings: Settings) -> dict[str, bool]:
    specs = instance_processes(settings)
    return dict(zip((spec.name for spec in specs), await asyncio.gather(*(spec.ready() for spec in specs)), strict=True))


def _store(settings: Settings) -> str:
    if not settings.database_url and not settings.sqlite_path.exists():
        raise Unfit("There is no store yet", "./trunkline migrate, or `up`, makes it.")
    command = [sys.executable, "-m", "trunkline.cli", "migrate", "--check"]
    environment = {**os.environ, **settings.environment()}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=STORE_SECONDS, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["Its tables are not up to date"]
        raise Unfit(words[-1], "./trunkline migrate; or see TRUNKLINE_DATABASE_URL. `up` migrates by itself.")
    return f"reachable and up to date: {'PostgreSQL' if settings.database_url else settings.sqlite_path}"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    if free < DISK_FREE_BYTES_MIN:
        raise Unfit(f"{free // 1024**2} MB free", "Make room: journals and the store must be able to grow.")
    return f"{free // 1024**3} GB free"


def _fsync(settings: Settings) -> str:
    """How long a call waits at least for its money to be on disk."""
    milliseconds = []
    with tempfile.NamedTemporaryFile(dir=settings.home, prefix=".fsync-") as scratch:
        for _ in range(FSYNC_TRIES):
            scratch.write(b"x" * 4096)
            scratch.flush()
            started_at = time.perf_counter()
            os.fsync(scratch.fileno())
            milliseconds.append((time.perf_counter() - started_at) * 1000)
    median = statistics.median(milliseconds)
    if median > FSYNC_MILLISECONDS_MAX:
        raise Unfit(
            f"{median:.1f} ms for one fsync", "Every new call waits for one. Use a disk that is faster, or PostgreSQL on another machine."
        )
    return f"{median:.2f} ms for one fsync"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "python": _python,
    "home": _home,
    "engines": _engines,
    "sandbox": _sandbox,
    "ports": _ports,
    "processes": _processes,
    "store": _store,
    "disk": _disk,
    "fsync": _fsync,
}
