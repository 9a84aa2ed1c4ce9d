"""A scriptable SIP user agent for tests. Start reading at `agent.UserAgent` and `call.Call`."""

from __future__ import annotations

from tests.siptest.agent import UserAgent
from tests.siptest.call import Call
from tests.siptest.certificate import self_signed, untrusting
from tests.siptest.message import Address, Message
from tests.siptest.rtp import RtpPort
from tests.siptest.scenario import scenario
from tests.siptest.sdp import Sdp, describe
from tests.siptest.transcript import UnmetError
from tests.siptest.wire import Peer, StreamWire

__all__ = [
    "Address",
    "Call",
    "Message",
    "Peer",
    "RtpPort",
    "Sdp",
    "StreamWire",
    "UnmetError",
    "UserAgent",
    "describe",
    "scenario",
    "self_signed",
    "untrusting",
]
