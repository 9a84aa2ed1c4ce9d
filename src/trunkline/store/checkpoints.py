"""SQLite's checkpoints, taken off the hot path.

A commit appends to the write-ahead log; now and then what is in the log must be copied into the database file. SQLite does that in the commit that
finds the log long: a tenth of a second, in which nobody's call is answered. Here another connection does it, every second, while commits go on.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import structlog
from django.db import connection

log = structlog.get_logger()

EVERY_SECONDS = 1.0
PASSES_MAX = 4
"""Commits go on meanwhile. Only when all is copied does the log begin anew, so what came in the first pass is copied in the next ones."""
LOG_PAGES_MAX = 32_768
"""From 128 MiB on a commit does it after all: the disk must not fill up should this fail."""


def take_over_checkpoints() -> None:
    """From the present thread's connection, for as long as this process lives. PostgreSQL does all this by itself."""
    if connection.vendor != "sqlite":
        return
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES_MAX}")
    path = Path(connection.settings_dict["NAME"])
    threading.Thread(target=_run, args=(path,), name="checkpoints", daemon=True).start()


def _run(path: Path) -> None:
    own = sqlite3.connect(path, isolation_level=None)
    pause = threading.Event()
    while not pause.wait(EVERY_SECONDS):
        try:
            copy_log(own)
        except sqlite3.OperationalError as problem:  # the disk is full, say: the next commit tells, this tries again
            log.warning("no checkpoint", problem=str(problem))


def copy_log(own: sqlite3.Connection) -> bool:
    """Copy what is in the log into the database, beside readers and writers. True: all of it; the next commit begins the log anew."""
    for _ in range(PASSES_MAX):
        _, in_log, copied = own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if in_log == copied:
            return True
    return False
