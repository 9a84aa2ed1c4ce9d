"""Signing in from end to end: second factors, recovery codes, passkeys, forgotten passwords, sessions (SPEC R1.2)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.test_accounts import code_in_mail
from tests.web.cast import PASSWORD, join, make_cast
from trunkline.store.models import AuditEntry, Person, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
NEW_PASSWORD = "quite another long password"
PERIOD_SECONDS = 30


def codes(secret: str) -> Iterator[str]:
    """What an app shows: now, before, and next; each is taken once."""
    now = int(time.time()) // PERIOD_SECONDS
    return (str(format_hotp_value(hotp_value(secret, now + step))) for step in (0, 1, -1))


def administrator() -> Person:
    return join(make_cast(), Role.ADMINISTRATOR, account="Architects.Admin")


def with_app(person: Person) -> str:
    secret: str = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def authenticator(context: BrowserContext, page: Page) -> None:
    """The browser's own virtual device, which agrees to everything."""
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device | {"automaticPresenceSimulation": True}})


def confirm(visitor: Visitor) -> None:
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.press("Confirm")


def enter_code(visitor: Visitor, code: str) -> None:
    visitor.page.get_by_label("Code of the app").fill(code)
    visitor.press("Sign in")


def test_r1_2_an_app_is_set_up_and_asked_for_and_a_recovery_code_works_once(visitor: Visitor, context: BrowserContext) -> None:
    page, person = visitor.page, administrator()
    visitor.sign_in(person)
    visitor.sees("Your account has no second factor.")
    visitor.go("/account/second-factor")
    visitor.looks_right("factor-none")
    visitor.follow("App with codes")
    visitor.looks_right("factor-confirm")
    confirm(visitor)
    visitor.sees("Scan this picture")
    visitor.looks_right("factor-app")
    secret = page.locator("#copy-key").inner_text()
    page.get_by_label("The six digits").fill("000000")
    visitor.press("Use this app")
    visitor.sees("This code is wrong")
    shown = codes(secret)
    page.get_by_label("The six digits").fill(next(shown))
    visitor.press("Use this app")
    visitor.sees("They are shown once.")
    visitor.looks_right("factor-codes")
    recovery = page.locator("#codes").inner_text().split()
    visitor.follow("I have kept them")
    visitor.sees("10 of 10 not used yet")
    visitor.looks_right("factor-in-use")
    for used, left in ((next(shown), "10 of 10"), (recovery[0], "9 of 10")):
        context.clear_cookies()
        visitor.sign_in(person)
        visitor.sees("The second factor")
        enter_code(visitor, used)
        page.wait_for_url("**/overview")
        visitor.go("/account/second-factor")
        visitor.sees(left)
    context.clear_cookies()
    visitor.sign_in(person)
    enter_code(visitor, recovery[0])
    visitor.sees("This code is wrong, used, or too old.")
    visitor.looks_right("factor-refused")


def test_r1_2_guessing_codes_is_slowed_down(visitor: Visitor) -> None:
    person = administrator()
    secret = with_app(person)
    visitor.sign_in(person)
    for _ in range(12):
        enter_code(visitor, "000000")
        visitor.page.locator(".wrong").wait_for()
        if "Too many wrong tries" in visitor.page.locator(".wrong").inner_text():
            break
    enter_code(visitor, next(codes(secret)))
    visitor.sees("Too many wrong tries")
    visitor.go("/overview")
    visitor.page.wait_for_url("**/sign-in/second-factor*")  # still before the door


def test_r1_2_an_app_is_removed_after_its_consequences(visitor: Visitor) -> None:
    person = administrator()
    visitor.sign_in(person)
    visitor.sees("Needs attention")
    with_app(person)
    visitor.go("/account/second-factor")
    visitor.follow("App with codes")
    confirm(visitor)
    visitor.sees("the password alone opens your account")
    visitor.looks_right("factor-app-remove")
    visitor.press("Stop using the app")
    visitor.sees("The app is not used any more.")
    assert AuditEntry.objects.filter(action="person.remove_second_factor").count() == 1


