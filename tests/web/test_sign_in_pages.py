"""No page, message or letter of the account library is left as the library has it: all have our frame and our words (issue 4, item 1)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import allauth
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.core.cache import cache
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from tests.store.cast import make_price_list
from tests.web.cast import PASSWORD, join, make_cast, signed_in, visitor
from tests.web.test_people import COMPANY, SOMEBODY, code_in_mail
from trunkline.store.models import Manager, Person, Role
from trunkline.web.accounts import urls

LIBRARY = Path(allauth.__file__).parent / "templates"
OURS = Path(urls.__file__).parents[1] / "templates"
NOT_REACHED = {
    r"account/.*phone.*": "there are no telephone numbers of people",
    r"account/.*login_code.*": "nobody signs in by a code alone",
    r"account/email\.html": "one address for each account",
    r"account/email_confirm\.html|account/verif.*|account/password_reset_done\.html|account/email/password_reset_key_.*": "codes, no links",
    r"account/signup_by_passkey\.html|mfa/webauthn/signup_form\.html": "companies sign up with a password",
    r"account/snippets/(warn_no_email|already_logged_in)\.html": "of pages that are ours",
    r"mfa/trust\.html": "no browser is trusted instead of a second factor",
    r".*/base_(entrance|manage|manage_email|manage_password|manage_phone)\.html": "nothing but the frame's name",
}
NO_PAGES = {
    "mfa_login_webauthn": "answers the sign-in page's script",
    "mfa_download_recovery_codes": "codes are shown once, and not again as a file",
    "account_set_password": "everybody has a password",
    "mfa_reauthenticate_webauthn": "wants a real passkey: tests/browser",
}


def templates() -> Iterator[str]:
    for room in ("account", "mfa", "usersessions"):
        for path in sorted((LIBRARY / room).rglob("*")):
            if path.is_file():
                yield str(path.relative_to(LIBRARY))


def is_ours(name: str) -> bool:
    origin = get_template(name).origin  # type: ignore[attr-defined] # Django's own templates have it
    return Path(origin.name).is_relative_to(OURS)


def test_each_template_of_the_library_is_ours_or_never_reached() -> None:
    unreached = {name for name in templates() if any(re.fullmatch(pattern, name) for pattern in NOT_REACHED)}
    assert {name for name in templates() if not is_ours(name)} == unreached


@dataclass
class Tour:
    """Visits pages and looks at each; `seen` has the names of their routes."""

    seen: set[str] = field(default_factory=set)

    def visit(self, client: Client, *names: str, **where: object) -> None:
        for name in names:
            answer = client.get(reverse(name, kwargs=where or None))
            assert answer.status_code == 200, f"{name}: {answer.status_code} {answer.headers.get('Location', '')}"
            page = answer.content.decode()
            assert 'class="brand"' in page, name
            assert 'href="#main"' in page, name
            assert "<h1>" in page, name
            self.seen.add(name)


def test_every_page_of_the_library_has_our_frame() -> None:
    tour = Tour()
    cast = make_cast()
    _look_in_from_outside(tour, join(cast, Role.BILLING))
    _look_at_the_account(tour, join(cast, Role.ADMINISTRATOR))
    of_library = {route.name or "" for route in urls.urlpatterns if "allauth" in str(getattr(route.callback, "__module__", ""))}
    assert len(of_library) > 20
    assert of_library - tour.seen == NO_PAGES.keys() & of_library


def _look_in_from_outside(tour: Tour, person: Person) -> None:
    signed_in(person)  # so that the address is known
    tour.visit(visitor(), "account_login", "account_inactive", "account_reset_password", "account_password_reset_completed")
    forgetful = visitor()
    forgetful.post("/password/reset", {"email": person.email})
    tour.visit(forgetful, "account_confirm_password_reset_code")
    forgetful.post("/password/reset/confirm", {"code": code_in_mail()})
    tour.visit(forgetful, "account_complete_password_reset")
    newcomer = visitor()
    newcomer.post("/sign-up", COMPANY | SOMEBODY)
    tour.visit(newcomer, "account_email_verification_sent")


def _look_at_the_account(tour: Tour, person: Person) -> None:
    client = signed_in(person)
    tour.visit(client, "account_logout", "account_reauthenticate", "account_email", "account_change_password")
    assert client.post("/confirm-identity", {"password": PASSWORD}).status_code == 302
    tour.visit(client, "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn")
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    tour.visit(client, "mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_reauthenticate")
    entering = visitor()
    entering.post("/sign-in", {"login": person.account, "password": PASSWORD})
    tour.visit(entering, "mfa_authenticate")
    passkey = Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop", "credential": {}})
    tour.visit(client, "mfa_list_webauthn", "mfa_index")
    tour.visit(client, "mfa_edit_webauthn", "mfa_remove_webauthn", pk=passkey.pk)


def test_whoever_signs_up_does_not_learn_whether_an_address_has_an_account() -> None:
    """Not by the pages, the headers, what can be sent from there, nor by a code that fits."""
    make_price_list()
    known = join(make_cast(), Role.ADMINISTRATOR, account="Somebody.Known")
    seen = {}
    for email, account in ((known.email.lower(), "First.Admin"), ("unknown@example.com", "Second.Admin")):
        mail.outbox = []
        client = visitor()
        answer = client.post("/sign-up", COMPANY | {"company_name": account, "email": email, "account": account, "password": PASSWORD})
        page = client.get("/confirm-email").content.decode().replace(email, "ADDRESS")
        again = client.post("/confirm-email", {"code": "WRONGX"})
        seen[email] = (
            answer.status_code,
            answer.headers["Location"],
            re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page),
            again.status_code,
            client.post("/confirm-email", {"action": "resend"}).status_code,
            {message.to[0] == email for message in mail.outbox},
        )
    assert seen[known.email.lower()] == seen["unknown@example.com"]
    assert Person.objects.filter(account="First.Admin").count() == 0


def test_a_second_try_with_the_same_names_tells_no_more() -> None:
    """Nothing is made, and no name is taken, before the code: neither for an address that has an account nor for one that has none."""
    make_price_list()
    known = join(make_cast(), Role.ADMINISTRATOR, account="Somebody.Known")
    for email in (known.email, "unknown@example.com"):
        given = COMPANY | {"company_name": "Third", "email": email, "account": "Third.Admin", "password": PASSWORD}
        first, second = visitor().post("/sign-up", given), visitor().post("/sign-up", given | {"email": f"second.{email}"})
        assert (first.status_code, second.status_code) == (302, 302)
        assert first.headers["Location"] == second.headers["Location"] == "/confirm-email"
    assert not Person.objects.filter(account="Third.Admin").exists()
    assert not Manager.objects.filter(company_name="Third").exists()


def test_whoever_is_first_to_prove_an_address_gets_the_names() -> None:
    make_price_list()
    given = COMPANY | {"company_name": "Third", "account": "Third.Admin", "password": PASSWORD}
    tries = []
    for email in ("one@example.com", "other@example.com"):
        client = visitor()
        client.post("/sign-up", given | {"email": email})
        tries.append((client, code_in_mail()))
    for client, code in tries:
        assert client.post("/confirm-email", {"code": code}).status_code == 302
    assert "Third" in tries[0][0].get("/overview").content.decode()
    assert tries[1][0].get("/overview").headers["Location"].startswith("/sign-in")
    assert Person.objects.get(account="Third.Admin").email == "one@example.com"
    assert "The account Third.Admin is taken" in tries[1][0].get("/sign-up").content.decode()


def test_a_code_is_guessed_three_times_only() -> None:
    make_price_list()
    client = visitor()
    client.post("/sign-up", COMPANY | SOMEBODY)
    code = code_in_mail()
    answers = [client.post("/confirm-email", {"code": "WRONGX"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 302]
    assert client.post("/confirm-email", {"code": code}).status_code == 302
    assert Person.objects.count() == 0


def test_the_owner_of_the_address_is_told_by_letter() -> None:
    make_price_list()
    known = join(make_cast(), Role.ADMINISTRATOR)
    mail.outbox = []
    visitor().post("/sign-up", COMPANY | SOMEBODY | {"email": known.email.upper()})
    [letter] = mail.outbox
    assert letter.to == [known.email]
    assert "belongs to an account already" in str(letter.body)
    assert "/password/reset" in str(letter.body)


def test_a_code_of_an_app_is_taken_once_for_as_long_as_it_fits() -> None:
    """Also when the library has forgotten that it was used."""
    person = join(make_cast(), Role.ADMINISTRATOR)
    secret = generate_totp_secret()
    app = TOTP.activate(person, secret)
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30 + 1))
    first, second = visitor(), visitor()
    for client in (first, second):
        client.post("/sign-in", {"login": person.account, "password": PASSWORD})
    assert first.post("/sign-in/second-factor", {"code": code}).status_code == 302
    assert cache.delete(app._get_used_cache_key(code))
    answer = second.post("/sign-in/second-factor", {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, "This code is wrong, used, or too old." in answer.content.decode()) == (200, True)
    assert second.get("/overview").status_code == 302


def test_one_session_is_ended_and_no_one_elses() -> None:
    cast = make_cast()
    person, other = join(cast, Role.ADMINISTRATOR), join(cast, Role.BILLING)
    here, there, elsewhere = signed_in(person), signed_in(person), signed_in(other)
    ends = re.findall(r'action="(/account/sessions/\d+/end)"', here.get("/account/sessions").content.decode())
    assert len(ends) == 1
    assert elsewhere.post(ends[0]).status_code == 404
    assert there.get("/overview").status_code == 200
    assert here.post(ends[0]).status_code == 302
    assert there.get("/overview").headers["Location"].startswith("/sign-in")
    assert here.get("/overview").status_code == 200
