"""`python -m tests.runtime.part_instance NAME...`: a supervisor of some of an instance's processes, with real engines, to be killed."""

from __future__ import annotations

import asyncio
import sys

from trunkline.runtime.processes import instance_processes
from trunkline.runtime.settings import load_settings
from trunkline.runtime.status import sole_supervisor
from trunkline.runtime.supervisor import Supervisor


def say(text: str) -> None:
    print(text, flush=True)


def main(names: list[str]) -> None:
    settings = load_settings()
    specs = [spec for spec in instance_processes(settings) if spec.name in names]
    with sole_supervisor(settings):
        asyncio.run(Supervisor(settings, specs, say, lambda: say("all ready")).run())


if __name__ == "__main__":
    main(sys.argv[1:])
