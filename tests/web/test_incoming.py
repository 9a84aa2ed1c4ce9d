"""Business accounts, Online Numbers, Caller ID and company verification by browser, without JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.store.cast import BY, NOW
from tests.web.cast import PASSWORD, Cast, join, make_cast, signed_in, staff, visitor
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.store.models import (
    AuditEntry,
    BusinessAccount,
    CallerIdRule,
    CompanyDocument,
    Landline,
    Mail,
    Manager,
    Number,
    NumberAgreement,
    Person,
    Role,
    Term,
)
from trunkline.usecases import accounts, groups, invitations
from trunkline.usecases.numbers import add_numbers, assign_number

NUMBER = "12025550100"
PDF = b"%PDF-1.7 a register of companies"
DETAILS = {
    "legal_name": "Architects Ltd.", "registration_number": "HRB 1", "address": "1 Main Street", "contact_name": "Office",
    "contact_phone": "+1 202 555 0100",
}  # fmt: skip


@pytest.fixture
def cast() -> Cast:
    return make_cast(profile_count=2)


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(join(cast, Role.ADMINISTRATOR, account="Architects.Admin"))


def trunk(cast: Cast, path: str, number: int = 0) -> str:
    return f"/trunks/{cast.company.profile_ids[number]}/{path}"


def make(cast: Cast, name: str = "Architects.Sales") -> int:
    return accounts.create_account(now=NOW, by=BY, manager_id=cast.company.manager_id, name=name)


def stock(*numbers: str, area: str = "Washington") -> list[int]:
    add_numbers(now=NOW, by=BY, stock=[stock_number(number) for number in numbers])
    Number.objects.filter(e164__in=numbers).update(monthly_price_micros=3 * MICROS, area=area, rental_terms="Voice only.")
    return [Number.objects.get(e164=number).pk for number in numbers]


def shows(client: Client, path: str, *texts: str) -> None:
    page = client.get(path, follow=True).content.decode()
    for text in texts:
        assert text in page, f"{path} does not say {text!r}"


def test_an_account_is_made_found_grouped_and_deleted(cast: Cast, client: Client) -> None:
    assert b"can&#x27;t be an account" in client.post("/accounts/new", {"name": "no name"}).content
    client.post("/accounts/new", {"name": "Architects.Sales", "email": "sales@example.com"})
    found = BusinessAccount.objects.get()
    group = groups.create_group(now=NOW, by=BY, manager_id=cast.company.manager_id, name="Front desk")
    client.post(f"/accounts/{found.pk}", {"group_ids": [group]})
    shows(client, f"/accounts?group={group}", "Architects.Sales", "Front desk", "Can sign in")
    shows(client, "/accounts?q=nobody", "Nothing found")
    shows(client, f"/accounts/{found.pk}/delete", "Nobody reaches you by this name")
    client.post(f"/accounts/{found.pk}/delete")
    assert not BusinessAccount.objects.exists()
    assert not Person.objects.filter(email="sales@example.com").exists()


def test_many_are_shown_before_they_are_made(client: Client) -> None:
    wrong = client.post("/accounts/new-by-address", {"text": "anna@example.com\nnobody", "make": "yes"}).content.decode()
    assert "1 of 2 addresses" in wrong
    assert "is not an e-mail address" in wrong
    right = client.post("/accounts/new-by-address", {"text": "anna@example.com\nbob@example.com"}).content.decode()
    assert ("Architects.Anna" in right, "Create 2 accounts" in right, BusinessAccount.objects.count()) == (True, True, 0)
    client.post("/accounts/new-by-address", {"text": "anna@example.com\nbob@example.com", "make": "yes"})
    assert sorted(BusinessAccount.objects.values_list("name", flat=True)) == ["Architects.Anna", "Architects.Bob"]


def test_g_7_4_an_account_on_a_profile(cast: Cast, client: Client) -> None:
    ident = make(cast)
    assert b"There is no account" in client.post(trunk(cast, "incoming/account"), {"name": "Builders.Sales"}).content
    client.post(trunk(cast, "incoming/account"), {"name": "architects.sales", "extension": "204"})
    shows(client, trunk(cast, "incoming"), "Architects.Sales", "extension 204")
    there = trunk(cast, f"accounts/{ident}")
    client.post(there, {"extension": "205", "clear": "yes"})
    assert BusinessAccount.objects.get().extension == ""
    assert client.get(trunk(cast, f"accounts/{ident}", 1)).status_code == 404
    client.post(f"{there}/remove")
    assert BusinessAccount.objects.get().profile_id is None


def test_sign_in_says_why_it_is_stopped(cast: Cast, client: Client) -> None:
    client.post("/accounts/new", {"name": "Architects.Vanessa", "email": "vanessa@example.com"})
    person = Person.objects.get(account="Architects.Vanessa")
    person.set_password(PASSWORD)
    person.email_verified_at = NOW
    person.save()
    assert signed_in(person).get("/no-company").status_code == 200
    client.post(trunk(cast, "incoming/account"), {"name": "Architects.Vanessa"})
    answer = visitor().post("/sign-in", {"login": "Architects.Vanessa", "password": PASSWORD}, follow=True)
    assert "This account can't sign in" in answer.content.decode()
    client.post(trunk(cast, f"accounts/{BusinessAccount.objects.get().pk}/remove"))
    assert signed_in(person).get("/no-company").status_code == 200


def test_an_administrator_is_asked_twice(cast: Cast, client: Client) -> None:
    join(cast, Role.ADMINISTRATOR, account="Architects.Second")
    asked = client.post(trunk(cast, "incoming/account"), {"name": "Architects.Second"}).content.decode()
    assert ("This shuts somebody out." in asked, BusinessAccount.objects.count()) == (True, 0)
    second = Person.objects.get(account="Architects.Second")
    theirs = signed_in(second)
    client.post(trunk(cast, "incoming/account"), {"name": "Architects.Second", "confirmed": "on"})
    assert not Person.objects.get(pk=second.pk).is_active
    assert theirs.get("/overview").status_code == 302


def test_g_7_5_a_number_is_bought_moved_cancelled_and_kept(cast: Cast, client: Client) -> None:
    ident = stock(NUMBER)[0]
    profile_id = cast.company.profile_ids[0]
    shows(client, f"/numbers/buy?profile={profile_id}&area=wash", "+1 202-555-0100", "$3.00")
    shows(client, "/numbers/buy?area=Boston", "No number here")
    bought = {"shown_micros": 3 * MICROS, "reference": "one", "profile": profile_id}
    assert b"Without agreeing" in client.post(f"/numbers/buy/{ident}", bought).content
    assert b"The price has changed" in client.post(f"/numbers/buy/{ident}", bought | {"agreed": "on", "shown_micros": 1}).content
    assert not NumberAgreement.objects.exists()
    client.post(f"/numbers/buy/{ident}", bought | {"agreed": "on"})
    number = Number.objects.get(pk=ident)
    assert (number.profile_id, "Voice only." in NumberAgreement.objects.get().text) == (profile_id, True)
    client.post(f"/numbers/{ident}/reallocate", {"profile_id": cast.company.profile_ids[1]})
    shows(client, f"/numbers/{ident}", "Profile 1")
    make(cast)
    assert b"not both" in client.post(f"/numbers/{ident}/reallocate", {"profile_id": profile_id, "name": "Architects.Sales"}).content
    client.post(f"/numbers/{ident}/reallocate", {"profile_id": "", "name": "Architects.Sales"})
    shows(client, "/numbers", "Architects.Sales")
    shows(client, f"/numbers/{ident}/cancel", "It can be used until")
    client.post(f"/numbers/{ident}/cancel")
    assert not Term.objects.get(number=ident).renews
    client.post(f"/numbers/{ident}/undo")
    assert Term.objects.get(number=ident).renews


def test_numbers_are_found_by_digits_area_and_place(cast: Cast, client: Client) -> None:
    """The first hundred are listed."""
    known = [Number(e164=f"1202555{each:04}", country="US", area="Washington", manager_id=cast.company.manager_id) for each in range(101)]
    Number.objects.bulk_create([*known, Number(e164="13125550100", country="US", area="Chicago", manager_id=cast.company.manager_id)])
    Number.objects.filter(e164="12025550007").update(profile_id=cast.company.profile_ids[1])
    shows(client, "/numbers", "+1 202-555-0099", "Only the first hundred")
    for wanted, found in (("+1 312", "+1 312-555-0100"), ("chica", "+1 312-555-0100"), ("Profile 1", "+1 202-555-0007")):
        page = client.get("/numbers", {"q": wanted}).content.decode()
        assert (found in page, page.count('data-label="Number"')) == (True, 1), wanted
    shows(client, "/numbers?q=Boston", "Nothing found")


def test_nothing_is_bought_without_credit(cast: Cast, client: Client) -> None:
    ident = stock(NUMBER)[0]
    Number.objects.update(monthly_price_micros=900 * MICROS)
    page = client.post(f"/numbers/buy/{ident}", {"agreed": "on", "shown_micros": 900 * MICROS}).content.decode()
    assert ("of Credit is missing" in page, Number.objects.get(pk=ident).manager_id) == (True, None)


def test_what_the_company_has_is_allocated(cast: Cast, client: Client) -> None:
    add_numbers(now=NOW, by=BY, stock=[stock_number(NUMBER)])
    Number.objects.update(manager_id=cast.company.manager_id)
    ident = Number.objects.get().pk
    client.post(trunk(cast, "incoming/number"), {"number_id": ident})
    assert Number.objects.get().profile_id == cast.company.profile_ids[0]


def test_g_7_6_caller_id_by_number_and_country(cast: Cast, client: Client) -> None:
    for number in (NUMBER, "442079460100"):
        add_numbers(now=NOW, by=BY, stock=[stock_number(number)])
        assign_number(now=NOW, by=BY, e164=number, profile_id=cast.company.profile_ids[0], allow_foreign=True)
    shows(client, trunk(cast, "caller-id"), "Use a landline number", "Use an Online Number")
    assert b"Select a valid choice" in client.post(trunk(cast, "caller-id/number"), {"caller_id": "12025550199"}).content
    client.post(trunk(cast, "caller-id/number"), {"caller_id": NUMBER})
    client.post(trunk(cast, "caller-id"), {"country": "GB", "caller_id": "442079460100"})
    shows(client, trunk(cast, "caller-id"), "Change Caller ID", "United Kingdom", "+44 20 7946 0100")
    client.post(trunk(cast, "caller-id/countries/GB/remove"))
    assert not CallerIdRule.objects.exists()
    client.post(trunk(cast, "caller-id/disable"))
    assert cast.company.profile().caller_id == ""


def test_verified_with_documents_and_a_landline(cast: Cast, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    operator, support = signed_in(staff(Person.Staff.OPERATOR)), signed_in(staff(Person.Staff.SUPPORT))
    shows(client, trunk(cast, "caller-id/landline"), "Your company is not verified yet.")
    assert b"Upload at least one document" in client.post("/verification", DETAILS).content
    program = SimpleUploadedFile("register.pdf", b"MZ a program")
    assert b"neither PDF, PNG nor JPEG" in client.post("/verification/documents", {"file": program}).content
    client.post("/verification/documents", {"file": SimpleUploadedFile('re"gis\r\nter.html', PDF)})
    client.post("/verification", DETAILS)
    shows(client, "/verification", "In review")
    document = CompanyDocument.objects.get()
    answer = support.get(f"/operator/verification/documents/{document.pk}")
    assert (answer.content, answer["Content-Type"], answer["Content-Disposition"]) == (
        PDF,
        "application/pdf",
        f'attachment; filename="{document.name}"',
    )
    assert ("sandbox" in answer["Content-Security-Policy"], answer["X-Content-Type-Options"]) == (True, "nosniff")
    assert client.get(f"/operator/verification/documents/{document.pk}").status_code == 404
    shows(operator, "/operator/verification", "Architects Ltd.")
    operator.post(f"/operator/verification/companies/{cast.company.manager_id}/verify")
    assert Manager.objects.get(pk=cast.company.manager_id).verification == "verified"
    assert b"is not a landline" in client.post(trunk(cast, "caller-id/landline"), {"number": "9005550100"}).content
    client.post(trunk(cast, "caller-id/landline"), {"number": "2125550123"})
    shows(client, trunk(cast, "caller-id"), "Waiting for proof.")
    ident = Landline.objects.get().pk
    operator.post(f"/operator/verification/landlines/{ident}", {"finding": "telephone bill"})
    assert cast.company.profile().caller_id == "12125550123"
    shows(client, "/landlines", "Proven")
    client.post(f"/landlines/{ident}/remove")
    assert cast.company.profile().caller_id == ""
    operator.post(f"/operator/verification/companies/{cast.company.manager_id}", {"reason": "It is closed"})
    shows(client, "/verification", "It is closed")
    assert Mail.objects.filter(key__startswith="verification_").count() == 2
    assert AuditEntry.objects.filter(action="verification.look").count() == 1


def test_a_refused_landline_is_told(cast: Cast, client: Client) -> None:
    Manager.objects.update(verification="verified")
    client.post("/landlines", {"number": "2125550123"})
    operator = signed_in(staff(Person.Staff.OPERATOR))
    operator.post(f"/operator/verification/landlines/{Landline.objects.get().pk}", {"finding": "not on the bill", "refuse": "yes"})
    assert ("not on the bill" in Mail.objects.get().text, Landline.objects.exists()) == (True, False)


@pytest.mark.parametrize(
    "path",
    ["/accounts", "/accounts/groups", "/numbers", "/numbers/buy", "/trunks/{profile}/incoming", "/trunks/{profile}/incoming/account"],
)
def test_pages_ask_the_same_with_many_rows(cast: Cast, client: Client, path: str) -> None:
    path = path.format(profile=cast.company.profile_ids[0])
    make(cast)
    stock(NUMBER)
    assign_number(now=NOW, by=BY, e164=NUMBER, profile_id=cast.company.profile_ids[0])
    few = [_queries(client, path) for _ in range(2)][-1]
    stock(*(f"1202555{number:04}" for number in range(200, 206)))
    for number in range(5):
        make(cast, f"Architects.Many{number}")
        groups.create_group(now=NOW, by=BY, manager_id=cast.company.manager_id, name=f"Group {number}")
        assign_number(now=NOW, by=BY, e164=f"1202555{number + 200:04}", profile_id=cast.company.profile_ids[0])
        invitations.invite(now=NOW, by=BY, manager_id=cast.company.manager_id, email=f"one{number}@example.com", role=Role.BILLING)
    assert _queries(client, path) <= few


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200, path
    return len(asked)
