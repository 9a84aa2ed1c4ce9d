"""Logs that processes write themselves, and that stay small."""

from __future__ import annotations

import subprocess
from pathlib import Path

from trunkline.runtime.logs import log_tail, rotate


def test_a_rotated_log_goes_on_where_its_writer_is(tmp_path: Path) -> None:
    log = tmp_path / "echo.log"
    with log.open("ab") as output, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=output) as writer:
        assert writer.stdin is not None
        for text in (b"one\n", b"two\n", b"three\n", b"four\n", b"five\n"):
            size = log.stat().st_size
            writer.stdin.write(text)
            writer.stdin.flush()
            while log.stat().st_size == size:
                assert writer.poll() is None
            rotate(log)
        writer.stdin.close()
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {"echo.log": "", "echo.log.1": "five\n", "echo.log.2": "four\n", "echo.log.3": "three\n"}


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert "printed nothing" in log_tail(log)
    log.write_text("\n".join(str(number) for number in range(5000)), encoding="utf-8")
    assert log_tail(log, lines=2) == "  4998\n  4999"
