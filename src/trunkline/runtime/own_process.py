"""What each process of ours does around its loop: its log has one JSON object a line, and it ends when it is asked to."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

import structlog


def log_json() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )


def when_asked_to_end(stop: Callable[[], None]) -> None:
    """By SIGTERM, or by whoever runs it in a terminal."""

    def asked(signum: int, frame: FrameType | None) -> None:
        stop()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)
