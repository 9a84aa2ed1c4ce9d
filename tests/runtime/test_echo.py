"""The echo service and its announcement, with the real baresip and RTPengine."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import pytest

from tests.runtime.conftest import Supervising
from tests.siptest import UserAgent, describe, scenario
from tests.siptest.rtp import RtpPort
from tests.siptest.sdp import Sdp
from trunkline.runtime import probes
from trunkline.runtime.engines.rtpengine import ECHO_ANNOUNCEMENT, ECHO_ANNOUNCEMENT_SECONDS
from trunkline.runtime.logs import log_tail
from trunkline.runtime.settings import Settings

pytestmark = pytest.mark.engines
Supervise = Callable[..., Supervising]
Bencoded = str | list[str] | dict[str, "Bencoded"]


@pytest.fixture
def echo(settings: Settings, supervise: Supervise) -> Settings:
    supervise(settings, "echo").await_ready()
    return settings


def phone(settings: Settings) -> UserAgent:
    return UserAgent(user="phone", server=("127.0.0.1", settings.echo_port))


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_one_hears_oneself(echo: Settings, codec: str) -> None:
    @scenario
    async def call() -> None:
        async with phone(echo) as caller:
            call = await caller.invite("17606604690", codecs=[codec])
            await call.answered()
            assert call.media
            assert call.media.remote
            assert echo.echo_ports[0] <= call.media.remote.port <= echo.echo_ports[1]
            await call.media.play(1.6)
            await call.media.packets(70)
            assert call.media.likeness() > 0.7  # all of it on a quiet machine
            await call.media.dial("42")
            await call.media.packets(100)
            assert (await call.bye()).status == 200

    call()


def test_callers_hear_only_themselves(echo: Settings) -> None:
    @scenario
    async def calls() -> None:
        async with phone(echo) as one, phone(echo) as other:
            first, second = await one.invite("echo"), await other.invite("echo")
            for call in (first, second):
                await call.answered()
            assert first.media
            assert second.media
            speaking = other.spawn(second.media.play(1.6))
            await first.media.play(1.6)
            await speaking
            await first.media.packets(70)
            assert first.media.likeness() > 0.7  # all of it on a quiet machine
            assert first.media.likeness(second.media.seed) < 0.5
            for call in (first, second):
                assert (await call.bye()).status == 200

    calls()


def bencoded(value: Bencoded) -> bytes:
    if isinstance(value, dict):
        return b"d" + b"".join(bencoded(key) + bencoded(part) for key, part in value.items()) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(bencoded, value)) + b"e"
    return b"%d:%s" % (len(value.encode()), value.encode())


async def tell_rtpengine(settings: Settings, **command: Bencoded) -> str:
    request = bencoded({name.replace("_", "-"): value for name, value in command.items()})
    cookie = secrets.token_hex(4).encode()
    answer = await probes._ask(("127.0.0.1", settings.rtpengine_port), cookie + b" " + request)
    assert answer.startswith(cookie + b" "), answer
    assert b"6:result2:ok" in answer, (answer, log_tail(settings.log_dir / "rtpengine.log"))
    return answer.decode()


def offer(media: RtpPort) -> str:
    return describe(media.local.host, media.local.port, ["PCMA"]).decode()


def description(answer: str) -> Sdp:
    found = re.search(r"3:sdp\d+:(.*)", answer, re.DOTALL)
    assert found
    return Sdp.parse(found[1].encode())


def test_the_announcement_comes_first_and_holds_the_echo_back(settings: Settings, supervise: Supervise) -> None:
    """The recipe: RTPengine reads the file inside its sandbox; who called hears it, and only then what comes from the other side."""
    supervise(settings, "rtpengine").await_ready()

    @scenario
    async def call() -> None:
        caller, called = await RtpPort.open("127.0.0.1"), await RtpPort.open("127.0.0.1")
        named: dict[str, Bencoded] = {"call_id": "c", "from_tag": "a"}
        called.aim(description(await tell_rtpengine(settings, command="offer", **named, sdp=offer(caller))))
        caller.aim(description(await tell_rtpengine(settings, command="answer", **named, to_tag="b", sdp=offer(called))))
        await tell_rtpengine(settings, command="block media", call_id="c", from_tag="b")
        await tell_rtpengine(settings, command="play media", **named, file=str(ECHO_ANNOUNCEMENT))
        await caller.play(0.1)
        await called.play(ECHO_ANNOUNCEMENT_SECONDS)
        await tell_rtpengine(settings, command="unblock media", call_id="c", from_tag="b")
        await called.play(1.2)
        announced = [packet for packet in caller.received if packet.ssrc == caller.received[0].ssrc]
        after = [packet for packet in caller.received if packet.ssrc != caller.received[0].ssrc]
        assert 100 < len(announced) < 250
        assert len({packet.payload for packet in announced}) > 50, "a voice, not silence"
        assert len(after) > 50
        assert after[0].at >= announced[-1].at
        await tell_rtpengine(settings, command="delete", **named)
        for media in (caller, called):
            media.close()

    call()
