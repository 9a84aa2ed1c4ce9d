"""One trial: SIPp as the PBXs and SIPp as the carrier, for some seconds at one rate, and what came of it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.place import CALLER, CALLER_PORT, CARRIER, CARRIER_PORT, DOMAIN, SIP_PORT, SIPP_MEDIA_PORTS
from bench.processes import Machine, cpu_seconds, family, named
from trunkline.runtime.engine_root import ensure_root
from trunkline.runtime.sandbox import engine_command

SCENARIOS = Path(__file__).parent / "scenarios"
RETRANSMISSIONS_MAX = 0.001
"""Per call: more is not clean. An overloaded machine sends thousands."""
STRAGGLERS_SECONDS = 8
"""How long after the last call was begun the caller waits for calls to end."""
READY_SECONDS = 5.0


@dataclass(frozen=True)
class User:
    name: str
    password: str
    called: str


@dataclass(frozen=True)
class Trial:
    """`cpu_seconds` by group of processes, over the whole trial. `ring_ms`: INVITE with digest to 180 (a REGISTER: to 200), at the caller.
    `unexpected`: how often the caller got which status that it did not expect."""

    rate: int
    calls: int
    succeeded: int
    retransmissions: int
    cpu_seconds: Mapping[str, float]
    machine: Machine
    ring_ms: Sequence[float] = field(repr=False)
    unexpected: Mapping[str, int]

    @property
    def clean(self) -> bool:
        return self.succeeded == self.calls and self.retransmissions <= RETRANSMISSIONS_MAX * self.calls

    def cpu_ms_per_call(self) -> dict[str, float]:
        return {name: round(seconds / self.calls * 1000, 3) for name, seconds in self.cpu_seconds.items()}


def run_trial(scenario: str, target: str, users: Sequence[User], groups: Mapping[str, set[int]], *, rate: int, seconds: float) -> Trial:
    """`scenario`: `caller` (with a carrier) or `registrant`. `groups`: the processes of the system under test, by name."""
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as name:
        scratch = Path(name)
        _write_users(scratch, users)
        sides = ["caller", "carrier"] if scenario == "caller" else ["caller"]
        with _carrier(scratch) if "carrier" in sides else _nobody() as carrier:
            before = {group: cpu_seconds(pids) for group, pids in groups.items()}
            machine = Machine.now()
            caller_cpu = _call(scratch, scenario, target, rate, round(rate * seconds))
            spent = {group: cpu_seconds(pids) - before[group] for group, pids in groups.items()}
            machine = Machine.now() - machine
            carrier_cpu = _end(carrier) if carrier else 0.0
        return Trial(
            rate=rate,
            calls=round(rate * seconds),
            succeeded=int(_last_row(scratch / "caller.csv").get("SuccessfulCall(C)", 0)),
            retransmissions=sum(_retransmissions(scratch, side) for side in sides),
            cpu_seconds=spent | {"sipp": caller_cpu + carrier_cpu},
            machine=machine,
            ring_ms=list(_response_times(scratch)),
            unexpected=_unexpected(scratch),
        )


def _write_users(scratch: Path, users: Sequence[User]) -> None:
    lines = [f"{user.name};{user.password};{user.called};" for user in users]
    (scratch / "users.csv").write_text("\n".join(["SEQUENTIAL", *lines, ""]))


def _sipp(scratch: Path, side: str, *arguments: str) -> subprocess.Popen[bytes]:
    first_port, last_port = map(str, SIPP_MEDIA_PORTS)
    run = scratch.name.rpartition("-")[2]  # SIPp counts calls from one, and is process one of its sandbox: make Call-IDs and branches differ
    common = [
        "-nostdin", "-skip_rlimit", "-buff_size", "4000000", "-deadcall_wait", "4000",
        "-trace_stat", "-fd", "1", "-stf", f"{side}.csv", "-trace_counts", "-trace_error_codes",
        "-min_rtp_port", first_port, "-max_rtp_port", last_port, "-key", "domain", DOMAIN, "-key", "run", run, "-cid_str", f"%u-{run}@%s",
    ]  # fmt: skip
    # some of its files SIPp names itself, after the scenario
    argv = ["env", f"--chdir={scratch}", "sipp", "-sf", f"{side}.xml", *arguments, *common]
    command = engine_command(ensure_root("lab"), argv, writable=[scratch], die_with_parent=True)
    with (scratch / f"{side}.log").open("wb") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _call(scratch: Path, scenario: str, target: str, rate: int, calls: int) -> float:
    """Returns SIPp's CPU seconds when the last call has ended, or has had its time."""
    (scratch / "caller.xml").write_bytes((SCENARIOS / f"{scenario}.xml").read_bytes())
    where = [f"{target}:{SIP_PORT}", "-i", CALLER, "-mi", CALLER, "-p", str(CALLER_PORT), "-inf", "users.csv"]
    how = ["-r", str(rate), "-m", str(calls), "-l", str(rate * 20), "-timeout", str(round(calls / rate + STRAGGLERS_SECONDS))]
    return _wait(_sipp(scratch, "caller", *where, *how, "-trace_rtt", "-rtt_freq", "1000"), calls / rate + 3 * STRAGGLERS_SECONDS)


@contextmanager
def _nobody() -> Iterator[None]:
    yield None


@contextmanager
def _carrier(scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    (scratch / "carrier.xml").write_bytes((SCENARIOS / "carrier.xml").read_bytes())
    process = _sipp(scratch, "carrier", "-i", CARRIER, "-mi", CARRIER, "-p", str(CARRIER_PORT), "-l", "1000000")
    try:
        _until_listening(process, CARRIER_PORT, scratch / "carrier.log")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def _until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while f":{port:04X} " not in Path("/proc/net/udp").read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"SIPp does not listen:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


def _end(carrier: subprocess.Popen[bytes]) -> float:
    """SIPp writes its last figures and goes when its calls have ended; returns its CPU seconds."""
    for pid in named("sipp", family(carrier.pid)):
        os.kill(pid, signal.SIGUSR1)
    return _wait(carrier, 2.0)


def _wait(process: subprocess.Popen[bytes], patience_seconds: float) -> float:
    deadline = time.monotonic() + patience_seconds
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() > deadline:
            process.kill()
            deadline += READY_SECONDS
        time.sleep(0.02)


def _last_row(path: Path) -> dict[str, str]:
    """SIPp adds a row each second; all are cumulative."""
    with path.open() as file:
        rows = list(csv.reader(file, delimiter=";"))
    return dict(zip(rows[0], rows[-1], strict=False)) if len(rows) > 1 else {}


def _retransmissions(scratch: Path, side: str) -> int:
    """Sent and received."""
    return sum(
        int(count)
        for path in scratch.glob(f"{side}_*_counts.csv")
        for name, count in _last_row(path).items()
        if name.endswith("_Retrans")
    )


def _response_times(scratch: Path) -> Iterator[float]:
    for path in scratch.glob("caller_*_rtt.csv"):
        with path.open() as file:
            yield from (float(row[1]) for row in csv.reader(file, delimiter=";") if len(row) > 2 and row[1][:1].isdigit())


def _unexpected(scratch: Path) -> Counter[str]:
    """A row for each second: moment; seconds since the start; statuses with commas between them."""
    found: Counter[str] = Counter()
    for path in scratch.glob("caller_*_error_codes.csv"):
        for line in path.read_text().splitlines():
            found.update(status for status in line.split(";")[-1].split(",") if status.isdigit())
    return found
