"""Messages that are nearly right: valid ones, spoilt in a few places by a seeded generator."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

NASTY = (
    b"\0", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"%00", b"%0d%0a", b"%s%n%x", b"'; DROP TABLE store_account; --", b'"', b"\\", b"<", b">", b";;;",
    b",", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9", b"-1", b"0", b"4294967296", b"99999999999999999999", b"1e999", b"NaN",
    b"sip:", b"sip:@", b"sips:[::1]", b"sip:[", b"tel:+", b";tag=", b";lr", b";tl=1.00000000", b";tlc=00000000", b"tl!", b";branch=", b";q=nan",
    b";expires=", b"\x1b[2J", b"{", b"}", b'\\u0000","e":"end"', b"../../../etc/passwd", b"${jndi:ldap://x}", b"$(id)", b"A" * 300, b"(" * 200,
    b'"' + b"\\" * 99, b" " * 500, b"\t", b"\x7f", b"\x80" * 64,
)  # fmt: skip
HEADERS = (
    b"Content-Length", b"CSeq", b"Max-Forwards", b"Via", b"From", b"To", b"Call-ID", b"Contact", b"Expires", b"Route", b"Record-Route", b"TH",
    b"Authorization", b"Proxy-Authorization", b"P-Asserted-Identity", b"Privacy", b"Require", b"Content-Type", b"Identity", b"Diversion",
    b"Reason", b"RAck", b"RSeq", b"Session-Expires", b"Replaces", b"Refer-To", b"User-Agent", b"X-Anything",
)  # fmt: skip
Mutation = Callable[[random.Random, bytes], bytes]


def mutants(seed: int, originals: Iterator[bytes] | list[bytes], count: int) -> Iterator[bytes]:
    """The same for the same seed and originals."""
    chance = random.Random(seed)
    known = list(originals)
    for _ in range(count):
        message = chance.choice(known)
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 8))):
            message = chance.choice(MUTATIONS)(chance, message)
        yield message[:60_000] or b"\0"


def _span(chance: random.Random, message: bytes) -> tuple[int, int]:
    start = chance.randrange(len(message) + 1)
    return start, min(len(message), start + chance.choice((1, 1, 2, 4, 16, 64, 256)))


def _flip(chance: random.Random, message: bytes) -> bytes:
    start, end = _span(chance, message)
    return message[:start] + bytes(byte ^ (1 << chance.randrange(8)) for byte in message[start:end][:3]) + message[start + 3 :]


def _cut(chance: random.Random, message: bytes) -> bytes:
    start, end = _span(chance, message)
    return message[:start] + message[end:]


def _repeat(chance: random.Random, message: bytes) -> bytes:
    start, end = _span(chance, message)
    return message[:end] + message[start:end] * chance.choice((1, 2, 10, 60)) + message[end:]


def _insert(chance: random.Random, message: bytes) -> bytes:
    start, _ = _span(chance, message)
    return message[:start] + chance.choice(NASTY) + message[start:]


def _truncate(chance: random.Random, message: bytes) -> bytes:
    return message[: chance.randrange(len(message) + 1)]


def _spoil_header(chance: random.Random, message: bytes) -> bytes:
    """Another value, or none, or something nasty in the midst of it."""
    head, gap, body = message.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    at = chance.randrange(len(lines))
    name, colon, value = lines[at].partition(b":")
    middle = chance.randrange(len(value) + 1)
    spoilt = (
        chance.choice(NASTY),
        b"",
        value[:middle] + chance.choice(NASTY) + value[middle:],
        value + b", " + value,
        b" " + chance.choice(NASTY),
    )
    lines[at] = name + colon + chance.choice(spoilt)
    return b"\r\n".join(lines) + gap + body


def _move_header(chance: random.Random, message: bytes) -> bytes:
    """Drop it, double it, or put it elsewhere."""
    head, gap, body = message.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    line = lines.pop(chance.randrange(len(lines)))
    for _ in range(chance.choice((0, 1, 2, 40))):
        lines.insert(chance.randrange(len(lines) + 1), line)
    return b"\r\n".join(lines) + gap + body


def _add_header(chance: random.Random, message: bytes) -> bytes:
    first, end, rest = message.partition(b"\r\n")
    line = chance.choice(HEADERS) + chance.choice((b": ", b":", b" : ", b"\t:\r\n ")) + chance.choice(NASTY)
    return first + end + (line + b"\r\n") * chance.choice((1, 1, 2, 50)) + rest


def _lie_about_length(chance: random.Random, message: bytes) -> bytes:
    lie = chance.choice((b"0", b"1", b"-1", b"99999999", b"4294967297", b"", b"0x10", b"1 1"))
    return re.sub(rb"(?i)(content-length\s*:)[^\r\n]*", rb"\g<1> " + lie, message)


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _cut, _repeat, _insert, _insert, _truncate, _spoil_header, _spoil_header, _spoil_header, _move_header, _add_header, _lie_about_length,
)  # fmt: skip
