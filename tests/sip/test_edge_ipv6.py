"""Everything over IPv6: a PBX at [::1] calls the echo test, and hears it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.sip.edge_instance import EdgeInstance, introduce, pbx
from tests.sip.fake_callcontrol import allowed, route
from tests.siptest import scenario
from trunkline.runtime.engine_root import ensure_root
from trunkline.runtime.engines.echo import echo_command
from trunkline.runtime.probes import echo_answers

pytestmark = pytest.mark.engines

HOST = "::1"
SECONDS = 2.0
START_SECONDS = 15.0


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeInstance]:
    with EdgeInstance(media=True, sip_address=HOST) as instance:
        introduce(instance)
        yield instance


@pytest.fixture
def echo(edge: EdgeInstance) -> Iterator[str]:
    """Where it is."""
    with (edge.home / "echo.log").open("ab") as log:
        command = echo_command(edge.settings, ensure_root("engine"))
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not asyncio.run(echo_answers(edge.settings)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"sip:echo@[{HOST}]:{edge.settings.echo_port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def test_the_echo_test(edge: EdgeInstance, echo: str) -> None:
    @scenario
    async def call() -> None:
        async with pbx(edge, host=HOST) as caller:
            assert (await caller.register()).status == 200
            edge.callcontrol.admit = lambda question: allowed(route(echo), media="relay")
            call = await caller.invite("17606604690")
            await call.answered()
            assert call.media
            assert call.media.remote
            assert call.media.remote.host == HOST
            await call.media.play(SECONDS)
            await call.media.packets(75)
            assert call.media.likeness() > 0.7, "its own voice"
            assert (await call.bye()).status == 200

    call()
    assert edge.callcontrol.asked("admit")[-1]["src"].startswith("udp:[::1]:")
