"""`make bench`: Trunkline beside bare Kamailio, on this machine, in one run. Progress on stderr, one JSON object last on stdout."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.contest import Say
from bench.instance import trunkline_instance
from bench.modes import MODES, Plan, run_mode
from bench.processes import Machine, machine_facts

IDLE_SECONDS = 3.0


def main() -> int:
    wanted = _arguments()
    plan = Plan.quick(wanted.seconds) if wanted.quick else Plan.full(wanted.seconds)
    found = bench(plan, [wanted.only] if wanted.only else list(MODES), _silent if wanted.json_only else _to_stderr)
    print(json.dumps(found))
    return 0 if found["audit"]["ok"] else 1


def bench(plan: Plan, modes: list[str], say: Say) -> dict[str, Any]:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as name:
        scratch = Path(name)
        say("Starting Trunkline, with a company of its own")
        with trunkline_instance(scratch) as instance:
            found: dict[str, Any] = {"machine": machine_facts() | {"busy_when_idle": _busy_when_idle()}}
            for mode in modes:
                found[mode] = run_mode(MODES[mode], instance, plan, scratch, say)
            found["audit"] = instance.audit()
    return found | {"seconds": round(time.monotonic() - begun)}


def _busy_when_idle() -> float:
    """Share of all processors that is busy while nobody calls: Trunkline at rest, and whatever else runs here."""
    before = Machine.now()
    time.sleep(IDLE_SECONDS)
    return round((Machine.now() - before).busy / IDLE_SECONDS / int(str(machine_facts()["processors"])), 3)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _silent(text: str) -> None:
    pass


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under four minutes, and rough")
    parser.add_argument("--only", choices=list(MODES), help="one mode")
    parser.add_argument("--seconds", type=float, help="length of one trial")
    parser.add_argument("--json-only", action="store_true", help="no progress")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
