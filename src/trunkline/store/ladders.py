"""What went over the wire of calls: a file of its own beside the store, written by the capture, read by the pages.

Nothing here is worth a sync: after a power failure a ladder may be missing, and a file that can't be read is begun anew. A *leg* is what one side of
a call says and hears; its Call-ID names it, since the two sides have different ones (topology hiding). The leg that we make carries the call's
reference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from trunkline.domain.sip_order import Captured, in_order

SCHEMA = """
CREATE TABLE IF NOT EXISTS leg (id INTEGER PRIMARY KEY, call_id TEXT NOT NULL UNIQUE, call_ref INTEGER, begun_us INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS leg_by_call_ref ON leg (call_ref) WHERE call_ref IS NOT NULL;
CREATE INDEX IF NOT EXISTS leg_by_age ON leg (begun_us);
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, leg_id INTEGER NOT NULL, at_us INTEGER NOT NULL, is_ours INTEGER NOT NULL, peer TEXT NOT NULL, first_line TEXT NOT NULL,
    head TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_by_leg ON message (leg_id, at_us);
CREATE TABLE IF NOT EXISTS pause (from_us INTEGER PRIMARY KEY, until_us INTEGER NOT NULL);
"""
BUSY_TIMEOUT_SECONDS = 5.0
MESSAGES_MAX = 400
"""Of a ladder that is shown."""
RECORDED_CALL_ID = 200
PRUNE_LEGS = 500
DAY_US = 86_400_000_000
BEFORE_US, AFTER_US = 5_000_000, 40_000_000
"""Around a call's record: a first INVITE without password, and a BYE that is repeated until its answer comes."""
FOR_EVER_US = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Ladder:
    """Both legs of a call, each in order. `is_paused`: in this time not all calls were captured, so that messages may be missing."""

    caller: Sequence[Captured]
    callee: Sequence[Captured]
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which call: its reference and its caller's Call-ID. `caller_host`: only what the caller's leg exchanged with this host, since a Call-ID is
    the caller's to choose; empty: with any."""

    call_ref: int
    call_id: str
    caller_host: str
    started_us: int
    ended_us: int


class LadderFile:
    """The writer: one process. Every method raises `sqlite3.Error` when the file can't be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = _opened(path)

    def close(self) -> None:
        self._connection.close()

    def find_leg(self, call_id: str) -> int | None:
        found = self._connection.execute("SELECT id FROM leg WHERE call_id = ?", (call_id,)).fetchone()
        return found[0] if found else None

    def begin_leg(self, call_id: str, begun_us: int) -> int:
        return self._connection.execute("INSERT INTO leg (call_id, begun_us) VALUES (?, ?) RETURNING id", (call_id, begun_us)).fetchone()[0]  # type: ignore[no-any-return]

    def name_leg(self, leg_id: int, call_ref: int) -> None:
        self._connection.execute("UPDATE leg SET call_ref = ? WHERE id = ?", (call_ref, leg_id))

    def append(self, messages: Iterable[tuple[int, Captured]]) -> None:
        """By leg. Readers see what was appended, and legs that were begun, after the next `commit`."""
        rows = ((leg, one.at_us, one.is_ours, one.peer, one.first_line, one.head, one.body) for leg, one in messages)
        statement = "INSERT INTO message (leg_id, at_us, is_ours, peer, first_line, head, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._connection.executemany(statement, rows)

    def begin_pause(self, at_us: int, *, joins_within_us: int) -> None:
        """Goes on until `end_pause`. One that ended so shortly before goes on as well."""
        joined = self._connection.execute("UPDATE pause SET until_us = ? WHERE until_us >= ?", (FOR_EVER_US, at_us - joins_within_us))
        if not joined.rowcount:
            self._connection.execute("INSERT OR REPLACE INTO pause VALUES (?, ?)", (at_us, FOR_EVER_US))

    def end_pause(self, at_us: int) -> None:
        self._connection.execute("UPDATE pause SET until_us = ? WHERE until_us = ?", (at_us, FOR_EVER_US))

    def commit(self) -> None:
        self._connection.commit()

    def undo(self) -> None:
        """What was not committed."""
        self._connection.rollback()

    def prune(self, before_us: int, bytes_max: int) -> int:
        """Forget what began before that moment, and the oldest beyond that size; how many legs. One step: to be called again."""
        oldest = "SELECT id FROM leg WHERE begun_us < ? ORDER BY begun_us LIMIT ?"
        limit_us = FOR_EVER_US if self.used_bytes() > bytes_max else before_us
        gone = self._connection.execute(oldest, (limit_us, PRUNE_LEGS)).fetchall()
        self._connection.executemany("DELETE FROM message WHERE leg_id = ?", gone)
        self._connection.executemany("DELETE FROM leg WHERE id = ?", gone)
        self._connection.execute("DELETE FROM pause WHERE until_us < ?", (before_us,))
        self._connection.commit()
        return len(gone)

    def used_bytes(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        return _connected(path)
    except sqlite3.DatabaseError:
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()
        return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(SCHEMA)
    return connection


def read_ladder(path: Path, wanted: Wanted) -> Ladder | None:
    """None: nothing was ever captured here. Raises `sqlite3.Error` when the file can't be read."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
        from_us, until_us = wanted.started_us - BEFORE_US, wanted.ended_us + AFTER_US
        caller = _messages(connection, "call_id BETWEEN ? AND ?", _call_ids(wanted.call_id), (from_us, until_us)) if wanted.call_id else []
        callee = _messages(connection, "call_ref BETWEEN ? AND ?", (wanted.call_ref, wanted.call_ref), (from_us, until_us))
        paused = "SELECT 1 FROM pause WHERE from_us <= ? AND until_us >= ? LIMIT 1"
        is_paused = connection.execute(paused, (wanted.ended_us, wanted.started_us)).fetchone() is not None
    return Ladder([one for one in caller if host_of(one.peer) == wanted.caller_host or not wanted.caller_host], callee, is_paused)


def _call_ids(recorded: str) -> tuple[str, str]:
    """First and last. A record keeps the beginning of a long one."""
    return recorded, recorded if len(recorded) < RECORDED_CALL_ID else f"{recorded}\U0010ffff"


def _messages(connection: sqlite3.Connection, which: str, of: tuple[str, str] | tuple[int, int], time: tuple[int, int]) -> list[Captured]:
    statement = f"""SELECT at_us, is_ours, peer, first_line, head, body FROM message
        WHERE leg_id IN (SELECT id FROM leg WHERE {which}) AND at_us BETWEEN ? AND ? ORDER BY at_us, id LIMIT ?"""  # noqa: S608 - two constants
    found = connection.execute(statement, (*of, *time, MESSAGES_MAX))
    return in_order(Captured(at_us, bool(is_ours), *texts) for at_us, is_ours, *texts in found)


def host_of(peer: str) -> str:
    """`udp:[2001:db8::1]:5060` is at `[2001:db8::1]`."""
    return peer.partition(":")[2].rpartition(":")[0]
