"""What a real Asterisk makes of each refusal: measured, and as docs/reference/refusals-on-asterisk.md says it.

The PBX has two trunks. The first refuses; the dialplan writes down what Dial() reports and dials the second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import PortBlock
from tests.siptest import Call, UserAgent, scenario
from trunkline.domain.refusals import REFUSALS
from trunkline.lab.talker import Talker
from trunkline.runtime.engine_root import ensure_root

pytestmark = pytest.mark.engines

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "refusals-on-asterisk.md"

# SIP status -> (DIALSTATUS, HANGUPCAUSE). The headers beside it (Reason, Retry-After) change nothing.
MEASURED = {
    402: ("CHANUNAVAIL", "127"),
    403: ("CHANUNAVAIL", "21"),
    404: ("CHANUNAVAIL", "1"),
    480: ("NOANSWER", "19"),
    482: ("CHANUNAVAIL", "127"),
    484: ("CHANUNAVAIL", "28"),
    486: ("BUSY", "17"),
    488: ("CHANUNAVAIL", "58"),
    500: ("CHANUNAVAIL", "38"),
    503: ("CONGESTION", "34"),
    603: ("CHANUNAVAIL", "21"),
}
OVERFLOWS = {"CHANUNAVAIL", "CONGESTION"}  # on which a dialplan that looks at DIALSTATUS goes on to the next line

BARE = [pytest.param(status, "", id=f"bare {status}") for status in MEASURED]
HEADERS = [
    pytest.param(503, "Retry-After: 30\r\n", id="503 with Retry-After"),
    pytest.param(403, "Reason: Q.850;cause=34\r\n", id="403 with cause 34"),
]
OURS = [pytest.param(row.status, row.headers, id=name) for name, row in REFUSALS.items()]


def trunk(name: str, port: int) -> str:
    return f"""
[{name}]
type=aor
contact=sip:127.0.0.1:{port}
qualify_frequency=600
qualify_timeout=1

[{name}]
type=endpoint
transport=transport
context=none
aors={name}
allow=!all,alaw
from_user=pbx
"""


DIALPLAN = """
[internal]
exten => _X.,1,Dial(PJSIP/${EXTEN}@first,20)
 same => n,Set(FILE(${LAB_DIR}/calls,,,al,u)=first ${LAB_ID} ${DIALSTATUS} ${HANGUPCAUSE})
 same => n,Dial(PJSIP/${EXTEN}@second,20)
 same => n,Hangup()
"""


@dataclass(frozen=True)
class Line:
    """The PBX, and where its two trunks are."""

    talker: Talker
    pbx_port: int
    first_port: int
    second_port: int

    @asynccontextmanager
    async def trunks(self) -> AsyncIterator[tuple[UserAgent, UserAgent]]:
        first = UserAgent(user="first", server=("127.0.0.1", self.pbx_port), port=self.first_port)
        second = UserAgent(user="second", server=("127.0.0.1", self.pbx_port), port=self.second_port)
        async with first, second:
            yield first, second


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, ports: PortBlock) -> Iterator[Line]:
    pbx, first, second = (ports.take() for _ in range(3))
    transport = f"[transport]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{pbx}\n"
    files = {"pjsip.conf": transport + trunk("first", first) + trunk("second", second), "extensions.conf": DIALPLAN}
    talker = Talker(tmp_path_factory.mktemp("pbx"), files, ensure_root("lab"), ports.media)
    talker.start()
    yield Line(talker, pbx, first, second)
    talker.stop()


async def take_briefly(call: Call) -> None:
    await call.answer()
    await call.bye()


@pytest.mark.parametrize(("status", "headers"), BARE + HEADERS + OURS)
@scenario
async def test_the_next_line_is_tried_at_once(line: Line, status: int, headers: str) -> None:
    pbx = line.talker
    async with line.trunks() as (first, second):
        call_id = pbx.call("12025550100", 0.1)
        pairs = [header.split(": ", 1) for header in headers.splitlines()]
        await (await first.incoming()).reject(status, headers=[(name, value) for name, value in pairs])
        refused_at = first.transcript.entries[-1].at
        overflow = await second.incoming()
        assert overflow.invited_at - refused_at < 0.5
        await take_briefly(overflow)
        await asyncio.to_thread(pbx.ended, call_id)
        assert tuple(pbx.note("first", call_id)) == MEASURED[status]

        # No refusal marks the trunk: the next call tries it first again, Retry-After or not.
        call_id = pbx.call("12025550100", 0.1)
        await take_briefly(await first.incoming())
        await asyncio.to_thread(pbx.ended, call_id)


@scenario
async def test_only_silence_marks_a_trunk(line: Line) -> None:
    """Any answer to OPTIONS will do; without one, Dial() does not even send an INVITE."""
    pbx = line.talker
    async with line.trunks() as (first, second):
        for status in (503, 403, 200):
            first.options_status = status
            assert await qualified(pbx, first, "Avail")
        first.options_status = None
        assert await qualified(pbx, first, "Unavail")
        call_id = pbx.call("12025550100", 0.1)
        await take_briefly(await second.incoming())
        await asyncio.to_thread(pbx.ended, call_id)
        assert pbx.note("first", call_id) == ["CHANUNAVAIL", "3"]
        assert not first.transcript.received("INVITE")
        first.options_status = 200
        assert await qualified(pbx, first, "Avail")


async def qualified(pbx: Talker, first: UserAgent, status: str) -> bool:
    """Asterisk probes the trunk and comes to this opinion within two seconds."""
    probes = len(first.transcript.received("OPTIONS"))
    await asyncio.to_thread(pbx.asterisk.cli, "pjsip qualify first")

    def decided() -> bool:
        shown = next(shown for shown in pbx.asterisk.cli("pjsip show contacts").splitlines() if "first/sip:" in shown)
        return len(first.transcript.received("OPTIONS")) > probes and shown.split()[3] == status

    await asyncio.to_thread(pbx.asterisk.wait, decided, f"the trunk to be {status}", 3.0)
    return True


def test_emergency_calls_overflow() -> None:
    """R6.5: a dialplan that looks at DIALSTATUS goes on to the next line."""
    assert MEASURED[REFUSALS["emergency"].status][0] in OVERFLOWS


def test_the_page_says_what_is_measured() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for status, (dial_status, cause) in MEASURED.items():
        assert f"| {status} | {dial_status} | {cause} |" in page
