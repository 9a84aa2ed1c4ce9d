"""SIPp as the PBXs and as the carrier: started, watched, and its CPU time taken when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.place import CALLER, CALLER_PORTS, CARRIER, CARRIER_PORT, DOMAIN, SIP_PORT, SIPP_MEDIA_PORTS
from bench.processes import family, named
from trunkline.runtime.engine_root import ensure_root
from trunkline.runtime.sandbox import engine_command

SCENARIOS = Path(__file__).parent / "scenarios"
STRAGGLERS_SECONDS = 5
"""How long after the last call was begun the caller waits for calls to end."""
CARRIER_PATIENCE_SECONDS = 2.0
READY_SECONDS = 5.0
POLL_SECONDS = 0.02

Process = subprocess.Popen[bytes]


def call(directories: Sequence[Path], scenario: str, target: str, *, rate: int, calls: int) -> float:
    """CPU seconds of the SIPps, one in each directory, when the last call has ended or has had its time."""
    shares = list(zip(directories, _shares(rate, len(directories)), _shares(calls, len(directories)), strict=True))
    processes = [
        _call(number, directory, scenario, target, rate=each, calls=count) for number, (directory, each, count) in enumerate(shares)
    ]
    return sum(_cpu_seconds_at_end(process, calls / rate + 3 * STRAGGLERS_SECONDS) for process in processes)


def _shares(whole: int, parts: int) -> list[int]:
    return [(whole + number) // parts for number in range(parts)]


def _call(number: int, directory: Path, scenario: str, target: str, *, rate: int, calls: int) -> Process:
    return _start(
        directory, "caller", scenario, f"{target}:{SIP_PORT}", "-i", CALLER, "-mi", CALLER, "-p", str(CALLER_PORTS[number]),
        "-inf", "../users.csv", "-r", str(rate), "-m", str(calls), "-l", str(rate * 20),
        "-timeout", str(round(calls / rate + STRAGGLERS_SECONDS)), "-trace_rtt", "-rtt_freq", "1000",
    )  # fmt: skip


@contextmanager
def carrier(directory: Path) -> Iterator[Process]:
    """Rings and answers whoever calls, until the end of the block or of `hang_up`."""
    process = _start(directory, "carrier", "carrier", "-i", CARRIER, "-mi", CARRIER, "-p", str(CARRIER_PORT), "-l", "1000000")
    try:
        _until_listening(process, directory / "carrier.log")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def hang_up(process: Process) -> float:
    """SIPp writes its last figures, and goes when its calls have ended; returns its CPU seconds."""
    for pid in named("sipp", family(process.pid)):
        os.kill(pid, signal.SIGUSR1)
    return _cpu_seconds_at_end(process, CARRIER_PATIENCE_SECONDS)


def _start(directory: Path, side: str, scenario: str, *arguments: str) -> Process:
    (directory / f"{side}.xml").write_bytes((SCENARIOS / f"{scenario}.xml").read_bytes())
    first_port, last_port = map(str, SIPP_MEDIA_PORTS)
    # SIPp counts its calls from one, and is process one of its sandbox: without this, Call-IDs and branches would be those of the last trial
    run = directory.parent.name.rpartition("-")[2] + directory.name
    argv = [
        "env", f"--chdir={directory}",  # where SIPp puts the files that it names itself
        "sipp", "-sf", f"{side}.xml", *arguments, "-key", "domain", DOMAIN, "-key", "run", run, "-cid_str", f"%u-{run}@%s",
        "-nostdin", "-skip_rlimit", "-buff_size", "4000000", "-deadcall_wait", "4000", "-min_rtp_port", first_port, "-max_rtp_port", last_port,
        "-trace_stat", "-fd", "1", "-stf", f"{side}.csv", "-trace_counts", "-trace_error_codes",
    ]  # fmt: skip
    command = engine_command(ensure_root("lab"), argv, writable=[directory.parent], die_with_parent=True)
    with (directory / f"{side}.log").open("wb") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _until_listening(process: Process, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while f":{CARRIER_PORT:04X} " not in Path("/proc/net/udp").read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"SIPp does not listen:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(POLL_SECONDS)


def _cpu_seconds_at_end(process: Process, patience_seconds: float) -> float:
    """Killed when it takes too long."""
    deadline = time.monotonic() + patience_seconds
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() > deadline:
            process.kill()
            deadline += READY_SECONDS
        time.sleep(POLL_SECONDS)
