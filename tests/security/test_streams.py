"""TCP and TLS: garbage, half messages, lies about lengths, crowds of silent connections; and what is no SIP on the UDP port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.security.instance import WholeInstance
from tests.security.people import alpha, carrier, connect, everybody, hang_up
from tests.security.strangers import Sender, ask_over_tcp, request, status_of
from tests.siptest import scenario, untrusting

pytestmark = pytest.mark.engines

CROWD = 400
SILENT_SECONDS = 10
"""How long Kamailio waits for a connection's first message, and for the rest of one (`tcp_msg_data_timeout`, `tcp_msg_read_timeout`)."""
OPTIONS = request("OPTIONS", "sip:x@example.net", via="SIP/2.0/TCP 127.66.0.1;branch=z9hG4bK1")


def with_length(value: str) -> bytes:
    return request("OPTIONS", "sip:x@example.net", via="SIP/2.0/TCP 127.66.0.1;branch=z9hG4bK2", headers=[("Content-Length", value)])


GARBAGE = {
    "MSRP": b"MSRP \r\n\r\n",  # ended the whole of an older Kamailio
    "MSRP with a transaction": b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://x\r\nFrom-Path: msrp://y\r\n\r\n-------a786hjs2$\r\n",
    "MSRP without end": b"MSRP " + b"a" * 4000,
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "WebSocket": b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n"
    b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    "RPC over HTTP": b"POST /RPC HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n"
    b'{"jsonrpc":"2.0","method":"core.kill","id":1}  ',
    "PROXY protocol": b"PROXY TCP4 127.0.0.2 127.0.0.1 5060 5060\r\n" + OPTIONS,
    "PROXY protocol 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + OPTIONS,
    "HEP": b"HEP3\0\x20" + bytes(26),
    "TLS on the TCP port": b"\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03" + bytes(200),
    "STUN": struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(12),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "zeros": bytes(5000),
    "line ends": b"\r\n" * 5000,
    "one long line": b"A" * 70_000,
    "one long header": b"OPTIONS sip:x SIP/2.0\r\nX: " + b"B" * 70_000,
    "headers without end": b"OPTIONS sip:x SIP/2.0\r\n" + b"X: y\r\n" * 20_000,
    "noise": random.Random(4475).randbytes(20_000),
    "negative length": with_length("-1"),
    "huge length": with_length("4294967295"),
    "endless length": with_length("9" * 400),
    "length in words": with_length("many"),
    "length that promises more": with_length("5000"),
    "no length": with_length(""),
    "two lengths": OPTIONS.replace(b"Content-Length: 0", b"Content-Length: 0\r\nContent-Length: 50"),
}


def acceptable(answer: bytes) -> bool:
    """SIP, nothing at all, or a keep-alive (RFC 5626 3.5.1)."""
    return answer.strip() == b"" or status_of(answer) in (100, 200, 400, 413, 513)


def test_garbage_over_tcp(instance: WholeInstance) -> None:
    with ThreadPoolExecutor(len(GARBAGE)) as crowd:
        answers = list(crowd.map(lambda data: ask_over_tcp(instance.server, data, within=0.5), GARBAGE.values()))
    assert {name: answer for name, answer in zip(GARBAGE, answers, strict=True) if not acceptable(answer)} == {}


def test_very_many_connections_with_garbage(instance: WholeInstance) -> None:
    before = instance.vitals()
    with ThreadPoolExecutor(20) as crowd:
        list(crowd.map(lambda data: ask_over_tcp(instance.server, data, within=0.1), [*GARBAGE.values()] * 6))
    instance.eventually(
        lambda: instance.vitals().files["kamailio"] <= before.files["kamailio"] + 20, "they are closed", within=SILENT_SECONDS + 5
    )


def connections(stack: ExitStack, instance: WholeInstance, count: int, host: str) -> list[socket.socket]:
    made = []
    for _ in range(count):
        made.append(stack.enter_context(socket.create_connection(instance.server, timeout=5, source_address=(host, 0))))
        made[-1].setblocking(False)
    return made


