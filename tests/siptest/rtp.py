"""Media of a call: sends a melody of its own, or digits, and measures what comes back."""

from __future__ import annotations

import asyncio
import secrets
import struct
from dataclasses import dataclass
from typing import Any

from tests.siptest import g711
from tests.siptest.sdp import Sdp
from tests.siptest.wire import Peer
from trunkline.lab.melody import RATE, likeness, melody

PACKET_SECONDS = 0.02
_SAMPLES = int(RATE * PACKET_SECONDS)
_EVENT = 101
_DIGITS = "0123456789*#"


@dataclass(frozen=True)
class Packet:
    at: float  # seconds, event loop time
    source: Peer
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class RtpPort(asyncio.DatagramProtocol):
    """An RTP socket: `seed` names its melody, `received` is everything that came."""

    def __init__(self) -> None:
        self.seed = secrets.token_hex(8)
        self.received: list[Packet] = []
        self.malformed: list[bytes] = []
        self.remote: Peer | None = None
        self.payload_type = 8
        self.sent = 0
        self._ssrc, self._sequence, self._timestamp = secrets.randbits(32), secrets.randbits(15), secrets.randbits(31)
        self._arrival = asyncio.Event()

    _socket: asyncio.DatagramTransport
    local: Peer

    @classmethod
    async def open(cls, host: str) -> RtpPort:
        """On an even port, as RTP wants it; the odd one above it stays without RTCP."""
        loop = asyncio.get_running_loop()
        for _ in range(50):
            transport, port = await loop.create_datagram_endpoint(cls, local_addr=(host, 0))
            port._socket, port.local = transport, Peer(*transport.get_extra_info("sockname")[:2])
            if port.local.port % 2 == 0:
                return port
            port.close()
        raise OSError("no even port is free")

    def close(self) -> None:
        self._socket.close()

    def aim(self, description: Sdp) -> None:
        """Send where the other side's description says, in its first G.711 codec."""
        self.remote = Peer(description.host, description.port)
        self.payload_type = next((number for number in description.payloads if number in g711.DECODE), 8)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if len(data) < 12 or data[0] >> 6 != 2:
            self.malformed.append(data)
            return
        if 192 <= data[1] <= 223:  # RTCP on the same port (RFC 5761)
            return
        kind, sequence, timestamp, ssrc = struct.unpack("!xBHII", data[:12])
        at = asyncio.get_running_loop().time()
        start = 12 + 4 * (data[0] & 0x0F)
        self.received.append(Packet(at, Peer(addr[0], addr[1]), kind & 0x7F, sequence, timestamp, ssrc, data[start:]))
        self._arrival.set()

    def error_received(self, exc: Exception) -> None:
        """The other side closed its port first: that is how calls end."""

    def send(self, payload: bytes, payload_type: int, *, marker: bool = False, duration: int = _SAMPLES) -> None:
        """One packet; the timestamp moves on by `duration` samples."""
        assert self.remote, "no description from the other side yet"
        kind = payload_type | (0x80 if marker else 0)
        header = struct.pack("!BBHII", 0x80, kind, self._sequence & 0xFFFF, self._timestamp & 0xFFFFFFFF, self._ssrc)
        self._socket.sendto(header + payload, self.remote)
        self._sequence += 1
        self._timestamp += duration
        self.sent += 1

    async def play(self, seconds: float) -> None:
        """Our melody from its start, packet by packet in real time."""
        audio = g711.encode(self.payload_type, melody(self.seed, seconds))
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(round(seconds / PACKET_SECONDS)):
            self.send(audio[number * _SAMPLES : (number + 1) * _SAMPLES], self.payload_type, marker=number == 0)
            await asyncio.sleep(start + (number + 1) * PACKET_SECONDS - loop.time())

    async def dial(self, digits: str) -> None:
        """DTMF as RFC 4733 events: 100 ms each, the end three times."""
        for digit in digits:
            event = _DIGITS.index(digit)
            for number in range(1, 8):
                end = 0x80 if number > 5 else 0
                self.send(struct.pack("!BBH", event, end | 10, min(number, 5) * _SAMPLES), _EVENT, marker=number == 1, duration=0)
                await asyncio.sleep(PACKET_SECONDS if number < 5 else 0)
            self._timestamp += 10 * _SAMPLES
            await asyncio.sleep(5 * PACKET_SECONDS)

    async def packets(self, count: int, within: float = 5.0) -> None:
        """Wait until `count` packets have come in all; TimeoutError says how many did."""
        try:
            async with asyncio.timeout(within):
                while len(self.received) < count:
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            raise TimeoutError(f"{len(self.received)} of {count} RTP packets within {within:g} s") from None

    # What came back

    def heard(self, since: float = 0.0) -> list[int]:
        """The audio that came in, in the order of its sequence numbers, as samples; gaps are closed up."""
        audio = [packet for packet in self.received if packet.payload_type in g711.DECODE and packet.at >= since]
        return [sample for packet in _in_order(audio) for sample in g711.decode(packet.payload_type, packet.payload)]

    def likeness(self, seed: str = "") -> float:
        """0 to 1: how much of what was heard is the melody of `seed` (our own, unless another is named)."""
        return likeness(seed or self.seed, self.heard())

    @property
    def sources(self) -> set[Peer]:
        return {packet.source for packet in self.received}

    @property
    def lost(self) -> int:
        """Packets missing between the first and the last, by sequence number, over all streams."""
        missing = 0
        for ssrc in {packet.ssrc for packet in self.received}:
            numbers = _unwrapped([packet.sequence for packet in self.received if packet.ssrc == ssrc])
            missing += max(numbers) - min(numbers) + 1 - len(set(numbers))
        return missing

    @property
    def digits(self) -> str:
        """DTMF events that came in, one digit for each event however often it was repeated."""
        starts = {packet.timestamp: packet.payload[0] for packet in self.received if packet.payload_type == _EVENT}
        return "".join(_DIGITS[event] for _, event in sorted(starts.items()))


def _unwrapped(sequences: list[int]) -> list[int]:
    """16-bit sequence numbers, counted on beyond 65535."""
    numbers: list[int] = []
    for sequence in sequences:
        last = numbers[-1] if numbers else sequence
        numbers.append(last + (sequence - last + 0x8000) % 0x10000 - 0x8000)
    return numbers


def _in_order(packets: list[Packet]) -> list[Packet]:
    """Stream after stream, each sorted."""
    found: list[Packet] = []
    for ssrc in dict.fromkeys(packet.ssrc for packet in packets):
        stream = [packet for packet in packets if packet.ssrc == ssrc]
        numbers = _unwrapped([packet.sequence for packet in stream])
        found += [packet for _, packet in sorted(zip(numbers, stream, strict=True), key=lambda pair: pair[0])]
    return found
