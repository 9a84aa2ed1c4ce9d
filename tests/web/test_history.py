"""The history of a company: in sentences, narrowed by kind and person, a page at a time."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.store.cast import NOW
from tests.web.cast import Cast, join, make_cast, signed_in
from trunkline.store.models import AuditEntry, Profile, Role
from trunkline.web.listing import ON_A_PAGE


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(join(cast, Role.ADMINISTRATOR, account="Architects.Admin"))


def write(cast: Cast, action: str, actor: str = "Architects.Books", count: int = 1) -> None:
    about = {"at": NOW, "actor": actor, "manager_id": cast.company.manager_id}
    AuditEntry.objects.bulk_create(AuditEntry(action=action, target=f"thing {number}", **about) for number in range(count))


def rows(page: str) -> list[str]:
    return re.findall(r'data-label="What"><div><span class="strong">([^<]+)</span>', page)


def test_actions_are_sentences_and_old_ones_speak_for_themselves(cast: Cast, client: Client) -> None:
    write(cast, "profile.rotate_password")
    write(cast, "something.forgotten")
    assert rows(client.get("/history").content.decode())[:2] == ["something.forgotten", "Generated a new SIP password"]


def test_a_profile_is_called_by_its_name_and_a_strangers_by_none(cast: Cast, client: Client) -> None:
    others = make_cast("Builders")
    Profile.objects.filter(pk=others.company.profile_ids[0]).update(name="Their branch")
    about = {"at": NOW, "actor": "Architects.Books", "manager_id": cast.company.manager_id, "action": "profile.rename"}
    AuditEntry.objects.bulk_create(AuditEntry(target=f"profile {one.company.profile_ids[0]}", **about) for one in (cast, others))
    page = client.get("/history").content.decode()
    assert f">{cast.company.profile().name}</span>" in page
    assert f">profile {others.company.profile_ids[0]}</span>" in page
    assert "Their branch" not in page


def test_values_are_written_as_people_read_them(cast: Cast, client: Client) -> None:
    about = {"at": NOW, "actor": "Architects.Books", "manager_id": cast.company.manager_id, "target": "profile 1"}
    numbers = {"before": {"caller_id": "442079460000"}, "after": {"caller_id": "12025550110"}}
    AuditEntry.objects.create(action="profile.caller_id", **about, **numbers)
    AuditEntry.objects.create(action="number.assign", **about | {"target": "+12025550111"})
    AuditEntry.objects.create(action="profile.caller_id_by_country", **about, after={"GB": "442079460000"})
    page = client.get("/history").content.decode()
    assert "<li>Caller ID: <del>+44 20 7946 0000</del> +1 202-555-0110</li>" in page
    assert "+1 202-555-0111</span>" in page
    assert "<li>United Kingdom: +44 20 7946 0000</li>" in page


def test_it_is_narrowed_by_kind_and_person(cast: Cast, client: Client) -> None:
    write(cast, "credit.allocate")
    write(cast, "payment_method.added", actor="Architects.Cards")
    write(cast, "payment.failed", actor="clock")
    page = client.get("/history", {"kind": "money"}).content.decode()
    shown = rows(page)
    assert {"Allocated Credit to a SIP Profile", "Stored a payment method", "A payment failed"} <= set(shown)
    assert "Signed in" not in shown
    assert 'value="money" selected' in page
    assert rows(client.get("/history", {"kind": "money", "actor": "architects.cards"}).content.decode()) == ["Stored a payment method"]
    assert "Nothing like that" in client.get("/history", {"actor": "nobody"}).content.decode()


@pytest.mark.parametrize("query", [{"kind": "nonsense"}, {"before": "x"}, {"actor": "x" * 500}, {"before": "9" * 30}])
def test_what_cannot_be_searched_for_is_no_error(client: Client, query: dict[str, str]) -> None:
    assert client.get("/history", query).status_code == 200


def test_pages_follow_each_other_and_keep_what_is_searched_for(cast: Cast, client: Client) -> None:
    write(cast, "credit.allocate", count=ON_A_PAGE + 5)
    page = client.get("/history", {"kind": "money", "actor": "Architects.Books"}).content.decode()
    assert len(rows(page)) == ON_A_PAGE
    older = re.search(r'href="(\?[^"]+)">Older', page)
    assert older
    last = client.get("/history" + older[1].replace("&amp;", "&")).content.decode()
    assert len(rows(last)) == 5
    assert "Older" not in last


def test_another_companys_history_is_not_shown(cast: Cast) -> None:
    write(cast, "credit.allocate")
    stranger = signed_in(join(make_cast("Builders"), Role.ADMINISTRATOR))
    assert "Architects.Books" not in stranger.get("/history").content.decode()
