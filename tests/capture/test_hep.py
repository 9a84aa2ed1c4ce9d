"""HEP3: what is read of it, and that nothing else is (SPEC R13)."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given, strategies as st

from trunkline.capture.hep import PAYLOAD_BYTES_MAX, Packet, parse

KEY = b"the edge's own"
USUAL: dict[int, bytes] = {
    1: b"\x02", 2: b"\x11", 3: bytes([192, 0, 2, 1]),
    4: bytes([198, 51, 100, 7]), 7: struct.pack("!H", 5060), 8: struct.pack("!H", 5080),
    9: struct.pack("!I", 1_795_000_000), 10: struct.pack("!I", 250_000), 11: b"\x01", 12: struct.pack("!I", 1),
    14: KEY, 15: b"BYE sip:a@b SIP/2.0\r\n",
}  # fmt: skip


def chunk(kind: int, data: bytes, vendor: int = 0) -> bytes:
    return struct.pack("!HHH", vendor, kind, 6 + len(data)) + data


def datagram(*chunks: bytes) -> bytes:
    body = b"".join(chunks)
    return b"HEP3" + struct.pack("!H", 6 + len(body)) + body


def usual(**changed: bytes | None) -> bytes:
    """`c15=b"x"` changes the payload, `c15=None` leaves it out."""
    named = {int(name[1:]): data for name, data in changed.items()}
    return datagram(*(chunk(kind, data) for kind, data in (USUAL | named).items() if data is not None))


def test_a_message_is_read_with_its_moment_and_addresses() -> None:
    read = parse(usual(), KEY)
    assert read == Packet(1_795_000_000_250_000, "udp:192.0.2.1:5060", "udp:198.51.100.7:5080", USUAL[15])


def test_ipv6_and_tls_are_written_as_the_edge_writes_them() -> None:
    source, target = (ipaddress.ip_address(host).packed for host in ("2001:db8::1", "::1"))
    read = parse(usual(c1=b"\x0a", c2=b"\x16", c3=None, c4=None, c5=source, c6=target), KEY)
    assert read is not None
    assert (read.source, read.target) == ("tls:[2001:db8::1]:5060", "tls:[::1]:5080")


def test_chunks_of_vendors_are_passed_over() -> None:
    chunks = [chunk(kind, data) for kind, data in USUAL.items()]
    assert parse(datagram(chunk(15, b"something of theirs", vendor=7), *chunks), KEY) == parse(usual(), KEY)


@pytest.mark.parametrize(
    "changed",
    [
        {"c14": None}, {"c14": b""}, {"c14": KEY + b"x"}, {"c15": None}, {"c15": b""}, {"c15": bytes(PAYLOAD_BYTES_MAX + 1)}, {"c11": b"\x05"},
        {"c2": b"\x01"}, {"c1": b"\x07"}, {"c1": b"\x0a"}, {"c3": b"\x7f"}, {"c4": bytes(16)}, {"c7": b"\x01"}, {"c9": None}, {"c9": bytes(8)},
        {"c10": struct.pack("!I", 1_000_000)},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_missing_or_of_another_size_is_refused(changed: dict[str, bytes | None]) -> None:
    assert parse(usual(**changed), KEY) is None


def test_lengths_that_do_not_fit_are_refused() -> None:
    whole = usual()
    assert parse(whole + b"x", KEY) is None
    assert parse(whole[:-1], KEY) is None
    assert parse(datagram(*(chunk(kind, data) for kind, data in USUAL.items()), chunk(9, USUAL[9])), KEY) is None, "twice"
    for wrong in (0, 5, 60_000):
        assert parse(datagram(struct.pack("!HHH", 0, 1, wrong), b"\x02"), KEY) is None


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    assert parse(data, KEY) is None
    assert parse(datagram(data), KEY) is None


@given(st.data())
def test_no_change_of_a_good_one_raises(data: st.DataObject) -> None:
    changed = bytearray(usual())
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    read = parse(bytes(changed), KEY)
    assert read is None or (read.payload and 0 <= read.at_us % 1_000_000 <= 999_999)
