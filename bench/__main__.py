"""`make bench`: Trunkline beside bare Kamailio, on this machine, in one run. Progress on stderr, one JSON object last on stdout."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.contest import Say, percentiles
from bench.instance import trunkline_instance
from bench.modes import MODES, Plan, run_mode
from bench.place import reserved
from bench.processes import Machine, machine_facts

VAR = Path(__file__).parents[1] / "var"
"""On a disk: in a temporary directory of memory a commit would cost nothing."""
IDLE_SECONDS = 3.0
SYNCS = 200


def main() -> int:
    wanted = _arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # leave nothing running
    plan = Plan.quick(wanted.seconds) if wanted.quick else Plan.full(wanted.seconds)
    found = bench(plan, [wanted.only] if wanted.only else list(MODES), _silent if wanted.json_only else _to_stderr)
    print(json.dumps(found))
    return 0 if found["audit"]["ok"] else 1


def bench(plan: Plan, modes: list[str], say: Say) -> dict[str, Any]:
    begun = time.monotonic()
    VAR.mkdir(exist_ok=True)
    with reserved(), tempfile.TemporaryDirectory(prefix="bench-", dir=VAR) as name:
        scratch = Path(name)
        say("Starting Trunkline, with a company of its own")
        with trunkline_instance(scratch) as instance:
            machine = machine_facts() | {"busy_when_idle": _busy_when_idle(), "disk_sync_ms": _disk_sync_ms(scratch)}
            found: dict[str, Any] = {"machine": machine}
            for mode in modes:
                found[mode] = run_mode(MODES[mode], instance, plan, scratch, say)
            found["audit"] = instance.audit()
    return found | {"seconds": round(time.monotonic() - begun)}


def _busy_when_idle() -> float:
    """Share of all processors that is busy while nobody calls: Trunkline at rest, and whatever else runs here."""
    before = Machine.now()
    time.sleep(IDLE_SECONDS)
    return round((Machine.now() - before).busy / IDLE_SECONDS / int(str(machine_facts()["processors"])), 3)


def _disk_sync_ms(directory: Path) -> dict[str, float]:
    """What one synced write of a few pages costs here."""
    times = []
    with (directory / "sync").open("wb") as file:
        for _ in range(SYNCS):
            file.write(bytes(8192))
            file.flush()
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    p50, p99 = percentiles(times)
    return {"p50": round(p50, 2), "p99": round(p99, 2)}


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _silent(text: str) -> None:
    pass


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some six minutes, and rough")
    parser.add_argument("--only", choices=list(MODES), help="one mode")
    parser.add_argument("--seconds", type=float, help="length of one trial")
    parser.add_argument("--json-only", action="store_true", help="no progress")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
