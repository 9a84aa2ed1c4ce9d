"""Which calls a company may look at, and what it sees of their SIP ladder (SPEC R10.4, R13): whose leg is whose."""

from __future__ import annotations

from trunkline.store.ladders import Wanted, host_of
from trunkline.store.models import CallRecord
from trunkline.web.ladders import Shown, Sight, View, ladder_of

NETWORK, PBX, CALLER, CALLED = "Network", "PBX", "Caller", "PBX called"


def record_seen_by(manager_id: int, call_ref: int) -> CallRecord | None:
    """The company's own, or one that came to it from another."""
    record = CallRecord.objects.select_related("profile", "peer_profile").filter(pk=call_ref).first()
    if record is None:
        return None
    called = record.peer_profile
    return record if manager_id in (record.manager_id, called.manager_id if called else None) else None


def company_ladder(record: CallRecord, manager_id: int) -> Shown:
    """A Call-ID is the caller's to choose: of the caller's leg only what was exchanged with the host that the call came from."""
    host = host_of(record.source) or "unknown"
    wanted = Wanted(record.pk, record.sip_call_id, host, record.started_us, record.ended_us)
    return ladder_of(wanted, sight_of(record, manager_id))


def sight_of(record: CallRecord, manager_id: int) -> Sight:
    """Its own leg whole; of the telephone network when it said something; of another company nothing."""
    peer = record.peer_profile
    if record.manager_id != manager_id:
        return Sight(View.NOTHING, View.WHOLE, CALLER, PBX)
    if record.direction == "incoming":
        return Sight(View.OUTLINE, View.WHOLE, NETWORK, PBX)
    if peer is None:
        return Sight(View.WHOLE, View.OUTLINE, PBX, NETWORK)
    return Sight(View.WHOLE, View.WHOLE if peer.manager_id == manager_id else View.NOTHING, PBX, CALLED)
