"""Is it there? One question to a process, one answer; no answer in time, or a wrong one, is a no."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from pathlib import Path

import msgspec

from trunkline.runtime.beat import read_beat, read_capture_beat
from trunkline.runtime.settings import Settings, bracketed

TIMEOUT_SECONDS = 1.0
Address = str | tuple[str, int]


async def rtpengine_pings(settings: Settings) -> bool:
    cookie = secrets.token_hex(8).encode()
    answer = await _ask(("127.0.0.1", settings.rtpengine_port), cookie + b" d7:command4:pinge")
    return answer == cookie + b" d6:result4:ponge"


async def echo_answers(settings: Settings) -> bool:
    return await _sip_answers(settings.echo_address, settings.echo_port)


async def kamailio_answers(settings: Settings) -> bool:
    return await _sip_answers(settings.sip_address, settings.sip_port)


async def _sip_answers(host: str, port: int) -> bool:
    with _socket(host) as ours:
        try:
            ours.connect((host, port))
        except OSError:
            return False
        local_host, local_port = ours.getsockname()[:2]
        request = _options(bracketed(host), port, f"{bracketed(local_host)}:{local_port}")
        answer = await _exchange(ours, request.encode())
    return answer.startswith(b"SIP/2.0 ")


def _options(host: str, port: int, local: str) -> str:
    token = secrets.token_hex(8)
    return (
        f"OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{token};rport\r\nMax-Forwards: 1\r\n"
        f"From: <sip:probe@{local}>;tag={token}\r\nTo: <sip:{host}:{port}>\r\nCall-ID: {token}\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    )


async def callcontrol_answers(settings: Settings) -> bool:
    """Asks for a user that cannot exist: any answer will do."""
    ours = settings.run_dir / f"probe-{os.getpid()}-{secrets.token_hex(4)}.sock"
    question = msgspec.json.encode({"q": "who", "n": 1, "user": "0"})
    try:
        answer = await _ask(str(settings.callcontrol_socket), question, bind_to=ours)
        return bool(msgspec.json.decode(answer or b"{}").get("n") == 1)
    except msgspec.DecodeError:
        return False
    finally:
        ours.unlink(missing_ok=True)


async def clock_beats(settings: Settings) -> bool:
    """It lives, and has looked around not long ago."""
    return read_beat(settings.clock_beat) is not None


async def capture_beats(settings: Settings) -> bool:
    """It lives, and has its port."""
    return read_capture_beat(settings.capture_beat) is not None


async def web_is_healthy(settings: Settings) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", settings.web_port)
            with contextlib.closing(writer):
                writer.write(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{settings.web_port}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
    except (TimeoutError, OSError):
        return False
    return status.split()[1:2] == [b"200"]


async def _ask(address: Address, payload: bytes, bind_to: Path | None = None) -> bytes:
    with _socket(address if isinstance(address, str) else address[0]) as ours:
        try:
            if bind_to is not None:
                ours.bind(str(bind_to))
            ours.connect(address)
        except OSError:
            return b""
        return await _exchange(ours, payload)


async def _exchange(ours: socket.socket, payload: bytes) -> bytes:
    """The answer, or nothing: refused and silent are the same to who asks."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(ours, payload)
        return await asyncio.wait_for(loop.sock_recv(ours, 65_535), TIMEOUT_SECONDS)
    except (TimeoutError, OSError):
        return b""


def _socket(host: str) -> socket.socket:
    family = socket.AF_UNIX if "/" in host else socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    return made