def test_r1_2_a_passkey_is_the_second_factor_and_confirms_who_it_is(visitor: Visitor, context: BrowserContext) -> None:
    page, person = visitor.page, administrator()
    authenticator(context, page)
    visitor.sign_in(person)
    visitor.sees("Needs attention")
    visitor.go("/account/second-factor/passkeys/add")
    confirm(visitor)
    page.get_by_label("Name").fill("Laptop")
    visitor.looks_right("passkey-add")
    visitor.press("Add the passkey")
    visitor.sees("They are shown once.")
    visitor.go("/account/second-factor/passkeys")
    visitor.looks_right("passkeys")
    context.clear_cookies()
    visitor.sign_in(person)
    visitor.looks_right("passkey-sign-in")
    visitor.press("Use a passkey")
    page.wait_for_url("**/overview")
    visitor.go("/account/second-factor/passkeys")
    visitor.follow("Rename Laptop")
    visitor.follow("Use a passkey")
    visitor.looks_right("passkey-confirm")
    visitor.press("Use the passkey")
    page.get_by_label("Name").fill("Key in the safe")
    visitor.press("Save")
    visitor.follow("Remove Key in the safe")
    visitor.looks_right("passkey-remove")
    visitor.press("Remove the passkey")
    visitor.sees("The passkey is removed.")


def test_r1_2_a_forgotten_password_is_replaced_by_a_code_from_a_letter(visitor: Visitor, context: BrowserContext) -> None:
    page, person = visitor.page, administrator()
    visitor.sign_in(person)  # the address is known from the first sign-in on
    visitor.sees("Needs attention")
    context.clear_cookies()
    mail.outbox = []
    visitor.go("/sign-in")
    visitor.follow("Password forgotten?")
    visitor.looks_right("forgotten")
    page.get_by_label("E-mail address").fill(person.email)
    visitor.press("Send the code")
    visitor.sees("A letter with a code")
    visitor.looks_right("forgotten-code")
    page.get_by_label("Code").fill(code_in_mail())
    visitor.press("Confirm")
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    visitor.looks_right("forgotten-new")
    visitor.press("Save the password")
    visitor.sees("The password is changed")
    visitor.looks_right("forgotten-done")
    assert {letter.to[0] for letter in mail.outbox} == {person.email.lower()}
    assert "Trunkline: You have a new password" in [letter.subject for letter in mail.outbox]
    visitor.follow("Sign in")
    page.get_by_label("Account or e-mail address").fill(person.account)
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    visitor.press("Sign in")
    page.wait_for_url("**/overview")


@pytest.fixture
def elsewhere(chromium: Browser, site: str) -> Iterator[Page]:
    """Another device of the same person."""
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def sign_in_on(page: Page, site: str, person: Person) -> None:
    page.goto(f"{site}/sign-in")
    page.get_by_label("Account or e-mail address").fill(person.account)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/overview")


def test_r1_2_sessions_end_there_and_with_a_new_password(visitor: Visitor, elsewhere: Page, site: str) -> None:
    page, person = visitor.page, administrator()
    visitor.sign_in(person)
    visitor.sees("Needs attention")
    sign_in_on(elsewhere, site, person)
    visitor.go("/account/sessions")
    visitor.looks_right("sessions")
    page.get_by_role("button", name=re.compile("^Sign out there")).click()
    visitor.sees("That session has ended.")
    elsewhere.goto(f"{site}/overview")
    elsewhere.wait_for_url("**/sign-in*")
    sign_in_on(elsewhere, site, person)
    visitor.go("/account/password")
    page.get_by_label("Password of now").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    visitor.press("Change the password")
    visitor.sees("Your other sessions have ended.")
    visitor.looks_right("password-changed")
    elsewhere.goto(f"{site}/overview")
    elsewhere.wait_for_url("**/sign-in*")
    visitor.go("/account/sessions")
    expect(page.get_by_text("There is no other session.")).to_be_visible()
