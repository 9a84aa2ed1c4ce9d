"""A process that dies between any two statements: the transaction is gone, and all that it had in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection


class Crash(BaseException):
    """Nobody catches this: what runs has no time to tidy up."""


class Fuse:
    """Burns by one with each statement, of the ORM and of the hot path; at its end comes the crash."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.crashes = 0

    def light(self, statements: int) -> None:
        self.left = statements

    def put_out(self) -> None:
        self.left = None

    def burn(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            self.crashes += 1
            raise Crash

    def around(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """For `connection.execute_wrapper`. Before the first statement of the next transaction is after the commit of this one."""
        self.burn()
        return execute(sql, params, many, context)


class RawConnection:
    """The hot path's connection, with a fuse: it may die before a statement, and right after a COMMIT."""

    def __init__(self, raw: Any, fuse: Fuse) -> None:
        self._raw, self._fuse = raw, fuse

    def execute(self, sql: str, *parameters: Any) -> Any:
        self._fuse.burn()
        done = self._raw.execute(sql, *parameters)
        if sql == "COMMIT":
            self._fuse.burn()
        return done

    def cursor(self) -> RawCursor:
        return RawCursor(self._raw.cursor(), self._fuse)


class RawCursor:
    def __init__(self, cursor: Any, fuse: Fuse) -> None:
        self._cursor, self._fuse = cursor, fuse

    def executemany(self, sql: str, rows: Any) -> Any:
        self._fuse.burn()
        return self._cursor.executemany(sql, rows)

    def close(self) -> None:
        self._cursor.close()


def start_again() -> None:
    """A new process with a new connection. It crashes, but the machine does not: nothing has to reach the disk."""
    connection.close()
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        connection.connection.execute("PRAGMA synchronous = OFF")
