"""Reading the store as it was at one moment, while calls go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def snapshot() -> Iterator[CursorWrapper]:
    """A cursor whose statements all see the same moment. Nobody waits for it: on SQLite `atomic` would take the write lock."""
    if connection.in_atomic_block:
        raise RuntimeError("a snapshot begins outside of transactions")
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if postgresql else "BEGIN DEFERRED")
        try:
            yield cursor
        finally:
            cursor.execute("ROLLBACK")
