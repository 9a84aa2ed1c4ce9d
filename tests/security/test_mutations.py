"""Thousands of nearly right messages from strangers, from a PBX known by its address and from a carrier; and nearly right answers."""

from __future__ import annotations

import itertools
import os
import random
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import pytest

from tests.security.company import ALPHA_NUMBER, CARRIER_ADDRESS, FIXED_ADDRESS
from tests.security.instance import WholeInstance
from tests.security.mutation import mutants
from tests.security.people import LANDLINE
from tests.security.strangers import Sender, addresses, request, status_of
from tests.siptest import describe

pytestmark = pytest.mark.engines

SEED = int(os.environ.get("FUZZ_SEED", "4475"))
STRANGERS, FROM_ONE_STRANGER = 40, 40
KNOWN_SENDS = 600
CALLS = 100
AT_ONCE = 20
MIRRORED = (b"via", b"from", b"call-id", b"cseq", b"record-route")


def originals(instance: WholeInstance, host: str, port: int, number: str) -> list[bytes]:
    """Of each kind of message one that is right."""
    uri, via = f"sip:{number}@{instance.domain}", f"SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK"
    contact = ("Contact", f"<sip:x@{host}:{port}>")
    offer = [contact, ("Content-Type", "application/sdp")]
    digest = f'Digest username="{instance.cast.alpha.user}", realm="{instance.domain}", nonce="x", uri="{uri}", response="{"0" * 32}"'
    ours = f"<sip:{instance.server[0]}:{instance.server[1]};lr=on;ftag=1;did=1.2;tl=1838515049011821568rpp.973fb93d>"
    inside = [contact, ("To", f"<{uri}>;tag=2"), ("Route", ours)]
    sealed = f"sip:x@{host}:{port};tlc=00000000"
    made = [
        request("INVITE", uri, via=via + "1", headers=offer, body=describe(host, 4000)),
        request("INVITE", uri, via=via + "2", headers=[*offer, ("Proxy-Authorization", digest)], body=describe(host, 4000)),
        request(
            "INVITE",
            uri,
            via=via + "3",
            headers=[*offer, ("P-Asserted-Identity", f"<{uri}>"), ("Privacy", "id")],
            body=describe(host, 4000),
        ),
        request("REGISTER", f"sip:{instance.domain}", via=via + "4", headers=[contact, ("Expires", "300"), ("Authorization", digest)]),
        request("OPTIONS", uri, via=via + "5"),
        *(
            request(method, sealed, via=via + method, headers=inside)
            for method in ("BYE", "ACK", "INVITE", "UPDATE", "INFO", "PRACK", "REFER")
        ),
        request("CANCEL", uri, via=via + "1"),
        request("SUBSCRIBE", uri, via=via + "6"),
    ]
    return [*made, *(_reply_to(each, status) for each in made[:3] for status in (b"100 Trying", b"200 OK", b"407 No"))]


def _reply_to(message: bytes, status: bytes) -> bytes:
    return b"SIP/2.0 " + status + b"\r\n" + message.partition(b"\r\n")[2]


def fresh(messages: Iterator[bytes]) -> Iterator[bytes]:
    """Each a transaction of its own, as far as it is still recognisable."""
    for message in messages:
        yield message.replace(b"z9hG4bK", b"z9hG4bK" + secrets.token_hex(6).encode(), 1)


def send_all(sender: Sender, messages: Iterator[bytes]) -> Counter[int]:
    """Some at once, so that workers really work side by side; then whatever has come back."""
    seen: Counter[int] = Counter()
    while batch := list(itertools.islice(messages, AT_ONCE)):
        for message in batch:
            sender.send(message)
        seen.update(map(status_of, sender.answers(within=0.02)))
    seen.update(map(status_of, sender.answers(within=0.05)))
    return seen


class Answering:
    """The carrier answers each INVITE with the next of `answers`, which gets the proper answer and makes of it what it likes."""

    def __init__(self, instance: WholeInstance, answers: Callable[[bytes], Iterator[bytes]]) -> None:
        self._sender = Sender(instance.server, CARRIER_ADDRESS, instance.carrier_port)
        self._answers, self._stop = answers, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(5)
        self._sender.__exit__(kind, error, trace)

    def _run(self) -> None:
        while not self._stop.is_set():
            for message in self._sender.answers(within=0.05, most=1):
                method = message.partition(b" ")[0].decode("ascii", "replace")
                self.seen[method] += 1
                for answer in self._answers(message) if method == "INVITE" else [proper(message, b"200 OK")] if method != "ACK" else []:
                    self._sender.send(answer)


