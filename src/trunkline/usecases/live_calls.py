"""Calls in progress, ended by the operator (SPEC R12)."""

from __future__ import annotations

from datetime import datetime

from trunkline.domain.errors import NotFound
from trunkline.domain.names import check_name
from trunkline.store.models import Change, LiveCall
from trunkline.store.work import By, work


def hang_up(*, now: datetime, by: By, call_ref: int, reason: str) -> None:
    """Call control hears of it within a fraction of a second and ends both sides; what was talked is charged. Raises `NotFound` when it is over.

    Call control tries until the edge has done it. If it is itself restarted meanwhile the wish is forgotten: the call is still shown.
    """
    reason = check_name(reason, "reason", longest=200)
    with work(now=now, by=by) as doing:
        call = LiveCall.objects.select_related("caller_profile", "callee_profile").filter(pk=call_ref).first()
        if call is None:
            raise NotFound("This call is over already.")
        owner = call.caller_profile or call.callee_profile
        doing.audit("call.hang_up", f"call {call_ref}", manager_id=owner.manager_id if owner else None, after={"reason": reason})
        doing.changed(Change.What.HANG_UP, call_ref)
