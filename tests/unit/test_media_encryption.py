"""TLS only, or TLS with SRTP (R10.2): what is agreed with a PBX, why, and what a call from it may offer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.test_admission import ENGINEERING, Known, incoming, out, with_profile
from trunkline.domain.admission import Decision
from trunkline.domain.directory import Binding
from trunkline.domain.media_encryption import DEVICES, towards_pbx, unacceptable
from trunkline.domain.refusals import REFUSALS

UNKNOWN, PLAIN = "A PBX 20.1", "Cisco-SIPGateway/IOS-16.12.4"
SRTP_THEN_RTP, RTP, SRTP = "SRTP, then RTP", "RTP", "SRTP"


@pytest.mark.parametrize(
    ("policy", "transport", "agent", "offered", "wanted"),
    [
        ("auto", "udp", "Asterisk PBX 22.10.0", None, RTP),
        ("auto", "tcp", "Asterisk PBX 22.10.0", True, RTP),
        ("auto", "tls", "Asterisk PBX 22.10.0", None, SRTP_THEN_RTP),
        ("auto", "tls", "Asterisk PBX 22.10.0", False, RTP),
        ("auto", "tls", UNKNOWN, None, SRTP_THEN_RTP),
        ("auto", "tls", "", None, SRTP_THEN_RTP),
        ("auto", "tls", PLAIN, None, RTP),
        ("auto", "tls", PLAIN, True, SRTP_THEN_RTP),
        ("force", "udp", PLAIN, False, SRTP),
        ("force", "tls", UNKNOWN, None, SRTP),
        ("forbid", "tls", "Asterisk PBX 22.10.0", True, RTP),
    ],
)
def test_what_a_pbx_gets(policy: str, transport: str, agent: str, offered: bool | None, wanted: str) -> None:
    known = with_profile(replace(ENGINEERING, srtp=policy))
    binding = known.bindings[2] = Binding("sip:s@192.0.2.9:5062", transport=transport, user_agent=agent, srtp_offered=offered)
    decision = incoming("12025550102", known=known)
    assert [(route.srtp, route.after_488) for route in decision.routes] == {
        RTP: [("rtp", False)],
        SRTP: [("srtp", False)],
        SRTP_THEN_RTP: [("srtp", False), ("rtp", True)],
    }[wanted]
    agreed = towards_pbx(policy, binding)
    assert ("media", f"PBX of Engineering.Architects gets {agreed}") in decision.trace
    assert str(agreed).partition(":")[0] == wanted.partition(",")[0]


@pytest.mark.parametrize(
    ("policy", "offered", "name"),
    [
        ("auto", False, ""), ("auto", True, ""), ("force", True, ""), ("force", False, "srtp_required"),
        ("forbid", False, ""), ("forbid", True, "srtp_forbidden"),
    ],
)  # fmt: skip
def test_what_a_pbx_may_offer(policy: str, offered: bool, name: str) -> None:
    known = Known()
    known.profiles[1] = replace(known.profiles[1], srtp=policy)
    decision: Decision = out("+33123456789", known=known, srtp_offered=offered)
    assert unacceptable(policy, offered=offered) == name
    assert decision.refusal is (REFUSALS[name] if name else None)
    assert decision.refusal is None or decision.refusal.status == 488


def test_with_direct_media_nothing_is_promised() -> None:
    known = with_profile(replace(ENGINEERING, media="direct"))
    assert ("media", "PBX of Engineering.Architects gets what the other side offers") in incoming("12025550102", known=known).trace


def test_the_page_has_every_device() -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "edge.md").read_text(encoding="utf-8")
    assert [device.agent for device in DEVICES if f"`{device.agent}`" not in page] == []


def test_no_device_hides_another() -> None:
    agents = [device.agent for device in DEVICES]
    assert [(one, other) for one in agents for other in agents if one != other and other.startswith(one)] == []
