"""The socket on which the edge asks."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from trunkline.callcontrol.protocol import LARGEST_MESSAGE
from trunkline.callcontrol.questions import QuestionSocket


@pytest.fixture
def control(short_tmp_path: Path) -> Iterator[QuestionSocket]:
    made = QuestionSocket.bind(short_tmp_path / "callcontrol.sock")
    yield made
    made.close()


@pytest.fixture
def asker(short_tmp_path: Path) -> Iterator[socket.socket]:
    path = short_tmp_path / "asker.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as made:
        made.bind(str(path))
        yield made
    path.unlink()


def received(asker: socket.socket) -> list[int]:
    numbers = []
    while True:
        try:
            numbers.append(json.loads(asker.recv(4096))["n"])
        except BlockingIOError:
            return numbers


def test_an_asker_whose_queue_is_full_gets_the_rest_later(control: QuestionSocket, asker: socket.socket) -> None:
    for number in range(100):
        control.answer([(asker.getsockname(), {"n": number})])
    numbers = received(asker)
    assert 0 < len(numbers) < 100, "the kernel queues only some"
    for _ in range(100):
        control.receive()
        numbers += received(asker)
    assert numbers == list(range(100))


def test_nobody_waits_for_an_asker_that_is_gone(control: QuestionSocket, asker: socket.socket) -> None:
    address = asker.getsockname()
    for number in range(100):
        control.answer([(address, {"n": number})])
    asker.close()
    control.receive()
    control.answer([(address, {"n": 100})])
    assert not control._unsent


def test_answers_of_one_turn_share_datagrams(control: QuestionSocket, asker: socket.socket, short_tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
        other.bind(str(short_tmp_path / "other.sock"))
        padding = "x" * (LARGEST_MESSAGE // 5)
        control.answer((made.getsockname(), {"n": number, "padding": padding}) for number in range(10) for made in (asker, other))
        for made in (asker, other):
            datagrams = [made.recv(LARGEST_MESSAGE) for _ in range(3)]
            assert [len(lines.split(b"\n")) for lines in datagrams] == [4, 4, 2]
            assert [json.loads(line)["n"] for lines in datagrams for line in lines.split(b"\n")] == list(range(10))
