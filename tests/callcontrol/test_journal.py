"""Reading the edge's journals, where it is about files only. What becomes of the lines is in test_daemon."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from trunkline.callcontrol.journal import JournalReader


def segment(directory: Path, worker: int) -> Path:
    return directory / f"00000000000000000001-{worker:06d}-000000.jsonl"


def test_a_file_made_in_the_same_tick_as_the_one_before_is_found(tmp_path: Path) -> None:
    """The clock of file systems is coarse: the directory's time does not show the second file."""
    reader = JournalReader(tmp_path, {})
    segment(tmp_path, 1).write_text("one\n")
    tick_ns = tmp_path.stat().st_mtime_ns
    assert reader.read() == [b"one"]
    reader.advance()
    segment(tmp_path, 2).write_text("two\n")
    os.utime(tmp_path, ns=(tick_ns, tick_ns))
    assert reader.read() == [b"two"]


def test_a_long_journal_is_read_in_pieces_and_one_knows_when_there_is_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trunkline.callcontrol.journal.CHUNK_BYTES", 10)
    reader = JournalReader(tmp_path, {})
    segment(tmp_path, 1).write_text("one\ntwo\nthree\n")
    read = []
    for is_behind in (True, False, False):
        read.append(reader.read())
        reader.advance()
        assert reader.is_behind is is_behind
    assert read == [[b"one", b"two"], [b"three"], []]


def test_a_quiet_directory_is_not_listed_again(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path, {})
    long_ago_ns = time.time_ns() - 10**10
    os.utime(tmp_path, ns=(long_ago_ns, long_ago_ns))
    assert reader.read() == []
    segment(tmp_path, 1).write_text("one\n")
    os.utime(tmp_path, ns=(long_ago_ns, long_ago_ns))
    assert reader.read() == [], "the test would see it if it were"
