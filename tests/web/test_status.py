"""The public status page: true, cheap, and discreet; and what the operator says there."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import DatabaseError
from django.test import Client

from tests.store.cast import BY
from tests.web.cast import make_cast, signed_in, staff, visitor
from tests.web.test_queries import queries
from trunkline.domain.errors import Conflict, Invalid
from trunkline.runtime import probes
from trunkline.runtime.beat import Beat
from trunkline.store import clock
from trunkline.store.models import AuditEntry, Carrier, Incident, Person
from trunkline.usecases import incidents, service_status
from trunkline.web import status as page


@dataclass
class World:
    """Which processes answer; how often somebody asked."""

    edge: bool = True
    call_control: bool = True
    media: bool = True
    asked: int = 0


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Iterator[World]:
    """Engines that answer as they are told, and a clock that goes."""
    known = World()

    def says(name: str) -> Any:
        async def answer(_: object) -> bool:
            known.asked += name == "edge"
            return bool(getattr(known, name))

        return answer

    monkeypatch.setattr(probes, "kamailio_answers", says("edge"))
    monkeypatch.setattr(probes, "callcontrol_answers", says("call_control"))
    monkeypatch.setattr(probes, "rtpengine_pings", says("media"))
    beat = settings.INSTANCE.clock_beat
    beat.parent.mkdir(parents=True, exist_ok=True)
    with beat.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        beat.write_bytes(msgspec.json.encode(Beat(clock.now(), {})))
        page.kept.forget()
        yield known
    page.kept.forget()
    beat.unlink()


def states(client: Client) -> dict[str, str]:
    page.kept.forget()
    answer = client.get("/status.json")
    assert answer.status_code == 200
    found = answer.json()
    return {part["name"]: part["state"] for part in found["parts"]} | {"": found["state"]}


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def tell(**about: Any) -> int:
    usual = {"title": "Calls to Spain fail", "part": "calls", "text": "Dial again later."}
    return incidents.open_incident(now=clock.now(), by=BY, **usual | about)


def test_everything_works() -> None:
    answer = visitor().get("/status")
    assert "Everything works." in text_of(answer)
    assert "The operator has told of nothing." in text_of(answer)
    assert answer.headers["Cache-Control"] == "max-age=10"
    assert answer.headers["Vary"] == "Cookie"
    assert set(states(visitor()).values()) == {"works"}


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        ("call_control", {"calls": "down", "registrations": "disturbed", "": "down"}),
        ("edge", {"calls": "down", "registrations": "down", "": "down"}),
        ("media", {"calls": "down", "registrations": "works", "": "down"}),
    ],
)
def test_a_process_that_does_not_answer_is_said(world: World, away: str, expected: dict[str, str]) -> None:
    setattr(world, away, False)
    found = states(visitor())
    assert {name: found[name] for name in expected} == expected
    assert (found["web"], found["payments"]) == ("works", "works")
    assert "A part of the service is down." in text_of(visitor().get("/status"))


def test_a_clock_that_stands_still_disturbs_renewals(settings: Any) -> None:
    settings.INSTANCE.clock_beat.rename(settings.INSTANCE.clock_beat.with_suffix(".away"))
    assert states(visitor())["payments"] == "disturbed"
    settings.INSTANCE.clock_beat.with_suffix(".away").rename(settings.INSTANCE.clock_beat)


def test_carriers_are_never_named() -> None:
    Carrier.objects.create(name="North Star Telecom", host="192.0.2.77", up=False)
    Carrier.objects.create(name="South Star Telecom", host="192.0.2.78", up=True)
    assert states(visitor())["calls"] == "works"
    Carrier.objects.update(up=False)
    assert states(visitor())["calls"] == "disturbed"
    for path in ("/status", "/status.json"):
        shown = visitor().get(path).content.decode()
        assert not re.search(r"Star|192\.0\.2|kamailio|rtpengine|operator ada", shown, re.IGNORECASE)


def test_a_store_that_does_not_answer_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise DatabaseError("no")

    monkeypatch.setattr(clock, "now", fails)
    assert states(visitor()) == {"calls": "down", "registrations": "works", "web": "down", "payments": "down", "": "down"}


def test_one_look_serves_everybody(world: World) -> None:
    client = visitor()
    client.get("/status")
    assert [queries(client, path) for path in ("/status", "/status.json", "/status")] == [0, 0, 0]
    assert world.asked == 1


def test_an_incident_is_told_from_beginning_to_end() -> None:
    ident = tell()
    assert states(visitor())["calls"] == "disturbed"
    shown = text_of(visitor().get("/status"))
    assert "Calls to Spain fail" in shown
    assert "Dial again later." in shown
    incidents.note_incident(now=clock.now(), by=BY, incident_id=ident, state="over", text="It works again.")
    assert states(visitor())["calls"] == "works"
    shown = text_of(visitor().get("/status"))
    assert "Everything works." in shown
    assert shown.index("The last 30 days") < shown.index("Calls to Spain fail") < shown.index("It works again.") < shown.index("Dial again")
    told = visitor().get("/status.json").json()["incidents"][0]
    assert [note["state"] for note in told["notes"]] == ["Over", "Looking for the cause"]
    assert [entry.action for entry in AuditEntry.objects.filter(target=f"incident {ident}").order_by("pk")] == [
        "incident.open",
        "incident.note",
    ]


def test_planned_work_disturbs_nothing_before_it_begins() -> None:
    ident = tell(title="New machines", begins_at=clock.now() + timedelta(days=2))
    assert set(states(visitor()).values()) == {"works"}
    assert "Planned" in text_of(visitor().get("/status"))
    incidents.note_incident(now=clock.now(), by=BY, incident_id=ident, state="over", text="Called off.")
    assert Incident.objects.get(pk=ident).ends_at == Incident.objects.get(pk=ident).begins_at


def test_what_is_long_over_is_not_told_any_more() -> None:
    long_ago = clock.now() - timedelta(days=31)
    Incident.objects.create(title="Forgotten", part="web", begins_at=long_ago, ends_at=long_ago)
    Incident.objects.create(title="Remembered", part="web", begins_at=long_ago, ends_at=long_ago + timedelta(days=2))
    shown = text_of(visitor().get("/status"))
    assert "Remembered" in shown
    assert "Forgotten" not in shown


def test_the_look_asks_no_more_with_many_incidents(settings: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(60):
        tell(title=f"Incident {number}")
    with django_assert_max_num_queries(6):
        found = service_status.look(settings.INSTANCE, engines_now=clock.now())
    assert len(found.incidents) == service_status.MOST_INCIDENTS


def test_bad_incidents_are_refused() -> None:
    for about in ({"part": "moon"}, {"title": " "}, {"text": "x" * 1001}, {"begins_at": clock.now() + timedelta(days=91)}):
        with pytest.raises(Invalid):
            tell(**about)
    ident = tell()
    with pytest.raises(Invalid):
        incidents.note_incident(now=clock.now(), by=BY, incident_id=ident, state="fine", text="?")
    incidents.note_incident(now=clock.now(), by=BY, incident_id=ident, state="over", text="Done.")
    with pytest.raises(Conflict):
        incidents.note_incident(now=clock.now(), by=BY, incident_id=ident, state="over", text="Again.")


def test_the_operator_tells_by_browser() -> None:
    make_cast()
    operator = signed_in(staff(Person.Staff.OPERATOR))
    given = {"title": "Letters are late", "part": "payments", "text": "They will come.", "begins_at": ""}
    assert "This field is required" in operator.post("/operator/incidents/new", given | {"title": ""}).content.decode()
    answer = operator.post("/operator/incidents/new", given)
    incident = Incident.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/operator/incidents/{incident.pk}")
    operator.post(f"/operator/incidents/{incident.pk}", {"state": "over", "text": "They came."})
    incident.refresh_from_db()
    assert incident.ends_at is not None
    assert "They came." in operator.get(f"/operator/incidents/{incident.pk}").content.decode()
    assert "Letters are late" in operator.get("/operator/incidents").content.decode()
    late = operator.post(f"/operator/incidents/{incident.pk}", {"state": "over", "text": "Again."})
    assert "Open another one if it has come back" in late.content.decode()
