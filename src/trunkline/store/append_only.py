"""Tables whose rows are never changed and never deleted: the database itself refuses.

On SQLite a migration that alters such a table makes it anew and loses its triggers: call `protect` again at its end. A test and
the audit look whether all triggers are there.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("store_posting", "store_callrecord", "store_auditentry", "store_statementhead")

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {table}_{event}_refused BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION store_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_POSTGRESQL = """
CREATE OR REPLACE TRIGGER {table}_{event}_refused BEFORE {event} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION store_append_only()
"""


def protect(connection: BaseDatabaseWrapper) -> None:
    """Every table that is there; a migration that brings another one calls it again."""
    with connection.cursor() as cursor:
        there = connection.introspection.table_names(cursor)
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_FUNCTION)
        for table, event in _guards(connection):
            if table not in there:
                continue
            statement = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
            cursor.execute(statement.format(table=table, event=event))


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Triggers that ought to be there and are not."""
    names = {
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    }
    with connection.cursor() as cursor:
        cursor.execute(names[connection.vendor])
        found = {name.lower() for (name,) in cursor.fetchall()}
    wanted = [f"{table}_{event}_refused".lower() for table, event in _guards(connection)]
    return [name for name in wanted if name not in found]


def protect_in_migration(apps: Any, schema_editor: Any) -> None:
    protect(schema_editor.connection)


def _guards(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    events = ("UPDATE", "DELETE", "TRUNCATE") if connection.vendor == "postgresql" else ("UPDATE", "DELETE")
    return [(table, event) for table in TABLES for event in events]
