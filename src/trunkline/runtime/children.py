"""A child: a process group that we started, or that a former supervisor left behind.

Each child leads a session of its own and writes straight to its log, so that it lives on when the supervisor is killed: calls go on.
What is needed to find it again is in its pid file; start times and the boot id tell it from a stranger with the same number.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

SANDBOX_START_SECONDS = 5.0
CLEAR_SECONDS = 5.0
POLL_SECONDS = 0.02


class PidFile(msgspec.Struct, frozen=True):
    """`leader` is whom we started, and names the process group; `pid` is the program itself, inside its sandbox or the same."""

    leader: int
    leader_started_ticks: int
    pid: int
    boot_id: str
    fingerprint: str
    since: str


class Child:
    def __init__(self, record: PidFile, path: Path, popen: subprocess.Popen[bytes] | None = None) -> None:
        self.record = record
        self._path = path
        self._popen = popen
        self._pidfd = os.pidfd_open(record.leader)

    @property
    def pid(self) -> int:
        return self.record.pid

    async def ended(self) -> str:
        """Returns when the leader is gone, with how it ended in words."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._pidfd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self._pidfd)
        return _ending(self._popen)

    async def end(self, grace_seconds: float) -> None:
        """SIGTERM to the program, SIGKILL to who is left of the group after the grace; returns when nobody is."""
        _signal_member(self.record.pid, self.record.leader, signal.SIGTERM)
        if not await self._empty_within(grace_seconds):
            await self.clear()
        self._forget()

    async def clear(self) -> None:
        """Nobody of the group may stay behind and hold a port."""
        _signal_group(self.record.leader, signal.SIGKILL)
        await self._empty_within(CLEAR_SECONDS)
        self._forget()

    def release(self) -> None:
        """Looked at, and left alone."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    async def _empty_within(self, seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        while self._popen_lives() or group_lives(self.record.leader):
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    def _popen_lives(self) -> bool:
        """Also reaps: a dead leader of ours keeps its group until then."""
        return self._popen is not None and self._popen.poll() is None

    def _forget(self) -> None:
        self.release()
        self._path.unlink(missing_ok=True)


async def start_child(argv: Sequence[str], *, environment: Mapping[str, str], log: Path, pid_file: Path, fingerprint: str) -> Child:
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: ASYNC220 - returns at once; asyncio's own would tie the child to this loop
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=dict(environment)
        )
    pid = await _sandboxed_pid(popen) if argv[0] == "bwrap" else popen.pid
    since = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = PidFile(popen.pid, started_ticks(popen.pid) or 0, pid, _boot_id(), fingerprint, since)
    try:
        write_atomically(pid_file, msgspec.json.encode(record))
    except OSError:  # whom nobody could find again must not live
        _signal_group(popen.pid, signal.SIGKILL)
        popen.wait()
        raise
    return Child(record, pid_file, popen)


async def _sandboxed_pid(sandbox: subprocess.Popen[bytes]) -> int:
    """bubblewrap's only child is the program: the one to show, to measure, and to kill in a test."""
    deadline = asyncio.get_running_loop().time() + SANDBOX_START_SECONDS
    children = Path(f"/proc/{sandbox.pid}/task/{sandbox.pid}/children")
    while sandbox.poll() is None and asyncio.get_running_loop().time() < deadline:
        if found := children.read_text(encoding="ascii").split():
            return int(found[0])
        await asyncio.sleep(0.001)
    return sandbox.pid


def find_child(pid_file: Path) -> Child | None:
    """The child of a former supervisor, if its leader lives. A pid that has gone to a stranger is not it."""
    record = _read(pid_file)
    try:
        return Child(record, pid_file) if record and _leader_lives(record) else None
    except ProcessLookupError:
        return None  # it ended between the two looks


async def clear_orphans(pid_file: Path) -> None:
    """Ends what is left of a group whose leader is gone: while members live, no stranger can get the group's number."""
    record = _read(pid_file)
    if record is None or _leader_lives(record):
        return
    if record.boot_id == _boot_id() and started_ticks(record.leader) is None:
        _signal_group(record.leader, signal.SIGKILL)
        deadline = asyncio.get_running_loop().time() + CLEAR_SECONDS
        while group_lives(record.leader) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL_SECONDS)
    pid_file.unlink(missing_ok=True)


def _read(pid_file: Path) -> PidFile | None:
    try:
        return msgspec.json.decode(pid_file.read_bytes(), type=PidFile)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _leader_lives(record: PidFile) -> bool:
    return record.boot_id == _boot_id() and started_ticks(record.leader) == record.leader_started_ticks


def group_lives(group: int) -> bool:
    """Whether a member runs; one that is dead and waits for somebody else to reap it does not count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(int(fields[2]) == group and fields[0] != "Z" for fields in map(_stat_fields, Path("/proc").glob("[0-9]*/stat")) if fields)


def _signal_member(pid: int, group: int, number: signal.Signals) -> None:
    """Only while it is one of the group: then the pid cannot have gone to a stranger."""
    try:
        if os.getpgid(pid) == group:
            os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # nobody is left: what was wanted


def _ending(popen: subprocess.Popen[bytes] | None) -> str:
    if popen is None:
        return "ended"
    status = popen.wait()
    return f"ended by signal {-status}" if status < 0 else f"exited with status {status}"


def started_ticks(pid: int) -> int | None:
    fields = _stat_fields(Path(f"/proc/{pid}/stat"))
    return int(fields[19]) if fields and fields[0] != "Z" else None


def _stat_fields(stat: Path) -> list[str]:
    """From the third field on: the second, the name, may hold anything."""
    try:
        return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def write_atomically(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(content)
    scratch.replace(path)
