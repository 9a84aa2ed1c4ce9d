"""Whose leg of a call is whose: what a company sees of its SIP ladder (SPEC R10.4, R13)."""

from __future__ import annotations

from trunkline.store.ladders import Wanted, host_of
from trunkline.store.models import CallRecord
from trunkline.web.ladders import Shown, Sight, View, ladder_of

NETWORK, PBX, OTHERS = "Network", "PBX", "Caller"


def company_ladder(record: CallRecord, manager_id: int) -> Shown:
    """Of a call that this company made or got. A Call-ID is the caller's to choose: what he exchanged with us came from where the call came from."""
    host = host_of(record.source) or "unknown"
    wanted = Wanted(record.pk, record.sip_call_id, host, record.started_us, record.ended_us)
    return ladder_of(wanted, sight_of(record, manager_id))


def sight_of(record: CallRecord, manager_id: int) -> Sight:
    """Its own leg whole; of the telephone network when it said something; of another company nothing."""
    peer = record.peer_profile
    if record.manager_id != manager_id:
        return Sight(View.NOTHING, View.WHOLE, OTHERS, PBX)
    if record.direction == "incoming":
        return Sight(View.OUTLINE, View.WHOLE, NETWORK, PBX)
    if peer is None:
        return Sight(View.WHOLE, View.OUTLINE, PBX, NETWORK)
    return Sight(View.WHOLE, View.WHOLE if peer.manager_id == manager_id else View.NOTHING, PBX, "PBX called")
