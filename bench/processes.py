"""CPU time of processes and of the whole machine, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time so far of these processes, user and system."""
    fields = (_fields(pid) for pid in pids)
    return sum(int(each[11]) + int(each[12]) for each in fields if each) / TICKS_PER_SECOND


def family(root: int) -> set[int]:
    """A process and all that descend from it."""
    parents = {pid: int(fields[1]) for pid, fields in _all().items()}
    found, newest = {root}, {root}
    while newest:
        newest = {pid for pid, parent in parents.items() if parent in newest} - found
        found |= newest
    return found


def named(name: str, among: Iterable[int]) -> list[int]:
    """Those whose program is called `name`."""
    return [pid for pid in among if _name(pid) == name]


def _all() -> dict[int, list[str]]:
    pids = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return {pid: fields for pid in pids if (fields := _fields(pid))}


def _fields(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the program's name, which may hold anything; none if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@dataclass(frozen=True)
class Machine:
    """Processor seconds since boot, over all processors. `stolen`: another virtual machine had them."""

    busy: float
    stolen: float

    @classmethod
    def now(cls) -> Machine:
        first = Path("/proc/stat").read_text().split("\n", 1)[0]
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, first.split()[1:9])
        return cls((user + nice + system + irq + softirq) / TICKS_PER_SECOND, steal / TICKS_PER_SECOND)

    def __sub__(self, earlier: Machine) -> Machine:
        return Machine(self.busy - earlier.busy, self.stolen - earlier.stolen)


def machine_facts() -> dict[str, object]:
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processors": len(os.sched_getaffinity(0)),
        "model": models[0] if models else "unknown",
        "memory_mb": memory_kb // 1024,
        "kernel": os.uname().release,
    }
