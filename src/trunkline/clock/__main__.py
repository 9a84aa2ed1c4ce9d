"""`python -m trunkline.clock`: the clock of an instance."""

from __future__ import annotations

import os
import sys

import django

from trunkline.runtime.own_process import log_json, when_asked_to_end
from trunkline.runtime.settings import load_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trunkline.store.settings")
django.setup()

from trunkline.clock.loop import Loop  # noqa: E402
from trunkline.clock.sweeps import all_sweeps  # noqa: E402
from trunkline.store import clock  # noqa: E402


def main() -> int:
    """Run until SIGTERM or SIGINT; the event in hand is finished first."""
    log_json()
    loop = Loop(all_sweeps(), clock.now, load_settings().clock_beat)
    when_asked_to_end(loop.stopping.set)
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
