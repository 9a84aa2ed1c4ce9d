"""The test user agent against itself: what other tests rely on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.ports import PortBlock
from tests.siptest import Message, UnmetError, UserAgent, describe, scenario, self_signed, untrusting
from tests.siptest.digest import Credentials, authorization, challenge_fields
from tests.siptest.g711 import decode, encode
from tests.siptest.message import StreamFramer


def pair(ports: PortBlock, transport: str = "udp") -> tuple[UserAgent, UserAgent]:
    caller_port, called_port = ports.take(), ports.take()
    caller = UserAgent(user="caller", server=("127.0.0.1", called_port), port=caller_port, transport=transport)
    called = UserAgent(user="called", server=("127.0.0.1", caller_port), port=called_port, transport=transport)
    return caller, called


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@scenario
async def test_a_call_with_audio_both_ways(ports: PortBlock, transport: str) -> None:
    one, other = pair(ports, transport)
    async with one as caller, other as called:
        call = await caller.invite("100")
        incoming = await called.incoming()
        assert (incoming.caller, incoming.called) == ("caller", "100")
        await incoming.ring()
        await call.expect(180)
        answering = called.spawn(incoming.answer())
        await call.answered()
        await answering
        assert call.media
        assert incoming.media
        speaking = called.spawn(incoming.media.play(1.6))
        await call.media.play(1.6)
        await speaking
        await call.media.packets(75)
        assert incoming.media.likeness(call.media.seed) > 0.9
        assert call.media.likeness(incoming.media.seed) > 0.9
        assert call.media.likeness() < 0.5, "the other side's melody is not our own"
        await call.media.dial("19#")
        assert incoming.media.digits == "19#"
        assert call.media.lost == 0
        assert (await call.reinvite()).status == 200
        assert (await call.update()).status == 200
        assert (await call.bye()).status == 200
        await incoming.ended()


@scenario
async def test_a_call_over_tls(tmp_path: Path, ports: PortBlock) -> None:
    here, there = ports.take(), ports.take()
    server, client = self_signed(tmp_path), untrusting()
    caller = UserAgent(user="caller", server=("127.0.0.1", there), port=here, transport="tls", server_tls=server, client_tls=client)
    called = UserAgent(user="called", server=("127.0.0.1", here), port=there, transport="tls", server_tls=server, client_tls=client)
    async with caller, called:
        call = await caller.invite("100")
        answering = called.spawn((await called.incoming()).answer())
        await call.answered()
        await answering
        assert call.invite.get("via").startswith("SIP/2.0/TLS ")
        assert (await call.bye()).status == 200


@scenario
async def test_cancel_and_refusals(ports: PortBlock) -> None:
    one, other = pair(ports)
    async with one as caller, other as called:
        call = await caller.invite("100")
        incoming = await called.incoming()
        await incoming.ring()
        await call.expect(180)
        assert (await call.cancel()).status == 200
        await call.final(487)
        assert (await incoming.expect_cancel()).method == "CANCEL"

        refused = await caller.invite("101")
        await (await called.incoming()).reject(486)
        assert (await refused.final()).phrase == "Busy Here"
        assert called.transcript.received("ACK"), "a failure is acknowledged by the transaction"


@scenario
async def test_lost_packets_are_sent_again(ports: PortBlock) -> None:
    one, other = pair(ports)
    async with one as caller, other as called:
        called.silent = True
        call = await caller.invite("100")
        with pytest.raises(UnmetError, match="no response to INVITE"):
            await call.final(within=0.7)
        called.silent = False
        answering = await called.incoming()
        await answering.reject(480)
        await call.final(480)
        assert len(called.transcript.received("INVITE")) >= 2


@scenario
async def test_the_other_side_hangs_up_and_a_probe_is_answered(ports: PortBlock) -> None:
    one, other = pair(ports)
    async with one as caller, other as called:
        assert (await caller.options()).status == 200
        await called.expect_request("OPTIONS")
        call = await caller.invite("100", body=b"")
        incoming = await called.incoming()
        answering = called.spawn(incoming.answer())
        await call.final(200)
        await call.ack(describe("127.0.0.1", media_port := ports.take()))
        await answering
        assert incoming.remote_sdp
        assert incoming.remote_sdp.port == media_port
        assert (await incoming.bye()).status == 200
        await call.ended()


def test_digest_by_the_example_of_rfc_2617() -> None:
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    fields = challenge_fields(authorization(Credentials("Mufasa", "Circle Of Life"), challenge, "GET", "/dir/index.html"))
    ha1, ha2 = (hashlib.md5(text).hexdigest() for text in (b"Mufasa:testrealm@host.com:Circle Of Life", b"GET:/dir/index.html"))
    assert fields["response"] == hashlib.md5(f"{ha1}:dcd98b7102dd2f0e8b11d0f600bfb0c093:{ha2}".encode()).hexdigest()
    assert fields["opaque"] == "5ccc069c403ebaf9f0171e9517f40e41"


def test_messages_with_folded_compact_and_repeated_headers() -> None:
    raw = b'INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP x;branch=1,\r\n SIP/2.0/UDP y;branch=2\r\nf: "A, B" <sip:a@b>;tag=7\r\n\r\nbody'
    message = Message.parse(raw)
    assert message.all("Via") == ["SIP/2.0/UDP x;branch=1", "SIP/2.0/UDP y;branch=2"]
    assert (message.from_tag, message.address("From").display, message.body) == ("7", "A, B", b"body")


def test_a_stream_is_cut_by_content_length() -> None:
    first, second = b"OPTIONS sip:a SIP/2.0\r\nl: 4\r\n\r\nbody", b"SIP/2.0 200 OK\r\n\r\n"
    framer = StreamFramer()
    assert framer.feed(b"\r\n\r\n" + first[:-2]) == []
    assert framer.feed(first[-2:] + second) == [first, second]


@pytest.mark.parametrize("payload_type", [0, 8])
def test_g711_octets_survive(payload_type: int) -> None:
    every = bytes(range(256))
    again = encode(payload_type, decode(payload_type, every))
    assert [a for a, b in zip(every, again, strict=True) if a != b] in ([], [0x7F])  # mu-law has two zeros
