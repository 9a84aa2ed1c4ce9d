"""Blocks of ports: nobody else's, and really free."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.ports import TAKEN, PortBlock, PortTakenError, assert_done, in_free_ports
from trunkline.runtime import supervisor


def test_no_two_have_a_port_in_common() -> None:
    with PortBlock() as one, PortBlock() as other:
        assert one.first != other.first
        assert one.network != other.network
        taken = [one.take() for _ in range(50)]
        assert not set(taken) & set(range(*one.media))
        assert {port % 2 for port in taken} == {0}


def test_a_block_with_a_taken_port_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with PortBlock() as block, PortBlock() as free:
        port, first, next_one = block.take(), block.first, free.first
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.9", port))
        monkeypatch.setattr("tests.ports.FIRST_PORTS", (first,))
        with pytest.raises(AssertionError, match="ss -lntup"):
            PortBlock()
        monkeypatch.setattr("tests.ports.FIRST_PORTS", (first, next_one))
        with PortBlock() as other:
            assert other.first == next_one


def test_what_finds_a_stranger_on_its_port_starts_once_more() -> None:
    said = [f"kamailio does not start: udp 127.0.0.1:1 is {TAKEN}", ""]
    started: list[str] = []

    def start() -> str:
        started.append(said[len(started)])
        assert_done(subprocess.CompletedProcess(["up"], bool(started[-1]), "", started[-1]))
        return "up"

    assert in_free_ports(start) == "up"
    assert len(started) == 2
    with pytest.raises(AssertionError, match="no such thing") as told:
        assert_done(subprocess.CompletedProcess(["up"], 1, "", "no such thing"))
    assert not isinstance(told.value, PortTakenError)


def test_its_words_are_the_supervisor_s() -> None:
    assert TAKEN in Path(supervisor.__file__).read_text(encoding="utf-8")
