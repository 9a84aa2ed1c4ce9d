"""HEP version 3: a message that Kamailio's `siptrace` saw, in one datagram of chunks.

A chunk is vendor, type and length (16 bits each, the length with these six bytes) and its data. Nothing in it is believed before it is looked at, and
no bytes raise.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from hmac import compare_digest
from struct import Struct
from typing import NamedTuple

MAGIC = b"HEP3"
HEAD_BYTES = 6
PAYLOAD_BYTES_MAX = 32 * 1024
TRANSPORTS = {17: "udp", 6: "tcp", 22: "tls"}
"""By IP protocol; 22 stands for TLS, since Kamailio has nothing else to say for it."""
SIP = 1
FAMILIES = {2: (3, 4, 4), 10: (5, 6, 16)}
"""By address family: the chunks with source and target, and how long they are."""
_FAMILY, _PROTOCOL, _SOURCE_PORT, _TARGET_PORT, _SECONDS, _MICROSECONDS, _KIND, _KEY, _PAYLOAD = 1, 2, 7, 8, 9, 10, 11, 14, 15
_SIZES = {_FAMILY: 1, _PROTOCOL: 1, _SOURCE_PORT: 2, _TARGET_PORT: 2, _SECONDS: 4, _MICROSECONDS: 4, _KIND: 1}
_chunk_head = Struct("!HHH").unpack_from


class Packet(NamedTuple):
    """`source` and `target` as `udp:192.0.2.1:5060`, IPv6 in brackets."""

    at_us: int
    source: str
    target: str
    payload: bytes


def parse(datagram: bytes, key: bytes) -> Packet | None:
    """None: this is no SIP message in HEP3, or `key` was not in it."""
    chunks = _chunks(datagram)
    if chunks is None or not compare_digest(chunks.get(_KEY, b""), key):
        return None
    if any(len(chunks.get(kind, b"")) != size for kind, size in _SIZES.items()) or chunks[_KIND][0] != SIP:
        return None
    microseconds, payload = int.from_bytes(chunks[_MICROSECONDS]), chunks.get(_PAYLOAD, b"")
    transport, family = TRANSPORTS.get(chunks[_PROTOCOL][0]), FAMILIES.get(chunks[_FAMILY][0])
    if microseconds > 999_999 or not 0 < len(payload) <= PAYLOAD_BYTES_MAX or transport is None or family is None:
        return None
    source, target, size = family
    if len(chunks.get(source, b"")) != size or len(chunks.get(target, b"")) != size:
        return None
    return Packet(
        at_us=int.from_bytes(chunks[_SECONDS]) * 1_000_000 + microseconds,
        source=f"{transport}:{_host(chunks[source])}:{int.from_bytes(chunks[_SOURCE_PORT])}",
        target=f"{transport}:{_host(chunks[target])}:{int.from_bytes(chunks[_TARGET_PORT])}",
        payload=payload,
    )


def _chunks(datagram: bytes) -> dict[int, bytes] | None:
    """Those of no vendor, by type. None: they do not fill the datagram exactly, or one is there twice."""
    if datagram[:4] != MAGIC or len(datagram) < HEAD_BYTES or int.from_bytes(datagram[4:6]) != len(datagram):
        return None
    chunks: dict[int, bytes] = {}
    for vendor, kind, data in _split(datagram):
        if data is None or (not vendor and kind in chunks):
            return None
        if not vendor:
            chunks[kind] = data
    return chunks


def _split(datagram: bytes) -> Iterator[tuple[int, int, bytes | None]]:
    """Vendor, type, data; the last one without data if it does not fit."""
    at = HEAD_BYTES
    while at < len(datagram):
        if at + HEAD_BYTES > len(datagram):
            yield 0, 0, None
            return
        vendor, kind, length = _chunk_head(datagram, at)
        if length < HEAD_BYTES or at + length > len(datagram):
            yield vendor, kind, None
            return
        yield vendor, kind, datagram[at + HEAD_BYTES : at + length]
        at += length


def _host(packed: bytes) -> str:
    host = ipaddress.ip_address(packed)
    return f"[{host}]" if host.version == 6 else str(host)
