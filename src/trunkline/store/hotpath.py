"""The writer of the hot path: a handful of SQL statements that run on both databases (DESIGN D3).

Call control is the only user. One batch is one transaction:

    begin → purses, channel_use (locked, in the order of `store.locks`) → the rules → write → commit

Statements are plain SQL over the driver's own connection, since an ORM call for each row costs more than the whole call may.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import OperationalError, connection

from trunkline.domain.purses import Entry, Purse
from trunkline.store.buckets import UPSERT_MANAGER_USAGE, UPSERT_USAGE, usage_of, usage_of_managers

Row = tuple[Any, ...]

STORE_AWAY = (OperationalError, sqlite3.OperationalError, psycopg.OperationalError, psycopg.InterfaceError)
"""The database can't be reached or can't write: nothing is wrong with what was to be written."""

LIVE_COLUMNS = (
    "call_ref, edge_key, edge, state, direction, caller_profile_id, callee_profile_id, purse_id, revenue_id, "
    "held, paid, increments, admitted_us, answered_us, paid_until_us, facts"
)
MINUTES_COLUMNS = "minutes_id, minutes_held_seconds, minutes_paid_seconds, minutes_increments"
RECORD_COLUMNS = (
    "call_ref, manager_id, profile_id, peer_profile_id, direction, caller, caller_shown, dialled, callee, prefix, destination, country, "
    "carrier_id, started_us, ringing_us, answered_us, ended_us, duration_seconds, billed_seconds, bundle_seconds, rate_per_minute_micros, "
    "connection_fee_micros, first_increment_seconds, next_increment_seconds, cost_micros, paid_by, currency, result, sip_status, "
    "q850_cause, refusal, ended_by, sip_call_id, source, user_agent, trace"
)
REGISTRATION_COLUMNS = (
    "profile_id, contact, source, socket, behind_nat, user_agent, call_id, cseq, since_us, refreshed_us, expires_us, "
    "displaced_contact, displaced_us, srtp_offered"
)


def _insert(table: str, columns: str) -> str:
    marks = ", ".join("?" for _ in columns.split(","))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names, no values


def _upsert(table: str, columns: str, key: str) -> str:
    kept = set(key.split(", "))
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns.split(", ") if name not in kept)
    return f"{_insert(table, columns)} ON CONFLICT ({key}) DO UPDATE SET {updates}"


INSERT_LIVE = _insert("store_livecall", LIVE_COLUMNS)
UPDATE_LIVE = (
    "UPDATE store_livecall SET state = ?, held = ?, paid = ?, increments = ?, answered_us = ?, paid_until_us = ? WHERE call_ref = ?"
)
UPDATE_MINUTES = "UPDATE store_livecall SET " + MINUTES_COLUMNS.replace(",", " = ?,") + " = ? WHERE call_ref = ?"  # noqa: S608
UPDATE_FACTS = "UPDATE store_livecall SET facts = ? WHERE call_ref = ?"
DELETE_LIVE = "DELETE FROM store_livecall WHERE call_ref = ?"
SELECT_PURSES = (
    "SELECT id, balance, held, guarded FROM store_account WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
    "SELECT id, balance, held, guarded FROM store_account WHERE id = ANY(?) ORDER BY id FOR NO KEY UPDATE",
)
SELECT_CHANNELS = (
    "SELECT profile_id, in_use FROM store_channeluse WHERE profile_id IN (SELECT value FROM json_each(?)) ORDER BY profile_id",
    "SELECT profile_id, in_use FROM store_channeluse WHERE profile_id = ANY(?) ORDER BY profile_id FOR NO KEY UPDATE",
)
SELECT_MANAGERS = (
    "SELECT id, manager_id FROM store_profile WHERE id IN (SELECT value FROM json_each(?))",
    "SELECT id, manager_id FROM store_profile WHERE id = ANY(?)",
)
SELECT_LIVE = "SELECT " + LIVE_COLUMNS + ", " + MINUTES_COLUMNS + " FROM store_livecall WHERE edge = ? ORDER BY call_ref"  # noqa: S608
SELECT_REGISTRATIONS = "SELECT " + REGISTRATION_COLUMNS + " FROM store_registration"  # noqa: S608
INSERT_RECORD = _insert("store_callrecord", RECORD_COLUMNS)
INSERT_POSTING = _insert("store_posting", "key, debit_id, credit_id, amount, kind, call_ref, note, posted_us")
UPDATE_PURSE = "UPDATE store_account SET balance = ?, held = ? WHERE id = ?"
UPDATE_CHANNELS = "UPDATE store_channeluse SET in_use = ? WHERE profile_id = ?"
UPSERT_REGISTRATION = _upsert("store_registration", REGISTRATION_COLUMNS, "profile_id")
SRTP_OFFERED = "UPDATE store_registration SET srtp_offered = ? WHERE profile_id = ?"
DELETE_REGISTRATION = "DELETE FROM store_registration WHERE profile_id = ?"
UPSERT_POSITION = _upsert("store_journalposition", "edge, file, offset_bytes", "edge, file")
DELETE_POSITION = "DELETE FROM store_journalposition WHERE edge = ? AND file = ?"
OLD_HA1_USED = "UPDATE store_profile SET old_last_used_at = ? WHERE id = ?"
CARRIER_HEALTH = "UPDATE store_carrier SET up = ?, up_changed_at = ? WHERE id = ?"


@dataclass(slots=True)
class Writes:
    """What one batch changed, as rows in the column order of the statements above."""

    live: list[Row] = field(default_factory=list)
    live_updates: list[Row] = field(default_factory=list)
    minutes: list[Row] = field(default_factory=list)
    facts: list[Row] = field(default_factory=list)
    ended: list[Row] = field(default_factory=list)
    records: list[Row] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    registrations: list[Row] = field(default_factory=list)
    registrations_gone: list[Row] = field(default_factory=list)
    srtp_offered: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)
    positions_gone: list[Row] = field(default_factory=list)
    old_passwords: list[Row] = field(default_factory=list)
    carriers: list[Row] = field(default_factory=list)


class HotPath:
    """The hot path's transactions on Django's connection of this thread."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._raw: Any = connection.connection
        self._is_postgresql = connection.vendor == "postgresql"
        self._manager_of: dict[int, int] = {}

    def begin(self) -> None:
        """Start a transaction. SQLite: take the write lock now; there is one writer."""
        self._raw.execute("BEGIN" if self._is_postgresql else "BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Everything written is on disk when this returns."""
        self._raw.execute("COMMIT")

    def rollback(self) -> None:
        """Nothing was written."""
        self._raw.execute("ROLLBACK")

    def purses(self, account_ids: Iterable[int]) -> dict[int, Purse]:
        """The accounts, locked."""
        rows = self._by_ids(SELECT_PURSES, account_ids)
        return {row[0]: Purse(row[0], row[1], row[2], bool(row[3])) for row in rows}

    def channel_use(self, profile_ids: Iterable[int]) -> dict[int, int]:
        """Channels in use by profile, locked."""
        return dict(self._by_ids(SELECT_CHANNELS, profile_ids))

    def write(self, writes: Writes, purses: Mapping[int, Purse], channels: Mapping[int, int]) -> None:
        """Write a batch. `purses` and `channels`: those that changed."""
        self._many(UPDATE_PURSE, [(p.balance, p.held, p.account_id) for _, p in sorted(purses.items())])
        self._many(UPDATE_CHANNELS, [(count, profile_id) for profile_id, count in sorted(channels.items())])
        self._many(DELETE_LIVE, writes.ended)  # first: the same INVITE may have come again in the same turn
        self._many(INSERT_LIVE, writes.live)
        self._many(UPDATE_LIVE, writes.live_updates)
        self._many(UPDATE_MINUTES, writes.minutes)
        self._many(UPDATE_FACTS, writes.facts)
        self._many(INSERT_POSTING, [_posting(entry) for entry in writes.entries])
        self._many(INSERT_RECORD, writes.records)
        self._write_usage(usage_of(RECORD_COLUMNS, writes.records))
        self._many(UPSERT_REGISTRATION, writes.registrations)
        self._many(DELETE_REGISTRATION, writes.registrations_gone)
        self._many(SRTP_OFFERED, writes.srtp_offered)
        self._many(UPSERT_POSITION, writes.positions)
        self._many(DELETE_POSITION, writes.positions_gone)
        self._many(OLD_HA1_USED, writes.old_passwords)
        self._many(CARRIER_HEALTH, writes.carriers)

    def _write_usage(self, usage: Sequence[Row]) -> None:
        self._many(UPSERT_USAGE, usage)
        self._many(UPSERT_MANAGER_USAGE, usage_of_managers(usage, self._managers_of({row[0] for row in usage})))

    def _managers_of(self, profile_ids: set[int]) -> Mapping[int, int]:
        """Of these, and more; a profile's Manager never changes."""
        if unknown := profile_ids - self._manager_of.keys():
            self._manager_of.update(dict(self._by_ids(SELECT_MANAGERS, unknown)))
        return self._manager_of

    def live_rows(self, edge: str) -> list[Row]:
        """Every live call of an edge, in the order of `LIVE_COLUMNS`, then `MINUTES_COLUMNS`."""
        return self._all(SELECT_LIVE, (edge,))

    def registration_rows(self) -> list[Row]:
        """Every registration, in `REGISTRATION_COLUMNS` order."""
        return self._all(SELECT_REGISTRATIONS, ())

    def positions(self, edge: str) -> dict[str, int]:
        """How far each journal of an edge was read."""
        return dict(self._all("SELECT file, offset_bytes FROM store_journalposition WHERE edge = ?", (edge,)))

    def changes_after(self, change_id: int) -> list[Row] | None:
        """(id, what, ident, sip_user) of the changes since, in order; since 0, before there was any: all.

        None: the one that was read last is gone, and so others may be that were not read (`store.pruning`).
        """
        rows = self._all("SELECT id, what, ident, sip_user FROM store_change WHERE id >= ? ORDER BY id", (change_id,))
        if not change_id:
            return rows
        return rows[1:] if rows and rows[0][0] == change_id else None

    def _by_ids(self, select: tuple[str, str], ids: Iterable[int]) -> list[Row]:
        wanted = sorted(ids)
        if not wanted:
            return []
        for_sqlite, for_postgresql = select
        return self._all(for_postgresql, (wanted,)) if self._is_postgresql else self._all(for_sqlite, (str(wanted),))

    def _all(self, sql: str, parameters: Row) -> list[Row]:
        rows: list[Row] = self._raw.execute(self._dialect(sql), parameters).fetchall()
        return rows

    def _many(self, sql: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        cursor = self._raw.cursor()
        cursor.executemany(self._dialect(sql), rows)
        cursor.close()

    def _dialect(self, sql: str) -> str:
        return sql.replace("?", "%s") if self._is_postgresql else sql


def _posting(entry: Entry) -> Row:
    return (entry.key, entry.debit, entry.credit, entry.amount, entry.kind, entry.call_ref, entry.note, entry.posted_us)
