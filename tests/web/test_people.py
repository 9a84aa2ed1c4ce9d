"""Sign-up, invitations, roles, sessions, confirmation: what people do with accounts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail

from tests.store.cast import BY, NOW, make_price_list
from tests.web.cast import PASSWORD, join, make_cast, open_invitations, signed_in, visitor
from trunkline.domain.errors import Conflict, Invalid
from trunkline.store.models import AuditEntry, Manager, Membership, Person, Role
from trunkline.usecases import invitations, people

COMPANY = {"company_name": "Builders", "country": "US", "currency": "USD", "time_zone": "America/New_York"}
SOMEBODY = {"email": "admin@builders.example.com", "account": "", "password": PASSWORD}


def code_in_mail() -> str:
    found = re.search(r"^([A-Z0-9-]{6,9})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def test_a_company_signs_up_and_proves_its_address() -> None:
    make_price_list()
    client = visitor()
    answer = client.post("/sign-up", COMPANY | SOMEBODY)
    assert answer.headers["Location"] == "/confirm-email", answer.content.decode()
    assert client.get("/overview").headers["Location"].startswith("/sign-in")
    assert client.post("/confirm-email", {"code": code_in_mail()}).status_code == 302
    assert "Builders" in client.get("/overview").content.decode()
    person = Person.objects.get(account="Builders.Admin")
    assert person.email_verified_at is not None
    assert Membership.objects.get(person=person).role == Role.ADMINISTRATOR
    assert Manager.objects.get(company_name="Builders").admin_account == "Builders.Admin"


def test_another_manager_of_the_company_is_warned_about_once() -> None:
    make_cast("Builders")
    client = visitor()
    given = COMPANY | SOMEBODY | {"country": "FR"}
    page = client.post("/sign-up", given).content.decode()
    assert "has a Manager already (United States)" in page
    assert 'name="confirmed" value="on"' in page
    assert client.post("/sign-up", given | {"confirmed": "on"}).status_code == 302
    assert (
        "has a Manager there already"
        in client.post("/sign-up", COMPANY | SOMEBODY | {"email": "x@example.com", "account": "X.Admin"}).content.decode()
    )


@pytest.mark.parametrize(
    "changed", [{"password": "short"}, {"password": "Builders.Admin1"}, {"account": "1x"}, {"country": "ZZ"}, {"email": "no"}]
)
def test_what_cannot_be_signed_up_is_said_and_nothing_is_made(changed: dict[str, str]) -> None:
    make_price_list()
    answer = visitor().post("/sign-up", COMPANY | SOMEBODY | {"account": "Builders.Admin"} | changed)
    assert (answer.status_code, "aria-invalid" in answer.content.decode()) == (200, True)
    assert (Person.objects.count(), Manager.objects.count()) == (0, 0)


def test_an_invited_person_makes_an_account_and_comes_in() -> None:
    cast = make_cast()
    administrator = signed_in(join(cast, Role.ADMINISTRATOR))
    assert administrator.post("/members", {"email": "books@example.com", "role": "billing"}).status_code == 302
    found = re.search(r"(/invitation/\S+)", str(mail.outbox[-1].body))
    assert found
    newcomer = visitor()
    assert "books@example.com" in newcomer.get(found[1]).content.decode()
    assert newcomer.post(found[1], {"account": "Architects.Books", "password": PASSWORD}).status_code == 302
    assert newcomer.get("/overview").status_code == 200
    assert Membership.objects.get(person__account="Architects.Books").role == Role.BILLING
    assert visitor().get(found[1]).status_code == 404
    assert AuditEntry.objects.filter(action="member.add", target="Architects.Books").exists()


def test_one_person_in_two_companies_moves_between_them_by_path() -> None:
    first, second = make_cast(), make_cast("Builders")
    person = join(first, Role.ADMINISTRATOR)
    client = signed_in(person)
    invited = invitations.invite(now=NOW, by=BY, manager_id=second.company.manager_id, email="any@example.com", role=Role.READ_ONLY)
    invitations.accept_invitation(now=NOW, by=BY, token=invited.token, person_id=person.pk)
    for cast in (first, second):
        page = client.get(f"/c/{cast.company.manager_id}/trunks").content.decode()
        assert f'href="/c/{cast.company.manager_id}/trunks/{cast.company.profile_ids[0]}"' in page
    assert client.get("/trunks").headers["Location"] == f"/c/{second.company.manager_id}/trunks"
    rename = f"/trunks/{first.company.profile_ids[0]}/name"
    assert client.post(rename, {"name": "New"}).status_code == 404
    assert client.post(f"/c/{first.company.manager_id}{rename}", {"name": "New"}).status_code == 302


def test_the_last_administrator_stays() -> None:
    cast = make_cast()
    person = join(cast, Role.ADMINISTRATOR)
    join(cast, Role.BILLING)
    mine = Membership.objects.get(person=person)
    given: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": cast.company.manager_id, "membership_id": mine.pk}
    with pytest.raises(Conflict, match="last administrator"):
        people.remove_member(**given)
    with pytest.raises(Conflict, match="last administrator"):
        people.change_role(**given, role=Role.BILLING)
    join(cast, Role.ADMINISTRATOR, account="second.admin")
    people.remove_member(**given)
    assert not Membership.objects.filter(person=person).exists()


def test_inviting_again_ends_the_first_invitation_and_members_are_not_invited() -> None:
    cast = make_cast()
    person = join(cast, Role.READ_ONLY)
    given: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": cast.company.manager_id}
    first = invitations.invite(**given, email="New@example.com", role=Role.BILLING)
    invitations.invite(**given, email="new@example.com", role=Role.REPORTS)
    assert open_invitations(cast) == 1
    assert visitor().get(f"/invitation/{first.token}").status_code == 404
    with pytest.raises(Conflict, match="member already"):
        invitations.invite(**given, email=person.email.upper(), role=Role.BILLING)
    with pytest.raises(Invalid):
        invitations.invite(**given, email="other@example.com", role="owner")


def test_the_password_is_shown_after_a_confirmation_only() -> None:
    cast = make_cast()
    client = signed_in(join(cast, Role.ADMINISTRATOR))
    path = f"/trunks/{cast.company.profile_ids[0]}/authentication/password"
    session = client.session
    session["account_authentication_methods"][-1]["at"] -= 301
    session.save()
    answer = client.get(path)
    assert answer.headers["Location"] == f"/confirm-identity?next={path.replace('/', '%2F')}"
    assert client.post(answer.headers["Location"], {"password": PASSWORD}).headers["Location"] == path
    page = client.get(path)
    assert 'id="copy-password"' in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert AuditEntry.objects.filter(action="profile.reveal_password", actor=f"administrator.{cast.company.manager_id}").exists()


def test_guessing_passwords_is_slowed_down() -> None:
    person = join(make_cast(), Role.ADMINISTRATOR)
    client = visitor()
    for _ in range(6):
        page = client.post("/sign-in", {"login": person.account, "password": "wrong"}).content.decode()
    assert "Too many wrong tries: wait five minutes" in page
    assert client.post("/sign-in", {"login": person.account, "password": PASSWORD}).status_code == 200


def test_a_forgotten_password_is_replaced_by_a_code_from_the_mail() -> None:
    person = join(make_cast(), Role.ADMINISTRATOR)
    signed_in(person)  # allauth knows the address from the first sign-in on
    client = visitor()
    assert client.post("/password/reset", {"email": person.email}).status_code == 302
    assert client.post("/password/reset/confirm", {"code": code_in_mail()}).headers["Location"] == "/password/reset/complete"
    new = "another long password"
    assert client.post("/password/reset/complete", {"password1": new, "password2": new}).status_code == 302
    assert visitor().post("/sign-in", {"login": person.email, "password": new}).status_code == 302
    assert AuditEntry.objects.filter(action="person.reset_password").exists()


def test_other_sessions_can_be_ended() -> None:
    person = join(make_cast(), Role.ADMINISTRATOR)
    here, elsewhere = signed_in(person), signed_in(person)
    assert "Sign out everywhere else" in here.get("/account/sessions").content.decode()
    assert here.post("/account/sessions").status_code == 302
    assert elsewhere.get("/overview").headers["Location"].startswith("/sign-in")
    assert here.get("/overview").status_code == 200