def proper(message: bytes, status: bytes) -> bytes:
    """The right answer to a request, with its own description as ours."""
    head, _, body = message.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")[1:]
    kept = [line for line in lines if line.partition(b":")[0].lower() in MIRRORED]
    to = next((line for line in lines if line.lower().startswith(b"to:")), b"To: <sip:x@y>")
    own = [to if b";tag=" in to else to + b";tag=z", f"Contact: <sip:y@{CARRIER_ADDRESS}>".encode(), b"Content-Type: application/sdp"]
    return b"SIP/2.0 " + status + b"\r\n" + b"\r\n".join([*kept, *own, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def refusing(message: bytes) -> Iterator[bytes]:
    yield proper(message, b"486 Busy Here")


def quiet(instance: WholeInstance) -> None:
    """All calls are settled, and the books are right."""
    instance.eventually(lambda: instance.rows("SELECT count(*) FROM store_livecall") == [(0,)], "all calls are over", within=20)
    found = instance.audit()
    assert found["ok"], found


def test_strangers(instance: WholeInstance) -> None:
    seen: Counter[int] = Counter()
    for number, host in enumerate(itertools.islice(addresses(), STRANGERS)):
        with Sender(instance.server, host) as sender:
            known = originals(instance, host, sender.port, LANDLINE)
            seen += send_all(sender, fresh(mutants(SEED + number, known, FROM_ONE_STRANGER)))
    assert set(seen) <= {0, 100, 200, 400, 401, 405, 407, 416, 420, 481, 483, 501, 505, 513}, seen
    assert instance.rows("SELECT count(*) FROM store_livecall") == [(0,)]
    assert instance.rows("SELECT count(*) FROM store_registration") == [(0,)]


@pytest.mark.parametrize(("host", "number"), [(FIXED_ADDRESS, LANDLINE), (CARRIER_ADDRESS, ALPHA_NUMBER)], ids=["pbx", "carrier"])
def test_those_whose_address_is_known(instance: WholeInstance, host: str, number: str) -> None:
    """Their messages get as far as call control, and where they are taken for calls they leave records."""
    before = instance.rows("SELECT count(*) FROM store_callrecord")[0][0]
    port = instance.cast.fixed.port if host == FIXED_ADDRESS else 0
    with Answering(instance, refusing) as callee, Sender(instance.server, host, port) as sender:
        known = originals(instance, host, sender.port, number)
        invites = [message for message in known if message.startswith(b"INVITE")]
        seen = send_all(sender, fresh(mutants(SEED, [*known, *invites, *invites], KNOWN_SENDS)))
        quiet(instance)
        assert seen[401] + seen[407] < KNOWN_SENDS // 10, "it is known"
        if host == FIXED_ADDRESS:
            assert callee.seen["INVITE"] > 0
            assert seen[486] > 0
    assert instance.rows("SELECT count(*) FROM store_callrecord")[0][0] > before


def test_answers(instance: WholeInstance) -> None:
    """Of a callee to which our calls go: nearly right 180s, 200s and refusals. What is answered all the same is cut by call control."""
    chance = random.Random(SEED)

    def answers(invite: bytes) -> Iterator[bytes]:
        known = [proper(invite, status) for status in (b"180 Ringing", b"183 Progress", b"200 OK", b"302 Moved", b"407 Who", b"500 Ill")]
        yield from mutants(chance.randrange(1 << 30), known, 3)
        yield proper(invite, b"603 Decline")

    with Answering(instance, answers) as callee, Sender(instance.server, FIXED_ADDRESS, instance.cast.fixed.port) as sender:
        invite = originals(instance, FIXED_ADDRESS, sender.port, LANDLINE)[0]
        for _ in range(CALLS // AT_ONCE):
            send_all(sender, itertools.islice(calls(invite), AT_ONCE))
        quiet(instance)
        assert callee.seen["INVITE"] == CALLS


def calls(invite: bytes) -> Iterator[bytes]:
    """The same INVITE as ever new calls."""
    while True:
        ident = secrets.token_hex(8).encode()
        yield re.sub(rb"(?m)^Call-ID: [^\r\n]*", b"Call-ID: " + ident, invite.replace(b"z9hG4bK", b"z9hG4bK" + ident, 1))
