"""Setting up a Manager (guide 4), people, and the operator's side."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Visitor
from tests.store.cast import make_price_list
from tests.web.cast import PASSWORD, join, make_cast, staff
from trunkline.store.models import Membership, Person, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def code_in_mail() -> str:
    found = re.search(r"^([A-Z0-9-]{6,9})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def test_g_4_set_up_a_manager(visitor: Visitor) -> None:
    make_price_list()
    mail.outbox = []
    visitor.go("/")
    visitor.looks_right("welcome")
    visitor.follow("Open a Manager")
    visitor.looks_right("sign-up")
    page = visitor.page
    page.get_by_label("Company name").fill("Architects")
    assert page.get_by_label("Administrator account").get_attribute("placeholder") == "Architects.Admin"
    page.get_by_label("Country").select_option("US")
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_label("E-mail address").fill("admin@architects.example.com")
    page.get_by_label("Password").fill(PASSWORD)
    visitor.press("Open the Manager")
    page.wait_for_url("**/confirm-email*")
    visitor.looks_right("confirm-email")
    page.locator("input[name=code]").fill(code_in_mail())
    page.locator("main button.button-main").first.click()
    page.wait_for_url("**/overview")
    visitor.looks_right("overview-empty")
    visitor.follow("Features")
    visitor.sees("No SIP Profile yet")
    visitor.looks_right("trunks-empty")
    assert Membership.objects.get(person__account="Architects.Admin").role == Role.ADMINISTRATOR


def test_r1_2_people_are_invited_and_change_roles(visitor: Visitor) -> None:
    cast = make_cast()
    mail.outbox = []
    visitor.sign_in(join(cast, Role.ADMINISTRATOR, account="Architects.Admin"))
    visitor.follow("People")
    visitor.page.get_by_label("E-mail address").fill("books@example.com")
    visitor.page.get_by_label("Role").select_option("billing")
    visitor.press("Invite")
    visitor.sees("An invitation is on its way")
    visitor.looks_right("people")
    visitor.follow("Change Architects.Admin")
    visitor.looks_right("person")
    visitor.press("Remove Architects.Admin")
    visitor.sees("is the last administrator")
    visitor.complaints.clear()  # the 409 is what was wanted
    visitor.go("/history")
    visitor.sees("Invited somebody")
    visitor.page.get_by_label("What").select_option("people")
    visitor.press("Show")
    visitor.page.wait_for_url("**/history?kind=people*")
    visitor.looks_right("history")


def invite(visitor: Visitor, email: str, role: str) -> str:
    """Returns the path of the letter's link."""
    mail.outbox = []
    visitor.go("/members")
    visitor.page.get_by_label("E-mail address").fill(email)
    visitor.page.get_by_label("Role").select_option(role)
    visitor.press("Invite")
    visitor.sees(f"An invitation is on its way to {email}")
    found = re.search(r"(/invitation/\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def test_r1_2_an_invitation_is_withdrawn_or_makes_an_account(visitor: Visitor, context: BrowserContext) -> None:
    page = visitor.page
    visitor.sign_in(join(make_cast(), Role.ADMINISTRATOR, account="Architects.Admin"))
    visitor.sees("Needs attention")
    withdrawn = invite(visitor, "nobody@example.com", "reports")
    page.get_by_role("button", name="Withdraw the invitation of nobody@example.com").click()
    visitor.sees("The invitation is withdrawn")
    accepted = invite(visitor, "books@example.com", "billing")
    context.clear_cookies()
    page.goto(visitor.site + withdrawn)
    visitor.sees("has been used, withdrawn or has run out")
    visitor.complaints.clear()  # the 404 is what was wanted
    visitor.go(accepted)
    visitor.sees("Architects.Admin invites you")
    visitor.looks_right("invitation")
    page.get_by_label("Account").fill("Architects.Books")
    page.get_by_label("Password").fill(PASSWORD)
    visitor.press("Make the account and join")
    page.wait_for_url("**/overview")
    assert Membership.objects.get(person__account="Architects.Books").role == Role.BILLING


def test_r1_1_one_person_switches_between_managers(visitor: Visitor, context: BrowserContext) -> None:
    """An invitation is accepted with the account that one has, another Manager is opened, and each tab stays in its own."""
    page = visitor.page
    first, second = make_cast(), make_cast("Builders")
    person = join(first, Role.ADMINISTRATOR, account="Architects.Admin")
    visitor.sign_in(join(second, Role.ADMINISTRATOR, account="Builders.Admin"))
    visitor.sees("Needs attention")
    path = invite(visitor, person.email, "read_only")
    context.clear_cookies()
    visitor.go(path)
    visitor.follow("Sign in and join with it")
    page.get_by_label("Account or e-mail address").fill(person.account)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.press("Sign in")
    visitor.looks_right("invitation-signed-in")
    visitor.press("Join as Architects.Admin")
    visitor.sees("You are a member of Builders now.")
    page.locator(".drop-company summary").click()
    visitor.looks_right("managers")
    page.get_by_role("link", name="Architects US · Administrator").click()
    page.wait_for_url(f"**/c/{first.company.manager_id}/overview")
    other = context.new_page()
    other.goto(f"{visitor.site}/c/{second.company.manager_id}/trunks")
    page.get_by_role("link", name="Features").first.click()
    page.wait_for_url(f"**/c/{first.company.manager_id}/trunks")
    other.reload()
    expect(other.locator(".drop-company .drop-text")).to_have_text("Builders")
    expect(page.locator(".drop-company .drop-text")).to_have_text("Architects")
    other.close()
    page.locator(".drop-company summary").click()
    page.get_by_role("link", name="Open another Manager").click()
    page.get_by_label("Company name").fill("Architects")
    page.get_by_label("Country").select_option("FR")
    page.get_by_label("Time zone").select_option("Europe/Paris")
    visitor.press("Open the Manager")
    visitor.sees("has a Manager already (United States)")
    visitor.looks_right("another-manager")
    visitor.press("Open the Manager")
    visitor.sees("Architects has a Manager now.")
    assert Membership.objects.filter(person=person).count() == 3


def test_r1_2_account_pages(visitor: Visitor) -> None:
    visitor.sign_in(join(make_cast(), Role.ADMINISTRATOR, account="Architects.Admin"))
    for name, path in (("email", "/account/email"), ("password", "/account/password"), ("sessions", "/account/sessions")):
        visitor.go(path)
        visitor.looks_right(f"account-{name}")
    visitor.go("/account/second-factor")
    visitor.looks_right("account-second-factor")
    visitor.go("/account/second-factor/app")
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.press("Confirm")
    visitor.looks_right("account-app")


def test_r1_2_a_passkey_opens_the_door(visitor: Visitor, context: BrowserContext) -> None:
    """With the browser's own virtual authenticator."""
    devtools = context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device | {"automaticPresenceSimulation": True}})
    visitor.sign_in(join(make_cast(), Role.ADMINISTRATOR, account="Architects.Admin"))
    visitor.go("/account/second-factor/passkeys/add")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.press("Confirm")
    visitor.page.locator("input[name=name]").fill("Laptop")
    visitor.page.get_by_label("It opens the door alone").check()
    visitor.looks_right("account-passkey")
    visitor.press("Add the passkey")
    visitor.page.wait_for_url(lambda url: not url.endswith("/add"))
    context.clear_cookies()
    visitor.go("/sign-in")
    visitor.press("Sign in with a passkey")
    visitor.page.wait_for_url("**/overview")


def test_light_and_dark_by_the_switch(visitor: Visitor) -> None:
    visitor.go("/sign-in")
    visitor.page.get_by_role("button", name="Dark").click()
    expect(visitor.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 24)"
    visitor.page.get_by_role("button", name="Auto").click()
    expect(visitor.page.locator("html")).to_have_attribute("data-theme", "auto")


def test_r12_the_operators_companies(visitor: Visitor) -> None:
    cast = make_cast()
    join(cast, Role.ADMINISTRATOR)
    visitor.sign_in(staff(Person.Staff.OPERATOR))
    visitor.looks_right("operator-companies")
    visitor.follow("Architects")
    visitor.looks_right("operator-company")
    visitor.follow("Suspend")
    visitor.looks_right("operator-suspend")
    visitor.page.get_by_label("Reason").fill("a card was reported stolen")
    visitor.press("Suspend")
    visitor.sees("can't make calls now")
    visitor.press("Resume")
    visitor.sees("can make calls again")
    visitor.follow("Mail")
    visitor.looks_right("operator-mail")
