"""The SIP ladder of a call: who sees which part of it, and what is said when there is none (SPEC R10.4, R13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.web.calls import november, us, write
from tests.web.cast import Cast, join, make_cast, reader, signed_in, staff
from tests.web.programs import program
from tests.web.wire import CARRIER, PBX, captures, write_ladder
from trunkline.store.ladders import LadderFile
from trunkline.store.models import AuditEntry, Membership, Person, Role


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def refs(cast: Cast) -> list[int]:
    return november(cast.company)


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[LadderFile]:
    with captures(tmp_path) as file:
        yield file


def page(client: Client, call_ref: int, *, where: str = "/reports/calls") -> str:
    answer = client.get(f"{where}/{call_ref}")
    assert answer.status_code == 200
    return answer.content.decode()


def text(client: Client, call_ref: int, *, where: str = "/reports/calls") -> str:
    answer = client.get(f"{where}/{call_ref}/ladder.txt")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="call-{call_ref}.txt"'
    return answer.content.decode()


def spoken(html: str) -> list[str]:
    """What those hear who can't see it."""
    return re.findall(r'<span class="unseen">([^<]* to [^<]*)</span></(?:summary|div)>', html)


def test_a_company_sees_its_own_leg_and_that_something_was_said_on_the_other(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    write_ladder(capture, refs[0])
    html = page(reader(cast), refs[0])
    assert spoken(html) == [
        "PBX to Trunkline: INVITE",
        "Trunkline to PBX: 407 Proxy Authentication Required",
        "PBX to Trunkline: ACK",
        "PBX to Trunkline: INVITE",
        "Trunkline to PBX: 100 Trying",
        "Trunkline to Network: INVITE",
        "Network to Trunkline: 100",
        "Network to Trunkline: 180",
        "Trunkline to PBX: 180 Ringing",
        "Trunkline to PBX: 180 Ringing, again",
        "Network to Trunkline: 503",
        "Trunkline to PBX: 503 Service Unavailable",
    ]
    assert html.count("<details>") == 8
    assert "INVITE sip:33123456789@trunk.example SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=b1" in html
    assert '<span class="ladder-after">2.400</span>' in html
    wire = html.partition("SIP messages")[2]
    for hidden in ("198.51.100.7", "Cheap Carrier", "masked-"):
        assert hidden not in wire


def test_the_text_has_what_the_page_has(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    write_ladder(capture, refs[0])
    told = text(reader(cast), refs[0])
    assert told.startswith(
        f"SIP messages of call {refs[0]}, 2026-11-05 15:00:00 UTC\n\n     0.000  PBX -> Trunkline  INVITE\n    INVITE sip:331"
    )
    assert "     2.900  Trunkline -> PBX  180 Ringing  (again)\n    SIP/2.0 180 Ringing\n" in told
    assert "     2.398  Network -> Trunkline  180\n\n" in told
    assert "198.51.100.7" not in told


def test_of_an_incoming_call_the_callee_leg_is_ours(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    incoming = {"direction": "incoming", "callee": "12125550100", "source": CARRIER, "sip_call_id": "from@carrier"}
    (ref,) = write(cast.company, {"started_us": us(16), **incoming})
    write_ladder(capture, ref, caller_peer=CARRIER, callee_peer=PBX)
    told = text(reader(cast), ref)
    assert "Network -> Trunkline  INVITE\n\n" in told
    assert "Trunkline -> PBX  INVITE\n    INVITE sip:" in told
    assert "198.51.100.7;" not in told


def test_another_company_sees_its_own_leg_only(cast: Cast, capture: LadderFile) -> None:
    november(cast.company)
    other = make_cast("Builders")
    peer = {"peer_profile_id": other.company.profile_ids[0], "direction": "internal", "sip_call_id": "between@pbx"}
    (ref,) = write(cast.company, {"started_us": us(15), "callee": "12125550123", **peer})
    write_ladder(capture, ref, callee_peer="udp:203.0.113.5:5060")
    theirs = text(reader(other), ref)
    assert re.findall(r"^ +[0-9.]+  (.*? -> .*?)  ", theirs, re.MULTILINE) == [
        "Trunkline -> PBX",
        "PBX -> Trunkline",
        "PBX -> Trunkline",
        "PBX -> Trunkline",
    ]
    assert "192.0.2.1;" not in theirs
    ours = text(reader(cast), ref)
    assert "203.0.113.5" not in ours
    assert ours.count(" -> ") == 8


def test_a_call_id_that_somebody_else_chose_too_shows_nothing_of_his_call(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    write_ladder(capture, refs[0], caller_peer="udp:203.0.113.66:5060")
    assert "203.0.113.66" not in text(reader(cast), refs[0])
    assert "PBX -> Trunkline" not in text(reader(cast, Role.BILLING), refs[0])


def test_roles_and_strangers(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    write_ladder(capture, refs[0])
    stranger = reader(make_cast("Builders"), Role.ADMINISTRATOR)
    assert stranger.get(f"/reports/calls/{refs[0]}/ladder.txt").status_code == 404
    looking = reader(cast, Role.READ_ONLY)
    assert looking.get(f"/reports/calls/{refs[0]}/ladder.txt").status_code == 403
    new = signed_in(join(cast, Role.BILLING, account="new"))
    Membership.objects.update(records_acknowledged_at=None)
    assert "SIP/2.0" not in new.get(f"/reports/calls/{refs[0]}/ladder.txt", follow=True).content.decode()


def test_when_there_is_none_the_page_says_why(cast: Cast, refs: list[int], tmp_path: Path) -> None:
    client, began = reader(cast), us(5)
    with captures(tmp_path) as file:
        assert "SIP messages are kept for 7 days" in page(client, refs[0])
        file.begin_pause(began - 1, joins_within_us=0)
        file.end_pause(began + 100_000_000)
        file.commit()
        assert "more calls began at that time than are captured" in page(client, refs[0])
        write_ladder(file, refs[0])
        assert "Messages may be missing." in page(client, refs[0])
        assert "messages may be missing" in text(client, refs[0])
    with captures(tmp_path, calls_per_second=0):
        Path(settings.INSTANCE.capture_path).unlink()
        assert "SIP messages are not kept on this service" in page(client, refs[0])
        settings.INSTANCE.capture_path.write_bytes(b"no database" * 1000)
        assert "can't be read just now" in page(client, refs[0])


def test_the_operator_sees_both_sides_with_their_addresses(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    write_ladder(capture, refs[0])
    support = signed_in(staff(Person.Staff.SUPPORT))
    assert f"/operator/calls/records/{refs[0]}" in support.get("/operator/calls/records").content.decode()
    html = page(support, refs[0], where="/operator/calls/records")
    assert html.count("<details>") == 12
    assert "503 Cheap Carrier is full" in html
    assert f"<code>{CARRIER}</code>" in html
    assert f"({PBX})" in text(support, refs[0], where="/operator/calls/records")


def test_programs_get_what_the_page_shows(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    write_ladder(capture, refs[0])
    asks = program(cast, call_details=True)
    shown = asks.get(f"/calls/{refs[0]}/ladder")
    assert len(shown["items"]) == 12
    assert shown["items"][0] | {"message": ""} == {
        "at": "2026-11-05T15:00:00Z", "sender": "PBX", "receiver": "Trunkline", "what": "INVITE", "message": "",
    }  # fmt: skip
    assert [rung["message"] for rung in shown["items"] if "Network" in (rung["sender"], rung["receiver"])] == ["", "", "", ""]
    program(make_cast("Builders"), call_details=True).get(f"/calls/{refs[0]}/ladder", expect=404)
    for ref in ("0", "9" * 19):
        asks.get(f"/calls/{ref}/ladder", expect=404)


def test_the_history_knows_who_took_a_ladder_along(cast: Cast, refs: list[int], capture: LadderFile) -> None:
    text(reader(cast), refs[0])
    entry = AuditEntry.objects.get(action="records.export")
    assert entry.target == f"SIP messages of call {refs[0]}"
