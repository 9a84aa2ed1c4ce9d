"""Senders of bytes: what anybody on the Internet can do to an open port, without a SIP stack that would be too polite for it."""

from __future__ import annotations

import re
import secrets
import select
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

Address = tuple[str, int]
STATUS = re.compile(rb"^SIP/2\.0 (\d{3})")
SILENCE = "silence"
LARGEST = 65535


def addresses() -> Iterator[str]:
    """Each a stranger of its own: whoever sends much from one address is not answered any more."""
    for number in range(1, 1 << 16):
        yield f"127.66.{number >> 8}.{number & 0xFF}"


class Sender:
    """A UDP socket of one address; port 0: any."""

    def __init__(self, server: Address, host: str = "127.66.0.1", port: int = 0) -> None:
        self._server = server
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self.host, self.port = self._socket.getsockname()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._server)

    def answers(self, within: float = 0.5, most: int = 1000) -> list[bytes]:
        """What has come back when the time is over, or when `most` have come."""
        deadline = time.monotonic() + within
        found: list[bytes] = []
        while len(found) < most and (left := deadline - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0]:
                found.append(self._socket.recv(LARGEST))
        return found

    def ask(self, data: bytes, within: float = 0.5) -> str:
        """The first final answer's status, or `SILENCE`."""
        self.send(data)
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            for answer in self.answers(left, most=1):
                if (status := status_of(answer)) >= 200:
                    return str(status)
        return SILENCE


def status_of(answer: bytes) -> int:
    found = STATUS.match(answer)
    return int(found[1]) if found else 0


def ask_over_tcp(server: Address, data: bytes, within: float = 1.0) -> bytes:
    """All that comes back on a connection of its own, until it is closed, an answer is complete or the time is over."""
    deadline = time.monotonic() + within
    found = b""
    with socket.create_connection(server, timeout=within) as connection:
        connection.sendall(data)
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                piece = connection.recv(LARGEST)
            except (TimeoutError, ConnectionResetError):
                break
            if not piece:
                break
            found += piece
            if any(int(status) >= 200 for status in re.findall(rb"SIP/2\.0 (\d{3})", found)) and b"\r\n\r\n" in found:
                break
    return found


def request(method: str, uri: str, *, via: str = "", headers: Iterable[tuple[str, str | bytes]] = (), body: bytes = b"") -> bytes:
    """A request with the mandatory headers; `headers` replaces ours by name (None of ours is kept twice), and "" leaves one out."""
    ident = secrets.token_hex(8)
    ours: dict[str, str | bytes] = {
        "Via": via or f"SIP/2.0/UDP 127.66.0.1;rport;branch=z9hG4bK{ident}",
        "Max-Forwards": "70",
        "From": f"<sip:stranger@example.net>;tag={ident}",
        "To": f"<{uri}>",
        "Call-ID": ident,
        "CSeq": f"1 {method}",
        "Contact": "<sip:stranger@127.66.0.1>",
        "Content-Length": str(len(body)),
    }
    given = list(headers)
    names = {name.lower() for name, _ in given}
    kept = [(name, value) for name, value in ours.items() if name.lower() not in names]
    lines = [name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in [*kept, *given] if value]
    return f"{method} {uri} SIP/2.0\r\n".encode() + b"\r\n".join(lines) + b"\r\n\r\n" + body


def tally(statuses: Iterable[str]) -> dict[str, int]:
    """How often each answer came, for the record."""
    return dict(sorted(Counter(statuses).items()))