def closed(made: list[socket.socket]) -> int:
    return sum(_is_closed(each) for each in made)


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(4096) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@scenario
async def test_crowds_that_say_nothing_or_little(instance: WholeInstance) -> None:
    """Half open ones, and ones that send a byte now and then: PBXs over TCP go on as ever."""
    with ExitStack() as stack:
        connections(stack, instance, CROWD, "127.66.1.1")
        trickle = asyncio.create_task(_trickle(connections(stack, instance, CROWD // 4, "127.66.1.2")))
        async with everybody(caller := alpha(instance, transport="tcp"), callee := carrier(instance)):
            assert (await caller.register()).status == 200
            for _ in range(3):
                assert await hang_up(instance, await connect(instance, caller, callee)) == ("answered", 30_000)
            assert (await caller.unregister()).status == 200
        trickle.cancel()


@pytest.mark.slow
@scenario
async def test_crowds_are_closed_after_a_while(instance: WholeInstance) -> None:
    before = instance.vitals().files["kamailio"]
    with ExitStack() as stack:
        silent = connections(stack, instance, CROWD, "127.66.1.1")
        slow = connections(stack, instance, CROWD // 4, "127.66.1.2")
        trickle = asyncio.create_task(_trickle(slow))
        deadline = time.monotonic() + 2 * SILENT_SECONDS + 5
        while closed(silent) < CROWD or closed(slow) < len(slow):
            assert time.monotonic() < deadline, (closed(silent), closed(slow))
            await asyncio.sleep(0.2)
        trickle.cancel()
    instance.eventually(lambda: instance.vitals().files["kamailio"] <= before + 10, "their descriptors are free")


async def _trickle(made: list[socket.socket]) -> None:
    """A message of which the end never comes."""
    for byte in request("OPTIONS", "sip:x@example.net", headers=[("X-Long", "y" * 400)]):
        for each in made:
            try:
                each.send(bytes([byte]))
            except OSError:
                continue
        await asyncio.sleep(0.5)


def hellos() -> Iterator[bytes]:
    """TLS that begins well."""
    context = untrusting()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="trunkline.localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    yield hello[: len(hello) // 2]
    chance = random.Random(4475)
    for _ in range(20):
        at = chance.randrange(5, len(hello))
        yield hello[:at] + bytes([hello[at] ^ (1 << chance.randrange(8))]) + hello[at + 1 :]
    yield hello + hello
    yield hello + b"\x17\x03\x03\x40\x00" + os.urandom(100)
    yield b"\x15\x03\x01\0\x02\x02\x28"
    yield b"\x80\x2e\x01\x03\x01" + bytes(50)


def test_garbage_on_the_tls_port(instance: WholeInstance) -> None:
    with ThreadPoolExecutor(10) as crowd:
        sent = [*GARBAGE.values(), *hellos()]
        answers = list(crowd.map(lambda data: ask_over_tcp(instance.tls_server, data, within=0.3), sent))
    assert [answer for answer in answers if answer.startswith(b"SIP")] == []


@scenario
async def test_tls_works_beside_its_garbage(instance: WholeInstance) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(socket.create_connection(instance.tls_server, timeout=5))
            connection.send(next(hellos()))
        async with everybody(
            caller := alpha(instance, transport="tls", client_tls=untrusting(), server=instance.tls_server), callee := carrier(instance)
        ):
            assert (await caller.register()).status == 200
            assert await hang_up(instance, await connect(instance, caller, callee)) == ("answered", 30_000)
            assert (await caller.unregister()).status == 200


def test_garbage_inside_tls(instance: WholeInstance) -> None:
    for data in GARBAGE.values():
        with socket.create_connection(instance.tls_server, timeout=1) as plain, untrusting().wrap_socket(plain, server_hostname="x") as tls:
            tls.settimeout(0.1)
            try:
                tls.sendall(data)
                answer = tls.recv(4096)
            except (TimeoutError, OSError):
                continue
            assert acceptable(answer)


# UDP

PACKETS = {
    "nothing": b"",
    "a NUL": b"\0",
    "keep-alives": b"\r\n\r\n",
    "STUN": GARBAGE["STUN"],
    "RTP": struct.pack("!BBHII", 0x80, 8, 1, 160, 0x1234) + bytes(160),
    "RTCP": struct.pack("!BBHI", 0x80, 200, 6, 0x1234) + bytes(20),
    "DTLS": b"\x16\xfe\xff" + bytes(80),
    "DNS": bytes.fromhex("abcd01000001000000000000076578616d706c6503636f6d0000010001"),
    "RTPengine": b"1 d7:command4:pinge",
    "JSON-RPC": b'{"jsonrpc":"2.0","method":"core.kill","id":1}',
    "MSRP": GARBAGE["MSRP"],
    "60 KB": b"x" * 60_000,
    "a request without headers": b"INVITE sip:x SIP/2.0\r\n\r\n",
    "a reply without headers": b"SIP/2.0 200 OK\r\n\r\n",
    "a request of one letter": b"A",
}


def test_what_is_no_sip_hears_nothing(instance: WholeInstance) -> None:
    with Sender(instance.server) as sender:
        for packet in PACKETS.values():
            for _ in range(20):
                sender.send(packet)
        heard = [answer for answer in sender.answers(within=0.3) if status_of(answer) != 400]
    assert heard == []


LARGE = {
    "a header of 60 KB": [("X-Large", "y" * 60_000)],
    "From of 60 KB": [("From", f"<sip:{'y' * 60_000}@example.net>;tag=1")],
    "5,000 headers": [("X", "y")] * 5_000,
    "1,000 Vias": [("Via", f"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}") for number in range(1_000)],
    "1,000 Contacts": [("Contact", ",".join(f"<sip:x{number}@192.0.2.1>" for number in range(1_000)))],
    "1,000 Routes": [("Route", ",".join(f"<sip:192.0.2.{number % 250};lr>" for number in range(1_000)))],
    "folded 5,000 times": [("X", "\r\n y" * 5_000)],
}

UNREAD = {"a header of 60 KB", "From of 60 KB", "1,000 Vias"}
"""Kamailio drops datagrams of more than 32 KB before anybody sees them."""


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS", "BYE"])
def test_what_is_too_large(instance: WholeInstance, method: str) -> None:
    with ExitStack() as stack:
        senders = {name: stack.enter_context(Sender(instance.server)) for name in LARGE}
        for name, sender in senders.items():
            via = f"SIP/2.0/UDP {sender.host}:{sender.port};rport;branch=z9hG4bK-large-{method}"
            sender.send(request(method, "sip:x@example.net", headers=[("Via", via), *LARGE[name]]))
        waits = iter([0.5])  # while the first one waits, the others' answers come
        answers = {name: [status_of(answer) for answer in sender.answers(within=next(waits, 0.02))] for name, sender in senders.items()}
    assert answers == {name: [] if name in UNREAD else [513] for name in LARGE}
