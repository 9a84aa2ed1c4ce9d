"""What each process printed: `log/<process>.log`, kept small.

Processes write to their file themselves, so that they need no reader to live. A file that has grown too big is therefore copied and then
emptied; the few lines of that moment may be lost.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

LOG_BYTES_MAX = 10 * 1024 * 1024
FORMER_LOGS = 3
LOOK_SECONDS = 5.0
TAIL_BYTES = 8192


async def keep_logs_small(directory: Path) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for log in directory.glob("*.log"):
            if log.stat().st_size > LOG_BYTES_MAX:
                rotate(log)


def rotate(log: Path) -> None:
    for number in range(FORMER_LOGS, 1, -1):
        former = log.with_name(f"{log.name}.{number - 1}")
        if former.exists():
            former.replace(log.with_name(f"{log.name}.{number}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as opened:
        opened.truncate(0)


def log_tail(log: Path, lines: int = 12) -> str:
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = opened.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return "(it has printed nothing)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
