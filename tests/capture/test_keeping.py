"""What the capture keeps, for how long, and when it lets calls be (SPEC R13)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.capture.test_hep import KEY, USUAL, chunk, datagram
from trunkline.capture.gate import CLOSED_US, RETRY_US, Gate, Switch
from trunkline.capture.receiver import Limits, Receiver, open_channel
from trunkline.domain.sip_order import Captured
from trunkline.store.ladders import DAY_US, LadderFile, Wanted, read_ladder

US = 1_795_000_000_250_000


@dataclass
class Kamailio:
    """Takes commands, or is away."""

    is_away: bool = False
    told: list[str] = field(default_factory=list)

    def call(self, method: str, *params: str) -> str:
        if self.is_away:
            raise ConnectionRefusedError
        self.told.append(params[0])
        return ""


def test_the_gate_closes_at_the_limit_and_opens_after_a_while() -> None:
    gate = Gate(3)
    for number in range(3):
        gate.note_call(number * 500_000)
        assert not gate.look(number)
    for number in range(3):
        gate.note_call(3_000_000 + number)
    assert (gate.look(3_000_010), gate.is_open) == (True, False)
    assert not gate.look(3_000_009 + CLOSED_US)
    assert (gate.look(3_000_010 + CLOSED_US), gate.is_open) == (True, True)
    assert not gate.look(3_000_011 + CLOSED_US), "what was counted before is forgotten"


def test_messages_without_calls_close_it_as_well() -> None:
    gate = Gate(1)
    for number in range(40):
        gate.note_message(number)
    assert gate.look(100)


def test_kamailio_is_told_once_and_again_while_it_is_away() -> None:
    kamailio = Kamailio(is_away=True)
    switch = Switch(kamailio)  # type: ignore[arg-type]
    switch.tell(0, on=True)
    kamailio.is_away = False
    switch.tell(RETRY_US - 1, on=True)
    assert kamailio.told == []
    switch.tell(RETRY_US, on=True)
    switch.tell(RETRY_US + 1, on=True)
    switch.tell(RETRY_US + 1, on=False)
    assert kamailio.told == ["on", "off"]
    switch.doubt(RETRY_US + 2)
    switch.tell(RETRY_US + 3, on=False)
    assert kamailio.told == ["on", "off"], "not for each message that is still under way"
    switch.tell(2 * RETRY_US + 2, on=False)
    assert kamailio.told == ["on", "off", "off"]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[LadderFile]:
    opened = LadderFile(tmp_path / "capture.sqlite3")
    yield opened
    opened.close()


def keep(file: LadderFile, call_id: str, at_us: int, *, ref: int | None = None, text: str = "x") -> None:
    leg = file.begin_leg(call_id, at_us)
    if ref is not None:
        file.name_leg(leg, ref)
    file.append([(leg, Captured(at_us, False, "udp:192.0.2.1:5060", "BYE sip:a SIP/2.0", text))])
    file.commit()


def wanted(**details: Any) -> Wanted:
    return replace(Wanted(7, "a", "", US, US), **details)


def test_a_call_has_two_legs_and_no_other_callers(file: LadderFile, tmp_path: Path) -> None:
    path = tmp_path / "capture.sqlite3"
    assert read_ladder(tmp_path / "none.sqlite3", wanted()) is None
    keep(file, "a", US)
    keep(file, "tl!a", US, ref=7)
    keep(file, "b", US)
    assert path.stat().st_mode & 0o777 == 0o600
    ladder = read_ladder(path, wanted(caller_host="192.0.2.1"))
    assert ladder is not None
    assert (len(ladder.caller), len(ladder.callee)) == (1, 1)
    for other in ({"caller_host": "192.0.2.10"}, {"call_id": ""}, {"started_us": US + 60_000_000, "ended_us": US + 70_000_000}):
        ladder = read_ladder(path, wanted(**other))
        assert ladder is not None
        assert ladder.caller == []


def test_pauses_are_remembered_and_joined(file: LadderFile, tmp_path: Path) -> None:
    file.begin_pause(US, joins_within_us=10)
    file.commit()
    path = tmp_path / "capture.sqlite3"

    def is_paused(from_us: int, until_us: int) -> bool:
        ladder = read_ladder(path, wanted(started_us=from_us, ended_us=until_us))
        assert ladder is not None
        return ladder.is_paused

    assert is_paused(US + 5, US + 6)
    file.end_pause(US + 100)
    file.begin_pause(US + 105, joins_within_us=10)
    file.end_pause(US + 200)
    file.commit()
    assert is_paused(US + 102, US + 103), "two that follow each other are one"
    assert not is_paused(US + 201, US + 300)
    assert not is_paused(US - 10, US - 1)


def test_the_old_and_the_many_are_forgotten(file: LadderFile, tmp_path: Path) -> None:
    keep(file, "old", US - 2 * DAY_US)
    keep(file, "a", US)
    assert file.prune(US - DAY_US, 1 << 40) == 1
    assert file.prune(US - DAY_US, 1 << 40) == 0
    for number in range(600):
        keep(file, f"many{number}", US + number, text="x" * 2000)
    before = file.used_bytes()
    assert file.prune(0, before // 2) == 500
    assert file.used_bytes() < before // 2
    assert file.prune(0, before // 2) == 0
    assert file.find_leg("a") is None
    assert file.find_leg("many599") is not None


def test_a_file_that_is_none_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "capture.sqlite3"
    path.write_bytes(b"no database" * 1000)
    LadderFile(path).close()
    assert read_ladder(path, wanted()) is not None


class Running:
    """A receiver without a Kamailio; `turn` as often as a test wants."""

    def __init__(self, home: Path) -> None:
        self.kamailio, self.path = Kamailio(), home / "capture.sqlite3"
        limits = Limits(ours=frozenset({"198.51.100.7:5080"}), key=KEY, with_bodies=False, days=7, bytes_max=1 << 30)
        channel = open_channel("127.0.0.1", 0)
        switch = Switch(self.kamailio)  # type: ignore[arg-type]
        self.receiver = Receiver(channel, LadderFile(self.path), Gate(50), switch, limits, home / "capture.beat")

    def hear(self, *payloads: str, ours: bool = False) -> None:
        """`1` is the Call-ID in `INVITE 1`, `200 1`, ..."""
        chunks = USUAL | ({3: USUAL[4], 4: USUAL[3], 7: USUAL[8], 8: USUAL[7]} if ours else {})
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for each in payloads:
                data = chunks | {15: sip(each).encode()}
                sender.sendto(datagram(*(chunk(kind, value) for kind, value in data.items())), self.receiver.channel.getsockname())
        self.receiver.turn()
        self.receiver._keep()

    def lines(self, call_id: str, ref: int = 0) -> list[str]:
        ladder = read_ladder(self.path, wanted(call_id=call_id, call_ref=ref))
        assert ladder is not None
        return [one.first_line.split()[0] for one in (*ladder.caller, *ladder.callee)]


def sip(what: str) -> str:
    method, call_id, *more = what.split()
    first = f"SIP/2.0 {method} X" if method.isdecimal() else f"{method} sip:x SIP/2.0"
    route = f"Record-Route: <sip:x;lr;tl={more[0]}.c4f0>\r\n" if more else ""
    return f"{first}\r\n{route}To: <sip:y>\r\nCall-ID: {call_id}\r\nCSeq: 1 {'INVITE' if method.isdecimal() else method}\r\n\r\n"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.receiver.close()


def test_only_calls_that_were_seen_to_begin_are_kept(running: Running) -> None:
    running.hear("INVITE a", "200 a", "BYE b")
    running.receiver.turn()
    assert running.lines("a") == ["INVITE", "SIP/2.0"]
    assert running.lines("b") == []


def test_an_answer_that_is_early_waits_for_its_call(running: Running) -> None:
    running.hear("200 a", "INVITE a")
    assert sorted(running.lines("a")) == ["INVITE", "SIP/2.0"]


def test_a_reference_counts_only_in_what_we_sent(running: Running) -> None:
    running.hear("INVITE forged 7")
    running.hear("INVITE real 7", ours=True)
    assert running.lines("none", 7) == ["INVITE"]


def test_a_flood_closes_the_gate_and_what_comes_then_is_counted(running: Running) -> None:
    running.receiver.gate = Gate(2)
    running.hear("INVITE a", "INVITE b")
    running.hear("INVITE c")
    assert running.kamailio.told == ["off"]
    assert running.lines("c") == []
    assert running.receiver._dropped["paused"] == 1
    ladder = read_ladder(running.path, wanted(started_us=running.receiver.gate._opens_us - 1, ended_us=running.receiver.gate._opens_us))
    assert ladder is not None
    assert ladder.is_paused
