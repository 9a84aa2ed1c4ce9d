"""`python -m bench.profile_edge`: where Kamailio's and call control's CPU time goes, by `perf` (Debian: linux-perf; as root).

Shared objects and symbols of C code. What Python does inside call control, by function: `py-spy record --pid PID` (it is no dependency of ours).
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.bare import bare_system
from bench.contest import Contender, described
from bench.instance import trunkline_instance

SAMPLES_PER_SECOND = 997
SYMBOLS_SHOWN = 40
PERF_TIMEOUT_SECONDS = 120
WARM_UP_SECONDS = 3.0
GROUPS = ("kamailio", "callcontrol", "rtpengine")


def main() -> int:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="trunkline-profile-") as name:
        scratch = Path(name)
        with _contender(wanted.system, wanted.scenario, wanted.media, scratch) as contender:
            contender.warm_up(wanted.scenario, WARM_UP_SECONDS, print)
            with ExitStack() as recording:
                for group in _busy(contender):
                    recording.enter_context(_recording(scratch / f"{group}.perf", contender.groups[group]))
                trial = contender.attempt(wanted.scenario, wanted.rate, wanted.seconds, lambda text: None)
            print(described(trial))
            for group in _busy(contender):
                print(f"\n{group}, {trial.cpu_ms_per_call()[group]} ms of CPU per call\n{_report(scratch / f'{group}.perf')}")
    return 0


def _busy(contender: Contender) -> list[str]:
    return [group for group in GROUPS if group in contender.groups]


@contextmanager
def _contender(system: str, scenario: str, media: str, scratch: Path) -> Iterator[Contender]:
    if system == "trunkline":
        with trunkline_instance(scratch) as instance:
            yield Contender(system, instance.address, instance.users[media], instance.groups)
    else:
        hiding = ["HIDING"] if system == "bare" else []
        parts = ["REGISTER"] if scenario == "registrant" else ["MEDIA"] if media == "relay" else []
        with bare_system(scratch, *hiding, *parts) as bare:
            yield Contender(system, bare.address, bare.users, bare.groups)


@contextmanager
def _recording(path: Path, pids: set[int]) -> Iterator[None]:
    command = ["perf", "record", "-F", str(SAMPLES_PER_SECOND), "-o", str(path), "-p", ",".join(map(str, sorted(pids)))]
    recorder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.wait(PERF_TIMEOUT_SECONDS)


def _report(path: Path) -> str:
    objects = _perf_report(path, "dso")
    symbols = _perf_report(path, "dso,symbol")
    return "\n".join([*objects[:12], "", *symbols[:SYMBOLS_SHOWN]])


def _perf_report(path: Path, keys: str) -> list[str]:
    command = ["perf", "report", "-i", str(path), "--sort", keys, "--stdio"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PERF_TIMEOUT_SECONDS, check=True)
    lines = (line for line in done.stdout.splitlines() if line.strip() and not line.startswith("#"))
    return [line.rstrip().removesuffix("-      -").rstrip() for line in lines]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.profile_edge", description=__doc__)
    parser.add_argument("system", choices=["trunkline", "bare", "minimal"], nargs="?", default="trunkline")
    parser.add_argument("--scenario", choices=["caller", "registrant"], default="caller")
    parser.add_argument("--media", choices=["direct", "relay"], default="direct")
    parser.add_argument("--rate", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=5.0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
