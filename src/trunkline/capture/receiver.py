"""Takes what Kamailio sends, and keeps what belongs to calls. One thread; what it can't take in time the kernel drops, and counts."""

from __future__ import annotations

import select
import socket
import sqlite3
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog

from trunkline.capture import hep, messages
from trunkline.capture.gate import Gate, Switch
from trunkline.capture.legs import MESSAGES_MAX, Legs
from trunkline.domain.sip_order import Captured
from trunkline.runtime.beat import BEAT_SECONDS, CaptureBeat, alive, write_beat
from trunkline.store.ladders import DAY_US, LadderFile

log = structlog.get_logger()

DATAGRAM_BYTES_MAX = 65_535
QUEUE_BYTES = 4 * 1024 * 1024
"""In the kernel, as far as it lets us."""
LOOK_SECONDS = 0.2
GATHER_SECONDS = 0.01
"""Rather a few at once than a switch of processes for each."""
DATAGRAMS_MAX = 1000
KEEP_SECONDS = 0.25
PRUNE_SECONDS = 60.0
PRUNE_STEPS_MAX = 50
JOINED_PAUSE_US = 2_000_000
EARLY_US, EARLY_MAX = 500_000, 1000
"""An answer may come before what it answers: that is told after it was sent."""
DROPS_OF_SOCKET = 40
"""Linux' SO_RXQ_OVFL: how many datagrams found the queue full, in 32 bits since the socket was made."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`ours`: the edge's own addresses, as `192.0.2.1:5060`. `days` and `bytes_max`: how long and how much is kept."""

    ours: frozenset[str]
    key: bytes
    with_bodies: bool
    days: int
    bytes_max: int


@dataclass
class Receiver:
    """`run` until `stopping`."""

    channel: socket.socket
    file: LadderFile
    gate: Gate
    switch: Switch
    limits: Limits
    beat_path: Path
    stopping: threading.Event = field(default_factory=threading.Event)
    _waiting: list[tuple[int, Captured]] = field(default_factory=list)
    _early: deque[tuple[hep.Packet, messages.Message]] = field(default_factory=lambda: deque(maxlen=EARLY_MAX))
    _dropped: Counter[str] = field(default_factory=Counter)
    _stored: int = 0
    _calls: int = 0
    _beaten: float = 0.0
    _kept: float = 0.0
    _pruned: float = 0.0

    def __post_init__(self) -> None:
        self._legs = Legs(self.file)

    def run(self) -> None:
        with alive(self.beat_path):
            while not self.stopping.is_set():
                self.turn()
            self._keep()
        self.close()

    def close(self) -> None:
        self.channel.close()
        self.file.close()

    def turn(self) -> None:
        """What has come, then what is due."""
        if select.select([self.channel], [], [], LOOK_SECONDS)[0]:
            time.sleep(GATHER_SECONDS)
            self._receive()
        now_us = time.time_ns() // 1000
        self._take_early(now_us)
        if self.gate.look(now_us):
            self._note_pause(now_us)
        self.switch.tell(now_us, on=self.gate.is_open)
        moment = time.monotonic()
        if moment - self._kept >= KEEP_SECONDS:
            self._kept = moment
            self._keep()
        if moment - self._pruned >= PRUNE_SECONDS:
            self._pruned = moment
            self._prune(now_us)
        if moment - self._beaten >= BEAT_SECONDS:
            self._beaten = moment
            self._beat()

    def _receive(self) -> None:
        for _ in range(DATAGRAMS_MAX):
            try:
                datagram, told, _, _ = self.channel.recvmsg(DATAGRAM_BYTES_MAX, socket.CMSG_SPACE(4))
            except BlockingIOError:
                return
            for level, kind, data in told:
                if (level, kind) == (socket.SOL_SOCKET, DROPS_OF_SOCKET):
                    self._dropped["queue_full"] = int.from_bytes(data[:4], "little")
            if self.gate.is_open:
                self._take(datagram)
            else:
                self._dropped["paused"] += 1
                self.switch.doubt(time.time_ns() // 1000)

    def _take(self, datagram: bytes) -> None:
        packet = hep.parse(datagram, self.limits.key)
        if packet is None:
            self._dropped["not_understood"] += 1
            return
        self.gate.note_message(packet.at_us)
        message = messages.read(packet.payload)
        if message is None:
            self._dropped["not_a_call"] += 1
        elif not self._take_message(packet, message):
            self._early.append((packet, message))

    def _take_early(self, now_us: int) -> None:
        """Once more, for a while."""
        for _ in range(len(self._early)):
            packet, message = self._early.popleft()
            if self._take_message(packet, message):
                continue
            if now_us - packet.at_us > EARLY_US:
                self._dropped["no_beginning"] += 1
            else:
                self._early.append((packet, message))

    def _take_message(self, packet: hep.Packet, message: messages.Message) -> bool:
        """False: it belongs to no leg, so far."""
        is_ours = packet.source.partition(":")[2] in self.limits.ours
        try:
            leg = self._legs.leg_of(message, packet.at_us, is_ours=is_ours)
        except sqlite3.Error as problem:
            self._give_up(problem)
            return True
        if leg is None:
            return False
        if leg.is_new and not is_ours:
            self._calls += 1
            self.gate.note_call(packet.at_us)
        if leg.messages >= MESSAGES_MAX:
            self._dropped["too_many"] += 1
            return True
        peer = packet.target if is_ours else packet.source
        body = message.body if self.limits.with_bodies else ""
        self._waiting.append((leg.id, Captured(packet.at_us, is_ours, peer, message.first_line, message.head, body)))
        return True

    def _note_pause(self, now_us: int) -> None:
        log.info("capturing goes on" if self.gate.is_open else "too many calls begin: capturing pauses", calls=self._calls)
        try:
            if self.gate.is_open:
                self.file.end_pause(now_us)
            else:
                self.file.begin_pause(now_us, joins_within_us=JOINED_PAUSE_US)
        except sqlite3.Error as problem:
            self._give_up(problem)

    def _keep(self) -> None:
        try:
            self.file.append(self._waiting)
            self.file.commit()
        except sqlite3.Error as problem:
            self._give_up(problem)
        else:
            self._stored += len(self._waiting)
            self._waiting.clear()

    def _give_up(self, problem: sqlite3.Error) -> None:
        """The disk may be full. What waits is lost, and the next ones are tried again."""
        log.error("messages could not be kept", lost=len(self._waiting), problem=str(problem))
        self._dropped["not_kept"] += len(self._waiting)
        self._waiting.clear()
        self.file.undo()
        self._legs.forget()

    def _prune(self, now_us: int) -> None:
        before_us = now_us - self.limits.days * DAY_US
        try:
            for _ in range(PRUNE_STEPS_MAX):
                if not self.file.prune(before_us, self.limits.bytes_max):
                    return
                self._legs.forget()
        except sqlite3.Error as problem:
            self._give_up(problem)

    def _beat(self) -> None:
        beat = CaptureBeat(
            at=datetime.now(UTC),
            is_paused=not self.gate.is_open,
            stored=self._stored,
            calls=self._calls,
            dropped=dict(self._dropped),
            bytes=self.file.used_bytes(),
        )
        write_beat(self.beat_path, beat)


def open_channel(host: str, port: int) -> socket.socket:
    """Bound to a loopback address, so nobody else reaches it."""
    channel = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
    channel.setsockopt(socket.SOL_SOCKET, DROPS_OF_SOCKET, 1)
    channel.bind((host, port))
    return channel
