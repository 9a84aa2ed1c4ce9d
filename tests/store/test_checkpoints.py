"""Checkpoints beside a writer: the log is copied, and begins anew instead of growing for ever."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trunkline.store.checkpoints import copy_log

ROWS, PAGE = 200, 4096


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(tmp_path / "t.sqlite3", isolation_level=None, check_same_thread=False)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("PRAGMA wal_autocheckpoint = 1000000")
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB)")
    yield made
    made.close()


def write(writer: sqlite3.Connection, rows: int = ROWS) -> None:
    for _ in range(rows):
        writer.execute("INSERT INTO t (data) VALUES (?)", (bytes(PAGE),))


def test_the_log_begins_anew(writer: sqlite3.Connection, tmp_path: Path) -> None:
    own = sqlite3.connect(tmp_path / "t.sqlite3", isolation_level=None)
    write(writer)
    size = (tmp_path / "t.sqlite3-wal").stat().st_size
    for _ in range(5):
        assert copy_log(own)
        write(writer)
    assert (tmp_path / "t.sqlite3-wal").stat().st_size <= size * 1.2
    own.close()


def test_a_reader_that_stays_holds_up_nothing_but_the_copying(writer: sqlite3.Connection, tmp_path: Path) -> None:
    reader = sqlite3.connect(tmp_path / "t.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM t").fetchone()
    write(writer)
    own = sqlite3.connect(tmp_path / "t.sqlite3", isolation_level=None)
    assert not copy_log(own)
    reader.execute("COMMIT")
    assert copy_log(own)
    assert own.execute("SELECT count(*) FROM t").fetchone() == (ROWS,)
    own.close()
    reader.close()


def test_commits_go_on_meanwhile(writer: sqlite3.Connection, tmp_path: Path) -> None:
    own = sqlite3.connect(tmp_path / "t.sqlite3", isolation_level=None)
    thread = threading.Thread(target=write, args=(writer, 1000))
    thread.start()
    while thread.is_alive():
        copy_log(own)
    thread.join()
    assert copy_log(own)
    assert own.execute("SELECT count(*) FROM t").fetchone() == (1000,)
    own.close()
