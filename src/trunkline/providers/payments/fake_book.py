"""What the fake provider remembers: a small file of its own under TRUNKLINE_HOME, shared by the web workers and the command line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

Row = dict[str, Any]

BUSY_TIMEOUT_SECONDS = 10.0
KINDS = ("payment", "method", "setup", "refund", "dispute", "event")
_TABLE = "CREATE TABLE IF NOT EXISTS thing (number INTEGER PRIMARY KEY, kind TEXT, id TEXT, row TEXT, UNIQUE (kind, id))"


class Book:
    """Rows by kind and id, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, kind: str, ident: str) -> Row | None:
        found = self._connection.execute("SELECT row FROM thing WHERE kind = ? AND id = ?", (kind, ident)).fetchone()
        return None if found is None else json.loads(found[0])

    def put(self, kind: str, **row: Any) -> Row:
        """`row` has its `id`; what was there under it is replaced."""
        self._connection.execute(
            "INSERT INTO thing (kind, id, row) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET row = excluded.row",
            (kind, row["id"], json.dumps(row)),
        )
        return row

    def newest(self, kind: str, most: int = 50) -> list[Row]:
        rows = self._connection.execute("SELECT row FROM thing WHERE kind = ? ORDER BY number DESC LIMIT ?", (kind, most))
        return [json.loads(row) for (row,) in rows]


@contextmanager
def open_book(path: Path) -> Iterator[Book]:
    """Everything inside is written, or nothing; others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)) as connection:
        connection.execute(_TABLE)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield Book(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
