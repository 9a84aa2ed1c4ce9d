"""TLS only, or TLS with SRTP (R10.2): a real Asterisk with the configuration that we hand out, a real Kamailio, a real RTPengine, our rule.

Call control is played by the test: it decides with the product's functions from what the edge asks and reports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import PortBlock
from tests.sip.edge_instance import PASSWORD, PROFILE, USER, EdgeInstance, carrier, introduce
from tests.sip.fake_callcontrol import Json, allowed, refused, route
from tests.siptest import UserAgent, scenario
from trunkline.domain.directory import Binding
from trunkline.domain.media_encryption import Agreed, towards_pbx, unacceptable
from trunkline.domain.routing import replace_user
from trunkline.lab.asterisk import LabError
from trunkline.lab.pbx import pbx, wait_until_registered
from trunkline.lab.talker import Talker
from trunkline.runtime.engine_root import ensure_root
from trunkline.store.directory import Registered
from trunkline.usecases.pbx_config import TrunkDetails

pytestmark = pytest.mark.engines

LANDLINE, NUMBER, EXTENSION = "33123456789", "12025550101", "101"
SECONDS = 2.0


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeInstance]:
    with EdgeInstance(media=True) as instance:
        introduce(instance)
        yield instance


def asterisk(edge: EdgeInstance, ports: PortBlock, directory: Path, *, srtp: bool) -> Talker:
    """Registered by TLS."""
    host, port = edge.tls_server
    details = TrunkDetails(
        profile="Sales.Architects", domain=edge.domain, server=host, port=port, sip_user=USER, password=PASSWORD, transport="tls", srtp=srtp,
        extensions={NUMBER: EXTENSION}, bind=f"127.0.0.1:{ports.take()}",
    )  # fmt: skip
    talker = pbx(directory, ensure_root("lab"), details, ports.media)
    talker.start()
    try:
        wait_until_registered(talker)
    except LabError:
        talker.stop()
        raise
    return talker


@pytest.fixture(scope="module")
def with_srtp(edge: EdgeInstance, ports: PortBlock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talker]:
    talker = asterisk(edge, ports, tmp_path_factory.mktemp("srtp"), srtp=True)
    yield talker
    talker.stop()


@pytest.fixture
def without_srtp(edge: EdgeInstance, ports: PortBlock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talker]:
    talker = asterisk(edge, ports, tmp_path_factory.mktemp("plain"), srtp=False)
    yield talker
    talker.stop()


def registered(edge: EdgeInstance) -> Binding:
    found = edge.callcontrol.wait_for("reg", p=PROFILE)
    return Registered(found["contact"], found["src"], 0, found["ua"]).binding()


def decide(edge: EdgeInstance, callee: UserAgent, policy: str) -> None:
    """Calls from the PBX, by our rule."""

    def verdict(question: Json) -> Json:
        if name := unacceptable(policy, offered=question["srtp"] > 0):
            return refused(488, name)
        return allowed(route(f"sip:+{LANDLINE}@{callee.wire.local}"), media="relay")

    edge.callcontrol.admit = verdict


async def it_calls(edge: EdgeInstance, talker: Talker, policy: str) -> str:
    """What the PBX hears at last: nothing of the refusal but its status, or the other side's melody."""
    async with carrier(edge) as callee:
        decide(edge, callee, policy)
        call_id = talker.call(f"+{LANDLINE}", SECONDS)
        if policy == "auto":
            incoming = await callee.incoming()
            assert b"RTP/AVP " in incoming.invite.body
            assert b"crypto" not in incoming.invite.body
            await incoming.answer()
            assert incoming.media
            await incoming.media.play(SECONDS)
            await incoming.ended()
            assert incoming.media.likeness(call_id) > 0.7
        ended = await asyncio.to_thread(talker.ended, call_id)
        return "heard" if policy == "auto" and incoming.media and ended.heard.proves(incoming.media.seed) else ended.sip


async def it_is_called(edge: EdgeInstance, talker: Talker, agreed: Agreed) -> None:
    """Both hear each other."""
    binding = registered(edge)
    where = {"uri": replace_user(binding.contact, NUMBER), "dst": binding.via}
    routes = [route(**where, srtp="srtp" if agreed.srtp else "rtp"), *([route(**where, after_488=1)] if agreed.falls_back else [])]
    edge.callcontrol.admit = lambda question: allowed(*routes, media="relay")
    async with carrier(edge) as caller:
        call = await caller.invite(NUMBER, from_=f"<sip:+{LANDLINE}@{edge.domain}>")
        await call.answered()
        assert call.media
        await call.media.play(SECONDS)
        taken = await asyncio.to_thread(talker.taken, EXTENSION)
        assert call.media.likeness(talker.seed) > 0.7
        assert (await call.bye()).status == 200
        ended = await asyncio.to_thread(talker.ended, taken.id)
        assert ended.heard.proves(call.media.seed)


@scenario
async def test_a_pbx_that_offers_srtp_gets_it(edge: EdgeInstance, with_srtp: Talker) -> None:
    agreed = towards_pbx("auto", registered(edge))
    assert (agreed.srtp, agreed.why) == (True, "connected by TLS, by Asterisk")
    await it_is_called(edge, with_srtp, agreed)
    assert await it_calls(edge, with_srtp, "auto") == "heard"
    assert edge.callcontrol.asked("admit")[-1]["srtp"] == 1


@scenario
async def test_srtp_is_forbidden(edge: EdgeInstance, with_srtp: Talker) -> None:
    assert await it_calls(edge, with_srtp, "forbid") == "SIP 488 srtp_forbidden"


@scenario
async def test_srtp_is_required_of_a_pbx_that_has_none(edge: EdgeInstance, without_srtp: Talker) -> None:
    """It is refused; with calls to it, it refuses SRTP, and gets RTP if that may be."""
    assert await it_calls(edge, without_srtp, "force") == "SIP 488 srtp_required"
    assert edge.callcontrol.asked("admit")[-1]["srtp"] == 0
    await it_is_called(edge, without_srtp, towards_pbx("auto", registered(edge)))
    assert edge.callcontrol.events("ans")[-1]["tried"] == [[0, 488]]
