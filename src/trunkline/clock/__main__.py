"""`python -m trunkline.clock`: the clock of an instance."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import django
import structlog

from trunkline.runtime.settings import load_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trunkline.store.settings")
django.setup()

from trunkline.clock.loop import Loop  # noqa: E402
from trunkline.clock.sweeps import all_sweeps  # noqa: E402
from trunkline.store import clock  # noqa: E402


def main() -> int:
    """Run until SIGTERM or SIGINT; the event in hand is finished first."""
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"),
                                    structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])  # fmt: skip
    loop = Loop(all_sweeps(), clock.now, load_settings().clock_beat)

    def stop(signum: int, frame: FrameType | None) -> None:
        loop.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
