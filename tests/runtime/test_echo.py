"""The echo service and its announcement, with the real baresip and RTPengine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.runtime.conftest import Supervising
from tests.siptest import UserAgent, scenario
from trunkline.runtime.settings import Settings

pytestmark = pytest.mark.engines
Supervise = Callable[..., Supervising]


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
