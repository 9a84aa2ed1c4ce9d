"""The datagram socket on which the edge asks."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from trunkline.callcontrol import metrics
from trunkline.callcontrol.protocol import LARGEST_MESSAGE, NotUnderstoodError, Question, decode_question, encode

log = structlog.get_logger()
MOST_AT_ONCE = 500
BUFFER_BYTES = 4 << 20
MOST_UNSENT = 5000

Answer = tuple[Any, dict[str, Any]]
"""The address of who asked, and what he is told."""


@dataclass(slots=True)
class QuestionSocket:
    """Bound at `path`; the file of an earlier process is replaced."""

    socket: socket.socket
    _unsent: deque[tuple[Any, bytes]] = field(default_factory=lambda: deque(maxlen=MOST_UNSENT))

    @classmethod
    def bind(cls, path: Path) -> QuestionSocket:
        """Open the socket, readable by its owner only."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        path.unlink(missing_ok=True)
        made.bind(str(path))
        path.chmod(0o600)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        return cls(made)

    def receive(self) -> list[tuple[Question, Any]]:
        """What has been asked, with the address to answer to. A message that does not fit is logged and not answered."""
        self._send_again()
        questions: list[tuple[Question, Any]] = []
        while len(questions) < MOST_AT_ONCE:
            try:
                data, address = self.socket.recvfrom(LARGEST_MESSAGE)
            except BlockingIOError:
                break
            try:
                questions.append((decode_question(data), address))
            except NotUnderstoodError as problem:
                metrics.NOT_UNDERSTOOD.inc()
                log.warning("question not understood", problem=str(problem), data=data[:200])
        return questions

    def answer(self, answers: Iterable[Answer]) -> None:
        """An asker that is gone does not wait for his; one whose queue is full gets them with the next `receive`."""
        for address, lines in _packed(answers):
            self._send(address, lines)

    def _send(self, address: Any, data: bytes) -> None:
        try:
            self.socket.sendto(data, address)
        except BlockingIOError:
            self._unsent.append((address, data))
        except (ConnectionRefusedError, FileNotFoundError):
            return

    def _send_again(self) -> None:
        """The kernel queues only ten datagrams for a socket: an asker who is busy must not cost the last of them their calls."""
        for _ in range(len(self._unsent)):
            self._send(*self._unsent.popleft())

    def close(self) -> None:
        """No more questions."""
        self.socket.close()


def _packed(answers: Iterable[Answer]) -> Iterator[tuple[Any, bytes]]:
    """As few datagrams as they fit into, in each a line for each answer."""
    begun: dict[Any, bytes] = {}
    for address, message in answers:
        lines, line = begun.get(address), encode(message)
        if lines is not None and len(lines) + len(line) < LARGEST_MESSAGE:
            line = lines + b"\n" + line
        elif lines is not None:
            yield address, lines
        begun[address] = line
    yield from begun.items()
