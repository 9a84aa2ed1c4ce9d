"""How large the store is."""

from __future__ import annotations

from pathlib import Path

from django.db import connection


def store_bytes() -> int:
    """On disk; of SQLite with the log that is not in the database file yet."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            (size,) = cursor.fetchone()
            return int(size)
    database = Path(str(connection.settings_dict["NAME"]))
    files = (database, database.with_name(f"{database.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
