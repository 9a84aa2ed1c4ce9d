"""What the operator says about disturbances and planned work, for the public status page (SPEC R12)."""

from __future__ import annotations

from datetime import datetime, timedelta

from trunkline.domain.errors import Conflict, Invalid
from trunkline.domain.names import check_name
from trunkline.store.models import Incident, IncidentNote
from trunkline.store.work import By, Work, work

LONGEST_TITLE = 120
LONGEST_TEXT = 1000
FURTHEST_AHEAD = timedelta(days=90)
FURTHEST_BACK = timedelta(days=7)


def open_incident(*, now: datetime, by: By, title: str, part: str, text: str, begins_at: datetime | None = None) -> int:
    """`begins_at` later than now: planned work. None: it has begun now."""
    title, text = check_name(title, "title", longest=LONGEST_TITLE), check_name(text, "text", longest=LONGEST_TEXT)
    if part not in Incident.Part.values:
        raise Invalid("part", f"{part[:20]!r} is no part of the service: choose one of {', '.join(Incident.Part.values)}.")
    began = begins_at or now
    if not now - FURTHEST_BACK <= began <= now + FURTHEST_AHEAD:
        raise Invalid(
            "begins_at", f"It can begin up to {FURTHEST_AHEAD.days} days ahead, or have begun up to {FURTHEST_BACK.days} days ago."
        )
    with work(now=now, by=by) as doing:
        incident = Incident.objects.create(title=title, part=part, begins_at=began)
        _say(doing, incident, IncidentNote.State.PLANNED if began > now else IncidentNote.State.LOOKING, text)
        doing.audit("incident.open", f"incident {incident.pk}", after={"title": title, "part": part, "begins_at": began.isoformat()})
    return incident.pk


def note_incident(*, now: datetime, by: By, incident_id: int, state: str, text: str) -> None:
    """The next thing to say about an open incident. `over` ends it; planned work that is called off ends as it would have begun."""
    text = check_name(text, "text", longest=LONGEST_TEXT)
    if state not in IncidentNote.State.values:
        raise Invalid("state", f"{state[:20]!r} is no state: choose one of {', '.join(IncidentNote.State.values)}.")
    with work(now=now, by=by) as doing:
        incident = doing.locks.one(Incident, incident_id)
        if incident.ends_at is not None:
            raise Conflict("This incident is over. Open another one if it has come back.")
        _say(doing, incident, state, text)
        if state == IncidentNote.State.OVER:
            incident.ends_at = max(doing.now, incident.begins_at)
            incident.save(update_fields=["ends_at"])
        doing.audit("incident.note", f"incident {incident.pk}", after={"state": state, "text": text[:200]})


def _say(doing: Work, incident: Incident, state: str, text: str) -> None:
    IncidentNote.objects.create(incident=incident, at=doing.now, state=state, text=text, by=doing.by.actor)
