"""SIP ladders (SPEC R13): what a real Kamailio sends of calls, and what the capture keeps of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar

import pytest

from tests.sip.edge_instance import CARRIER_ADDRESS, EdgeInstance, carrier, connect, pbx
from tests.sip.fake_callcontrol import refused
from tests.siptest import scenario
from trunkline.domain.sip_order import Captured
from trunkline.runtime.beat import CaptureBeat, read_capture_beat
from trunkline.store.ladders import Ladder, Wanted, read_ladder

pytestmark = [pytest.mark.engines, pytest.mark.usefixtures("no_complaints")]

T = TypeVar("T")
WAIT_SECONDS = 10.0


class Capture:
    """`python -m trunkline.capture` for this edge."""

    def __init__(self, edge: EdgeInstance, **settings: str) -> None:
        self.edge = edge
        environment = {**os.environ, **edge.settings.environment(), **settings}
        with (edge.home / "capture.log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "trunkline.capture"], env=environment, stdout=log, stderr=log)
        self._is_up()

    def _is_up(self) -> None:
        try:
            await_that(lambda: self.beat() is not None)
        except AssertionError:
            self.end(signal.SIGKILL)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.end()

    def beat(self) -> CaptureBeat | None:
        return read_capture_beat(self.edge.settings.capture_beat)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(WAIT_SECONDS)

    def ladder(self, ref: str, call_id: str, count: int) -> Ladder:
        """As soon as so many messages are there."""
        now = time.time_ns() // 1000
        wanted = Wanted(int(ref), call_id, "", now - 60_000_000, now)

        def found() -> Ladder | None:
            ladder = read_ladder(self.edge.settings.capture_path, wanted)
            return ladder if ladder and len(ladder.caller) + len(ladder.callee) >= count else None

        try:
            return await_that(found)
        except AssertionError:
            kept = read_ladder(self.edge.settings.capture_path, wanted)
            raise AssertionError(f"{count} messages wanted: {kept and (lines(kept.caller), lines(kept.callee))}, {self.beat()}") from None


def await_that(found: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def capture(edge: EdgeInstance) -> Iterator[Capture]:
    with Capture(edge) as running:
        yield running


def lines(leg: Sequence[Captured]) -> list[str]:
    """Who says what: `>` is ours. A status or a method."""
    return [f"{'>' if one.is_ours else '<'} {one.first_line.removeprefix('SIP/2.0 ').split()[0]}" for one in leg]


@scenario
async def test_both_legs_of_a_call_are_kept_as_they_were_on_the_wire(edge: EdgeInstance, capture: Capture) -> None:
    async with pbx(edge) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        assert (await caller.register()).status == 200
        assert (await up.caller.bye()).status == 200
        await up.callee.ended()
        ladder = capture.ladder(up.verdict["call"], up.caller.call_id, 18)
        assert lines(ladder.caller) == [
            "< INVITE", "> 100", "> 407", "< ACK", "< INVITE", "> 100", "> 180", "> 200", "< ACK", "< BYE", "> 200",
        ]  # fmt: skip
        assert lines(ladder.callee) == ["> INVITE", "< 100", "< 180", "< 200", "> ACK", "> BYE", "< 200"]
        assert {one.peer for one in ladder.caller} == {f"udp:{caller.wire.local}"}
        assert {one.peer for one in ladder.callee} == {f"udp:{callee.wire.local}"}
        assert not ladder.is_paused
        told = "\n".join(f"{one.first_line}\n{one.head}" for one in ladder.caller)
        assert CARRIER_ADDRESS not in told
        assert "Proxy-Authorization: Digest (not kept)" in told
        assert "nonce=" not in ladder.caller[4].head
        assert all(one.body == "" for one in ladder.caller)
        beat = await_that(lambda: beat if (beat := capture.beat()) and beat.stored else None)
        assert (beat.dropped, beat.is_paused) == ({}, False), "a REGISTER must not even be sent"


@scenario
async def test_a_refused_call_has_its_ladder(edge: EdgeInstance, capture: Capture) -> None:
    async with pbx(edge) as caller:
        edge.callcontrol.admit = lambda question: refused(402, "Payment Required", "")
        call = await caller.invite("33123456789")
        assert (await call.final()).status == 402
        ladder = capture.ladder("1", call.call_id, 8)
        assert lines(ladder.caller) == ["< INVITE", "> 100", "> 407", "< ACK", "< INVITE", "> 100", "> 402", "< ACK"]
        assert lines(ladder.callee) == []


@scenario
async def test_a_call_does_not_notice_that_the_capture_dies(edge: EdgeInstance) -> None:
    with Capture(edge) as first:
        async with pbx(edge) as caller, carrier(edge) as callee:
            up = await connect(edge, caller, callee)
            first.ladder(up.verdict["call"], up.caller.call_id, 14)
            first.end(signal.SIGKILL)
            again = await connect(edge, caller, callee)
            assert (await again.caller.bye()).status == 200
            await again.callee.ended()
            with Capture(edge) as second:
                assert (await up.callee.bye()).status == 200
                await up.caller.ended()
                ladder = second.ladder(up.verdict["call"], up.caller.call_id, 18)
                assert lines(ladder.callee)[-2:] == ["< BYE", "> 200"]
                assert lines(ladder.caller)[-2:] == ["> BYE", "< 200"]


@scenario
async def test_too_many_calls_close_the_gate_and_go_on(edge: EdgeInstance) -> None:
    with Capture(edge, TRUNKLINE_CAPTURE_CALLS_PER_SECOND="3") as capture:
        async with pbx(edge) as caller, carrier(edge) as callee:
            for _ in range(4):
                up = await connect(edge, caller, callee)
                assert (await up.caller.bye()).status == 200
                await up.callee.ended()
            await_that(lambda: edge.rpc.call("siptrace.status", "check") == "Disabled")
            late = await connect(edge, caller, callee)
            assert (await late.caller.bye()).status == 200
            await late.callee.ended()

            def paused() -> Ladder | None:
                ladder = capture.ladder(late.verdict["call"], late.caller.call_id, 0)
                return ladder if ladder.is_paused else None

            ladder = await_that(paused)
            assert (ladder.caller, ladder.callee) == ([], [])
    with Capture(edge):
        await_that(lambda: edge.rpc.call("siptrace.status", "check") == "Enabled")


@scenario
async def test_bodies_are_kept_only_when_the_operator_says_so(edge: EdgeInstance) -> None:
    offer = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n"
    offer += b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n"
    with Capture(edge, TRUNKLINE_CAPTURE_BODIES="true") as capture:
        async with pbx(edge) as caller, carrier(edge) as callee:
            up = await connect(edge, caller, callee, body=offer, media="direct")
            ladder = capture.ladder(up.verdict["call"], up.caller.call_id, 14)
            assert "m=audio 4000" in ladder.caller[0].body
            assert "inline:(not kept)" in ladder.caller[0].body
            assert (await up.caller.bye()).status == 200
            await up.callee.ended()
