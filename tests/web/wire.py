"""SIP messages of a call, written as the capture writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.test.utils import override_settings

from trunkline.domain.sip_order import Captured
from trunkline.store.ladders import LadderFile
from trunkline.store.models import CallRecord

PBX, CARRIER = "udp:192.0.2.1:5060", "udp:198.51.100.7:5060"
CALLER_LEG = (
    (0, False, "INVITE sip:33123456789@trunk.example SIP/2.0", "b1"),
    (1, True, "SIP/2.0 407 Proxy Authentication Required", "b1"),
    (2, False, "ACK sip:33123456789@trunk.example SIP/2.0", "b1"),
    (3, False, "INVITE sip:33123456789@trunk.example SIP/2.0", "b2"),
    (4, True, "SIP/2.0 100 Trying", "b2"),
    (2400, True, "SIP/2.0 180 Ringing", "b2"),
    (2900, True, "SIP/2.0 180 Ringing", "b2"),
    (5100, True, "SIP/2.0 503 Service Unavailable", "b2"),
)
CALLEE_LEG = (
    (12, True, "INVITE sip:+33123456789@198.51.100.7 SIP/2.0", "c1"),
    (14, False, "SIP/2.0 100 Trying", "c1"),
    (2398, False, "SIP/2.0 180 Cheap Carrier rings", "c1"),
    (5098, False, "SIP/2.0 503 Cheap Carrier is full", "c1"),
)
Leg = tuple[tuple[int, bool, str, str], ...]


@contextmanager
def captures(home: Path, *, calls_per_second: int = 50) -> Iterator[LadderFile]:
    """The pages read the capture of this home."""
    with (
        override_settings(INSTANCE=replace(settings.INSTANCE, home=home, capture_calls_per_second=calls_per_second)),
        closing(LadderFile(settings.INSTANCE.capture_path)) as file,
    ):
        yield file


def write_ladder(file: LadderFile, call_ref: int, *, caller_peer: str = PBX, callee_peer: str = CARRIER) -> None:
    """`call_ref`: of a record. The Call-ID of its callee's leg is `masked-` and the caller's."""
    record = CallRecord.objects.get(pk=call_ref)
    first = file.begin_leg(record.sip_call_id, record.started_us)
    file.append((first, message) for message in _messages(CALLER_LEG, record.started_us, caller_peer, record.sip_call_id))
    second = file.begin_leg(f"masked-{record.sip_call_id}", record.started_us)
    file.name_leg(second, call_ref)
    file.append((second, message) for message in _messages(CALLEE_LEG, record.started_us, callee_peer, f"masked-{record.sip_call_id}"))
    file.commit()


def _messages(leg: Leg, began_us: int, peer: str, call_id: str) -> Iterator[Captured]:
    for after_ms, is_ours, first_line, branch in leg:
        host = peer.split(":")[1]
        head = f"Via: SIP/2.0/UDP {host};branch={branch}\nCall-ID: {call_id}\nCSeq: 1 INVITE\nProxy-Authorization: Digest (not kept)"
        yield Captured(began_us + after_ms * 1000, is_ours, peer, first_line, head)
