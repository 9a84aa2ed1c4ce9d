"""UDP, TCP and TLS sockets of an agent. They carry bytes; what the bytes mean is the agent's business."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from tests.siptest.inbox import WAIT_SECONDS
from tests.siptest.message import StreamFramer

CLOSE_SECONDS = 1.0


class Peer(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Receiver = Callable[[bytes, Peer], None]


class Wire(ABC):
    """`local` is where we listen; it goes into Via and Contact."""

    transport: str
    reliable: bool
    local: Peer

    def __init__(self, transport: str, receiver: Receiver) -> None:
        self.transport = transport
        self.reliable = transport != "udp"
        self._receiver = receiver

    @abstractmethod
    async def send(self, data: bytes, peer: Peer) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...


class UdpWire(Wire, asyncio.DatagramProtocol):
    _socket: asyncio.DatagramTransport

    @classmethod
    async def open(cls, receiver: Receiver, host: str, port: int) -> UdpWire:
        loop = asyncio.get_running_loop()
        wire = cls("udp", receiver)
        wire._socket, _ = await loop.create_datagram_endpoint(lambda: wire, local_addr=(host, port))
        wire.local = Peer(*wire._socket.get_extra_info("sockname")[:2])
        return wire

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._receiver(data, Peer(addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """An ICMP "port unreachable" is what a test with a dead peer provokes; its time-out tells."""

    async def send(self, data: bytes, peer: Peer) -> None:
        self._socket.sendto(data, peer)

    async def close(self) -> None:
        self._socket.close()


class StreamWire(Wire):
    """Listens, and opens a connection to each peer that it sends to; answers go back on the same connection."""

    def __init__(self, transport: str, receiver: Receiver, client_tls: ssl.SSLContext | None) -> None:
        super().__init__(transport, receiver)
        self._client_tls = client_tls
        self._writers: dict[Peer, asyncio.StreamWriter] = {}
        self._readers: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        receiver: Receiver,
        host: str,
        port: int,
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> StreamWire:
        wire = cls("tls" if client_tls else "tcp", receiver, client_tls)
        wire._server = await asyncio.start_server(wire._accepted, host, port, ssl=server_tls)
        wire.local = Peer(*wire._server.sockets[0].getsockname()[:2])
        return wire

    _server: asyncio.Server

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._adopt(Peer(*writer.get_extra_info("peername")[:2]), reader, writer)

    def _adopt(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers[peer] = writer
        task = asyncio.create_task(self._read(peer, reader))
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)

    async def _read(self, peer: Peer, reader: asyncio.StreamReader) -> None:
        framer = StreamFramer()
        try:
            while data := await reader.read(65536):
                for message in framer.feed(data):
                    self._receiver(message, peer)
        except ConnectionError:
            pass  # a reset is an end like any other: the next send opens a new connection
        self._writers.pop(peer).close()

    def connected_to(self, peer: Peer) -> bool:
        return peer in self._writers

    async def send(self, data: bytes, peer: Peer) -> None:
        if peer not in self._writers:
            async with asyncio.timeout(WAIT_SECONDS):
                self._adopt(peer, *await asyncio.open_connection(*peer, ssl=self._client_tls))
        self._writers[peer].write(data)

    async def drop(self, peer: Peer) -> None:
        """Close the connection to one peer, as a PBX that lost its network would."""
        self._writers[peer].close()

    async def close(self) -> None:
        self._server.close()
        for task in list(self._readers):
            task.cancel()
        for writer in list(self._writers.values()):
            writer.close()
            with suppress(OSError, TimeoutError):  # the other side may be gone, or slow to say goodbye
                await asyncio.wait_for(writer.wait_closed(), CLOSE_SECONDS)
