"""How the service is, in words for everybody: which part works, and what the operator says about it.

Asks each process whether it answers, so it takes up to a second when one does not: whoever shows it keeps it for a while. Says nothing of
what is inside: no carrier, address, version, or number of calls.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import Error as StoreError, connection

from trunkline.runtime import probes
from trunkline.runtime.beat import read_beat
from trunkline.runtime.settings import Settings
from trunkline.store import clock
from trunkline.store.models import Carrier, Incident

PAST_DAYS = 30
MOST_INCIDENTS = 50


class State(StrEnum):
    """From good to bad."""

    WORKS = "works"
    DISTURBED = "disturbed"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Part:
    name: Incident.Part
    state: State
    text: str

    @property
    def title(self) -> str:
        return str(self.name.label)


@dataclass(frozen=True, slots=True)
class Note:
    at: datetime
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as everybody may read it, its newest note first. `ends_at` None: it is open."""

    title: str
    part: str
    begins_at: datetime
    ends_at: datetime | None
    notes: tuple[Note, ...]

    def is_on(self, at: datetime) -> bool:
        return self.begins_at <= at and self.ends_at is None


@dataclass(frozen=True, slots=True)
class Engines:
    """Which processes answer, and whether the clock goes."""

    edge: bool
    call_control: bool
    media: bool
    clock: bool


@dataclass(frozen=True, slots=True)
class Service:
    at: datetime
    parts: tuple[Part, ...]
    incidents: tuple[Told, ...]

    @property
    def state(self) -> State:
        return max((part.state for part in self.parts), key=list(State).index)

    @property
    def open(self) -> list[Told]:
        return [one for one in self.incidents if one.ends_at is None]

    @property
    def past(self) -> list[Told]:
        return [one for one in self.incidents if one.ends_at is not None]


def look(settings: Settings, *, engines_now: datetime) -> Service:
    """`engines_now` is for when the store does not answer: its own time can't be asked then."""
    engines = asyncio.run(_ask(settings))
    try:
        at = clock.now()
        incidents, has_way = _incidents(at), _has_way()
    except StoreError:
        connection.close()
        return Service(engines_now, _without_store(engines), ())
    parts = (_calls(engines, has_way=has_way), _registrations(engines), _web(), _payments(engines))
    return Service(at, tuple(_with_incidents(part, incidents, at) for part in parts), incidents)


async def _ask(settings: Settings) -> Engines:
    edge, call_control, media = await asyncio.gather(
        probes.kamailio_answers(settings), probes.callcontrol_answers(settings), probes.rtpengine_pings(settings)
    )
    return Engines(edge, call_control, media, read_beat(settings.clock_beat) is not None)


def _has_way() -> bool:
    """Whether calls to the world have somewhere to go; without any carrier there is nothing to be disturbed."""
    ups = list(Carrier.objects.filter(enabled=True).values_list("up", flat=True))
    return any(ups) or not ups


def _incidents(at: datetime) -> tuple[Told, ...]:
    known = Incident.objects.exclude(ends_at__lt=at - timedelta(days=PAST_DAYS)).prefetch_related("notes").order_by("-begins_at", "-pk")
    return tuple(_told(incident) for incident in known[:MOST_INCIDENTS])


def _told(incident: Incident) -> Told:
    notes = sorted(incident.notes.all(), key=lambda note: note.pk, reverse=True)
    said = tuple(Note(note.at, note.get_state_display(), note.text) for note in notes)
    return Told(incident.title, incident.part, incident.begins_at, incident.ends_at, said)


def _calls(engines: Engines, *, has_way: bool) -> Part:
    state, text = State.WORKS, "Calls can be made and taken."
    if not engines.edge:
        state, text = State.DOWN, "No calls can be made or taken."
    elif not engines.call_control:
        state, text = State.DOWN, "New calls are refused. Calls in progress go on."
    elif not engines.media:
        state, text = State.DOWN, "New calls have no voice."
    elif not has_way:
        state, text = State.DISTURBED, "Calls to the telephone network fail. Calls between companies on this service work."
    return Part(Incident.Part.CALLS, state, text)


def _registrations(engines: Engines) -> Part:
    state, text = State.WORKS, "PBXs can register."
    if not engines.edge:
        state, text = State.DOWN, "PBXs can't register."
    elif not engines.call_control:
        state, text = State.DISTURBED, "PBXs that are registered stay so; one that is new may have to try again."
    return Part(Incident.Part.REGISTRATIONS, state, text)


def _web() -> Part:
    return Part(Incident.Part.WEB, State.WORKS, "The Manager and the API can be used.")


def _payments(engines: Engines) -> Part:
    state, text = State.WORKS, "Payments, renewals and letters are handled."
    if not engines.clock:
        state, text = State.DISTURBED, "Renewals, Auto-recharge and letters wait."
    return Part(Incident.Part.PAYMENTS, state, text)


def _without_store(engines: Engines) -> tuple[Part, ...]:
    calls = _calls(engines, has_way=True)
    if calls.state is State.WORKS:
        calls = replace(calls, state=State.DOWN, text="New calls are refused. Calls in progress go on.")
    web = replace(_web(), state=State.DOWN, text="The Manager and the API can't be used.")
    payments = replace(_payments(engines), state=State.DOWN, text="Payments and renewals wait.")
    return (calls, _registrations(engines), web, payments)


def _with_incidents(part: Part, incidents: tuple[Told, ...], at: datetime) -> Part:
    """What the operator says is disturbed is, whatever answers."""
    told = next((one for one in incidents if one.part in (part.name, Incident.Part.ALL) and one.is_on(at)), None)
    if told is None or part.state is not State.WORKS:
        return part
    return replace(part, state=State.DISTURBED, text=f"Disturbed: {told.title}")
