"""Who looks at call records: told once that they are personal data, and every copy that leaves is logged (SPEC R9.2)."""

from __future__ import annotations

from datetime import datetime

from trunkline.domain.errors import NotFound
from trunkline.store.models import Membership
from trunkline.store.work import By, work


def acknowledge_records(*, now: datetime, by: By, membership_id: int) -> None:
    """The person has read what call records are, and what they may be used for. Doing it again changes nothing."""
    with work(now=now, by=by) as doing:
        found = Membership.objects.select_related("person").filter(pk=membership_id)
        if (membership := found.first()) is None:
            raise NotFound("You are not in this company any more.")
        if found.filter(records_acknowledged_at=None).update(records_acknowledged_at=doing.now):
            doing.audit("records.acknowledge", membership.person.account, manager_id=membership.manager_id)


def note_export(*, now: datetime, by: By, manager_id: int, report: str, file_format: str) -> None:
    """A copy of call records leaves the Manager. `report`: the name of the file."""
    with work(now=now, by=by) as doing:
        doing.audit("records.export", report[:80], manager_id=manager_id, after={"format": file_format})
