"""The lower half of an agent: its socket, its transcript, its transactions, and who gets what arrives."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

from tests.siptest.message import Address, Headers, Message, canonical
from tests.siptest.transaction import Transaction
from tests.siptest.transcript import Transcript
from tests.siptest.wire import Peer, StreamWire, UdpWire, Wire

_MIRRORED = {"via", "from", "call-id", "cseq", "record-route"}
_PHRASES = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 302: "Moved Temporarily", 401: "Unauthorized",
    402: "Payment Required", 403: "Forbidden", 404: "Not Found", 407: "Proxy Authentication Required", 408: "Request Timeout",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 484: "Address Incomplete", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Server Time-out", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


class Endpoint(ABC):
    """`silent` makes it answer nothing at all, like a host that is gone."""

    wire: Wire

    def __init__(
        self,
        *,
        server: tuple[str, int],
        name: str,
        transport: str,
        host: str,
        port: int,
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        self.server = Peer(*server)
        self.transport, self.host, self.port = transport, host, port
        self.server_tls, self.client_tls = server_tls, client_tls
        self.transcript = Transcript(name)
        self.silent = False
        self._transactions: dict[tuple[str, str], Transaction] = {}
        self._replies: dict[tuple[str, str], Message] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failures: list[BaseException] = []

    @abstractmethod
    async def requested(self, message: Message, peer: Peer) -> None:
        """A request that is no repetition has come."""

    # Life

    async def __aenter__(self) -> Self:
        if self.transport == "udp":
            self.wire = await UdpWire.open(self._received, self.host, self.port)
        else:
            self.wire = await StreamWire.open(self._received, self.host, self.port, self.server_tls, self.client_tls)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.wire.close()
        if self._failures and not error:
            raise self._failures[0]

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside the test; what it raises fails the test when the agent is closed."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failures.append(error)

    # Out

    @staticmethod
    def new_id() -> str:
        return secrets.token_hex(8)

    def via(self) -> str:
        return f"SIP/2.0/{self.transport.upper()} {self.wire.local};rport;branch=z9hG4bK{self.new_id()}"

    async def send(self, message: Message, peer: Peer | None = None, note: str = "") -> None:
        await self.send_raw(message.encode(), peer, message, note)

    async def send_raw(self, data: bytes, peer: Peer | None = None, message: Message | None = None, note: str = "") -> None:
        """Any bytes, also those that are no SIP; answers to them are in the transcript."""
        peer = peer or self.server
        self.transcript.add(True, str(peer), data, message, note)
        await self.wire.send(data, peer)

    async def transact(self, request: Message, peer: Peer | None = None) -> Transaction:
        transaction = Transaction(self, request, peer or self.server)
        self._transactions[request.branch, request.method] = transaction
        await transaction.start()
        return transaction

    async def reply(
        self,
        request: Message,
        peer: Peer,
        status: int,
        phrase: str = "",
        *,
        tag: str = "",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Message:
        """Send a response, and again whenever the request is repeated."""
        mirrored: Headers = [pair for pair in request.headers if canonical(pair[0]) in _MIRRORED]
        to = request.get("to")
        if status > 100 and not Address.parse(to).params.get("tag"):
            to += f";tag={tag or self.new_id()}"
        start = f"SIP/2.0 {status} {phrase or _PHRASES.get(status, 'Whatever')}"
        response = Message(start, [*mirrored, ("To", to), *headers], body)
        self._replies[request.branch, request.method] = response
        await self.send(response, peer)
        return response

    # In

    def _received(self, raw: bytes, peer: Peer) -> None:
        if not raw.strip(b"\r\n\0"):
            return  # a keep-alive
        try:
            message = Message.parse(raw)
        except (ValueError, IndexError) as error:
            self.transcript.add(False, str(peer), raw, None, f"  ({error})")
            return
        self.transcript.add(False, str(peer), raw, message)
        if self.silent:
            return
        if not message.is_response:
            self.spawn(self._request(message, peer))
        elif transaction := self._transactions.get((message.branch, message.method)):
            transaction.arrived(message, raw)

    async def _request(self, message: Message, peer: Peer) -> None:
        if earlier := self._replies.get((message.branch, message.method)):
            await self.send(earlier, peer, "  (again)")
        else:
            await self.requested(message, peer)
