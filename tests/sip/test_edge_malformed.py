"""Requests that nobody can understand get an answer that says why, or silence; never a 500, which would be our own fault."""

from __future__ import annotations

import itertools
from contextlib import ExitStack

import pytest

from tests.security.strangers import Sender, request
from tests.sip.edge_instance import EdgeInstance, carrier, connect, pbx
from tests.siptest import scenario

pytestmark = pytest.mark.engines

SILENCE = ""
DIGEST = 'Digest username="12345678901234", realm="trunkline.localhost", nonce="x", uri="sip:x", response='
# Header, what stands there (`-`: no such header), and what is said about it. Where nobody knows what to answer to, nothing.
WRONG = [
    ("To", "-", SILENCE),
    ("From", "-", SILENCE),
    ("Call-ID", "-", SILENCE),
    ("CSeq", "-", SILENCE),
    ("CSeq", "1 BYE", "400 Bad CSeq Method"),
    ("CSeq", "99999999999 {method}", "400 Bad CSeq Number"),
    ("CSeq", "-1 {method}", "400 Bad CSeq Number"),
    ("Content-Length", "7", "400 Bad Content-Length"),
    ("Content-Length", "-1", SILENCE),
    ("Expires", "soon", "400 Bad Expires"),
    ("Expires", "", "400 Bad Expires"),
    ("Proxy-Require", "gin", "420 Bad Extension"),
    ("Proxy-Require", "", "400 Bad Request"),
    ("Authorization", "Digest", "400 Bad Credentials"),
    ("Authorization", DIGEST, "400 Bad Credentials"),
    ("Max-Forwards", "0", "483 Too Many Hops"),
    ("Call-ID", "a b\x7f", "400 Bad Request"),
]
ADDRESSES = (f"127.67.{number >> 8}.{number & 0xFF}" for number in itertools.count(1))


def spoilt(method: str, host: str, port: int, header: str, value: str) -> bytes:
    proper = request(method, "sip:33123456789@trunkline.localhost", via=f"SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{port}")
    head, _, _ = proper.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(header.lower().encode() + b":")]
    own = [] if value == "-" else [f"{header}: {value.format(method=method)}".encode()]
    return b"\r\n".join([*kept, *own, b"", b""])


def answers_to(edge: EdgeInstance, method: str) -> list[tuple[str, str, str]]:
    """Each from an address of its own, as strangers who have not been heard of before."""
    with ExitStack() as stack:
        senders = [stack.enter_context(Sender(edge.server, next(ADDRESSES))) for _ in WRONG]
        for sender, (header, value, _) in zip(senders, WRONG, strict=True):
            sender.send(spoilt(method, sender.host, sender.port, header, value))
        said = {}
        for silent in (False, True):  # while the others answer, those who stay silent could
            for sender, row in zip(senders, WRONG, strict=True):
                if (row[2] == SILENCE) is silent:
                    said[row] = phrase_of(sender.answers(within=0.05 if silent else 2.0, most=1))
    return [(header, value, said[header, value, wanted]) for header, value, wanted in WRONG]


def phrase_of(answers: list[bytes]) -> str:
    return answers[0].partition(b"\r\n")[0].decode().removeprefix("SIP/2.0 ") if answers else SILENCE


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS"])
def test_what_is_wrong_is_said(edge: EdgeInstance, method: str) -> None:
    assert answers_to(edge, method) == WRONG
    assert edge.callcontrol.asked("admit") == []


def test_an_ack_is_never_answered(edge: EdgeInstance) -> None:
    with Sender(edge.server, next(ADDRESSES)) as sender:
        for header, value, _ in WRONG:
            sender.send(spoilt("ACK", sender.host, sender.port, header, value))
        assert sender.answers(within=0.5) == []


@scenario
async def test_inside_a_call(edge: EdgeInstance) -> None:
    """A request that ends in the midst of its headers is not relayed; the call goes on."""
    async with pbx(edge) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        whole = up.caller.build("INFO", up.caller.cseq + 1).encode()
        with Sender(edge.server, next(ADDRESSES)) as sender:
            sender.send(whole.partition(b"Content-Length")[0])
            assert phrase_of(sender.answers(within=2.0, most=1)) == "400 Bad Request"
        assert (await up.caller.bye()).status == 200
        await up.callee.ended()
        assert callee.transcript.received("INFO") == []
