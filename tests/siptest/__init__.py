"""A scriptable SIP user agent for tests: `UserAgent` (agent.py), its `Call`s (call.py), their `media` (rtp.py).

@scenario
async def test_x() -> None:
    async with UserAgent(server=("127.0.0.1", 5060), domain=..., user=..., password=..., transport="udp") as pbx:
        await pbx.register(expires=60, contact="<sip:me@10.0.0.1>")   # final response; 401/407 are answered by themselves
        call = await pbx.invite("+12025550100", headers=[("Privacy", "id")], body=None, codecs=("PCMA",))
        await call.expect(180, 183)          # the next response; `final(486)` skips 1xx; `answered()` wants 200 and sends ACK
        await call.media.play(2.0)           # our own melody; then call.media.likeness(), .lost, .sources, .digits, .packets(n)
        await call.reinvite(); await call.update(); await call.request("INFO"); await call.cancel(); await call.bye()
        ended = await call.ended()           # the other side's BYE, with its Reason; `call.bye_at` says when

        incoming = await pbx.incoming()      # somebody calls us: ring(), ring(183, sdp=True), answer(), reject(486, headers=...),
        await incoming.expect_cancel()       # or just nothing; `pbx.on_invite` answers many

        await pbx.send_raw(b"any bytes")
        pbx.silent = True                    # like a host that is gone; `options_status`, `on_request`, `trying` change single answers
        pbx.transcript.received("INVITE"), pbx.transcript.received(status=200, method="BYE"), pbx.transcript.full()

Every wait takes `within=` seconds, 5 by itself; an UnmetError shows the ladder.
"""

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
