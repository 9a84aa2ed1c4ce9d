"""How the store is opened: SQLite with durable commits, or a PostgreSQL by its URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

BUSY_TIMEOUT_SECONDS = 20
CONNECT_TIMEOUT_SECONDS = 5
KEEP_SECONDS = 60  # a web request finds the connection of the one before


def database_from(url: str, sqlite_path: Path) -> dict[str, Any]:
    return _postgresql(url) if url else _sqlite(sqlite_path)


def _sqlite(path: Path) -> dict[str, Any]:
    """The write lock is taken at BEGIN, so that no transaction fails half-way on its first write; every commit reaches the disk."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": KEEP_SECONDS,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": BUSY_TIMEOUT_SECONDS,
            # recursive_triggers: else INSERT OR REPLACE would delete a posting without its trigger
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    given = conninfo_to_dict(url)
    named = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{django: given.pop(libpq, "") or "" for django, libpq in named.items()},
        "CONN_MAX_AGE": KEEP_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT_SECONDS} | given,
    }
