"""The lab by itself: PBX and carrier talk to each other without anybody in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.ports import PortBlock
from trunkline.lab.carrier import carrier
from trunkline.lab.pbx import pbx
from trunkline.lab.talker import Talker
from trunkline.runtime.engine_root import ensure_root
from trunkline.usecases.pbx_config import TrunkDetails

pytestmark = pytest.mark.engines

PBX_ADDRESS, CARRIER_ADDRESS = "127.0.0.3", "127.0.0.2"
NUMBER = "442079460"


@dataclass(frozen=True)
class Lab:
    pbx: Talker
    carrier: Talker


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, ports: PortBlock) -> Iterator[Lab]:
    here, there = (PBX_ADDRESS, ports.take()), (CARRIER_ADDRESS, ports.take())
    details = TrunkDetails(profile="Lab", domain=there[0], port=there[1], extensions={"12025550110": "101"}, bind=f"{here[0]}:{here[1]}")
    home, root = tmp_path_factory.mktemp("lab"), ensure_root("lab")
    one = pbx(home / "pbx", root, details, ports.media)
    other = carrier(home / "carrier", root, address=there[0], port=there[1], platform=here, rtp_ports=ports.media)
    try:
        one.start()
        other.start()
        yield Lab(one, other)
    finally:
        one.stop()
        other.stop()


def test_each_side_hears_the_other(lab: Lab) -> None:
    call = lab.pbx.call(f"+{NUMBER}100", 2.0)
    ended = lab.pbx.ended(call)
    taken = lab.carrier.taken(f"+{NUMBER}100")
    assert ended.heard.proves(lab.carrier.seed)
    assert lab.carrier.ended(taken.id).heard.proves(call)
    assert not ended.heard.proves(call), "its own voice is not what the PBX heard"


def test_the_carrier_calls_an_extension(lab: Lab) -> None:
    call = lab.carrier.call("12025550110", 2.0, caller="+442079460123")
    assert lab.carrier.ended(call).heard.proves(lab.pbx.seed)
    taken = lab.pbx.taken("101")
    assert taken.caller == "+442079460123"
    assert lab.pbx.ended(taken.id).heard.proves(call)


@pytest.mark.parametrize(
    ("ending", "dial_status", "sip"),
    [
        ("104", "CHANUNAVAIL", "SIP 404 Not Found"),
        ("103", "CONGESTION", "SIP 503 Service Unavailable"),
        ("186", "BUSY", "SIP 486 Busy Here"),
    ],
)
def test_numbers_that_refuse(lab: Lab, ending: str, dial_status: str, sip: str) -> None:
    ended = lab.pbx.ended(lab.pbx.call(f"+{NUMBER}{ending}"))
    assert (ended.dial_status, ended.sip) == (dial_status, sip)


def test_an_answer_without_audio_proves_nothing(lab: Lab) -> None:
    ended = lab.pbx.ended(lab.pbx.call(f"+{NUMBER}187"))
    assert ended.answered
    assert not ended.heard.proves(lab.carrier.seed)


def test_early_media_is_followed_by_the_answer(lab: Lab) -> None:
    ended = lab.pbx.ended(lab.pbx.call(f"+{NUMBER}183", 2.0))
    assert ended.heard.proves(lab.carrier.seed)
