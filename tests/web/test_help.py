"""Help: a page for each refusal, a guide to each page of the Manager, words that are explained, and a search that finds them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from tests.structure.test_documents import rows
from tests.web.cast import join, make_cast, signed_in, visitor
from tests.web.test_access import paths, routes, takes
from tests.web.test_queries import queries
from trunkline.domain.refusals import REFUSALS
from trunkline.manager.help.glossary import TERMS
from trunkline.manager.help.refusals import ON_ASTERISK
from trunkline.manager.help.search import search
from trunkline.manager.help.topics import BY_SLUG, TOPICS, topic_of
from trunkline.store.models import Role
from trunkline.web.access import Audience

SOURCE = Path(__file__).resolve().parents[2] / "src" / "trunkline"
HELP = SOURCE / "manager" / "templates" / "manager" / "help"
PAGES = (
    "/help",
    "/help/glossary",
    "/help/refusals",
    *(f"/help/{topic.slug}" for topic in TOPICS),
    *(f"/help/refusals/{refusal.code}" for refusal in REFUSALS.values()),
)


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_every_page_is_open_to_everybody_and_every_link_leads_somewhere() -> None:
    client = visitor()
    glossary = shown(client, "/help/glossary")
    for path in PAGES:
        for link in set(re.findall(r'href="(/[^"]*)"', shown(client, path))):
            target, _, anchor = link.partition("#")
            if target.startswith(("/static/", "/api/")):
                continue
            try:
                resolve(target.partition("?")[0])
            except Resolver404:
                pytest.fail(f"{path} leads to {link}, which is not there")
            if target == "/help/glossary" and anchor:
                assert f'id="{anchor}"' in glossary, f"{path}: {link}"


def test_every_refusal_has_a_text_of_its_own() -> None:
    assert {path.stem for path in (HELP / "refusals").glob("*.html")} == set(REFUSALS)
    for refusal in REFUSALS.values():
        page = shown(visitor(), f"/help/refusals/{refusal.code}")
        assert "What to do" in page
        assert f"{refusal.status} {refusal.phrase}" in page
    assert visitor().get("/help/refusals/c01").status_code == 200
    assert visitor().get("/help/refusals/C99").status_code == 404


def test_every_refusal_that_is_shown_leads_to_its_page() -> None:
    silent = []
    for template in SOURCE.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        if re.search(r"(refusal|refused)\.(code|remedy)\b", text) and not re.search(r"help_refusal|parts/refusal\.html", text):
            silent.append(str(template.relative_to(SOURCE)))
    assert silent == []


def test_what_a_pbx_shows_is_what_was_measured() -> None:
    measured = rows("refusals-on-asterisk.md", "status")
    for status, seen in ON_ASTERISK.items():
        dial_status, cause, dialplan = measured[str(status)]
        assert (dial_status, cause, dialplan.startswith("next line")) == (seen.dial_status, str(seen.hangup_cause), seen.goes_on)
    assert {refusal.status for refusal in REFUSALS.values()} == set(ON_ASTERISK)


def test_every_page_of_the_manager_has_a_guide() -> None:
    of_manager = [(path, route) for path, route in routes() if route.callback.audience.of_company and not path.startswith("/api/")]  # type: ignore[attr-defined]
    assert of_manager
    assert [path for path, route in of_manager if topic_of(route.name or "") is None] == []
    assert {path.stem for path in (HELP / "topics").glob("*.html")} == set(BY_SLUG)


@pytest.mark.parametrize(
    ("route", "slug"),
    [
        ("profile", "profile"),
        ("profile_rename", "profile"),
        ("profile_create_advice", "channels"),
        ("profile_account_remove", "accounts"),
        ("payment_method_remove", "payment-methods"),
        ("reports_incoming", "reports"),
        ("archive_profile_statement", "statement"),
        ("landline_remove", "landlines"),
        ("account_email", "your-account"),
        ("account_email_verification_sent", "your-account"),
        ("mfa_list_webauthn", "second-factor"),
        ("mfa_authenticate", "sign-in"),
        ("usersession_end", "sessions"),
        ("invitation", "invitation"),
        ("invitation_withdraw", "people"),
        ("account_create_many", "accounts"),
    ],
)
def test_a_page_has_the_guide_of_its_area(route: str, slug: str) -> None:
    assert topic_of(route) == BY_SLUG[slug]


def test_every_page_of_the_manager_leads_to_its_guide() -> None:
    cast = make_cast()
    client = signed_in(join(cast, Role.ADMINISTRATOR))
    silent, seen = [], 0
    for path, route in paths(cast, *(audience for audience in Audience if audience.of_company)):
        answer = client.get(path)
        page = answer.content.decode() if answer.status_code == 200 and not answer.streaming else ""
        if "<!doctype html>" not in page or path.startswith("/api/"):
            continue
        seen += 1
        topic = topic_of(route.name or "")
        if topic is None or f'class="help-link" href="/help/{topic.slug}"' not in page:
            silent.append(path)
    assert silent == []
    assert seen > 40


def test_ones_own_account_and_the_ways_in_lead_to_their_guides() -> None:
    cast = make_cast()
    mine, nobody = signed_in(join(cast, Role.READ_ONLY)), visitor()
    pages = [(mine, path) for path, route in paths(cast, Audience.SIGNED_IN) if takes(route.callback, "GET")]
    pages += [(nobody, path) for path in ("/sign-in", "/sign-up", "/password/reset", f"/invitation/{cast.samples['token']}")]
    answers = [(path, client.get(path)) for client, path in pages]
    guides = {
        path: re.findall(r'class="help-link" href="/help/([a-z-]+)"', answer.content.decode())
        for path, answer in answers
        if is_page(answer)
    }
    assert [path for path, found in guides.items() if len(found) != 1] == []
    assert {slug for [slug] in guides.values()} == {"your-account", "second-factor", "sessions", "sign-in", "sign-up", "invitation"}


def is_page(answer: Any) -> bool:
    return answer.status_code == 200 and "<!doctype html>" in answer.content.decode()


def test_a_page_leads_to_its_guide_and_back_into_the_same_company() -> None:
    cast = make_cast()
    client = signed_in(join(cast, Role.READ_ONLY))
    prefix = f"/c/{cast.company.manager_id}"
    assert f'href="{prefix}/help/trunks"' in shown(client, f"{prefix}/trunks")
    guide = shown(client, f"{prefix}/help/start")
    assert f'href="{prefix}/trunks"' in guide
    assert cast.company.manager.company_name in guide
    assert "help-link" not in guide


def test_signed_out_nobody_is_asked_and_the_store_is_not_either() -> None:
    client = visitor()
    shown(client, "/help")
    assert queries(client, "/help/start") == 0
    assert queries(client, "/help?q=credit") == 0


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("caller id", "Caller ID"),
        ("C02", "C02 all channels in use"),
        ("statement", "Statement"),
        ("delete profile", "Delete a SIP Profile"),
        ("srtp required", "C13 SRTP required"),
        ("recharge", "Auto-recharge"),
    ],
)
def test_search_finds_the_best_first(query: str, first: str) -> None:
    assert search(query)[0].title == first


@pytest.mark.parametrize("query", ["", "   ", "?!", "xyzzy", "credit xyzzy", "<script>", "a" * 10_000])
def test_search_finds_nothing_where_nothing_is(query: str) -> None:
    assert search(query) == []
    page = visitor().get("/help", {"q": query})
    assert page.status_code == 200
    assert b"<script>" not in page.content.replace(b"<script src", b"")


def test_words_are_in_order_and_once() -> None:
    words = [term.word.casefold() for term in TERMS]
    assert words == sorted(set(words))


def test_what_help_quotes_stands_on_a_page() -> None:
    """“Calling channels” in a guide is the name of something that people see."""
    pages = [*SOURCE.rglob("*.html"), *(SOURCE / "manager").rglob("*.py"), SOURCE / "web" / "navigation.py"]
    shown_there = "".join(path.read_text(encoding="utf-8") for path in pages if HELP not in path.parents)
    quoted = {each for path in HELP.rglob("*.html") for each in re.findall("“([^”{]+)”", path.read_text(encoding="utf-8"))}
    assert len(quoted) > 10
    assert [each for each in sorted(quoted) if each.rstrip(",.").casefold() not in shown_there.casefold()] == []


def test_what_does_not_exist_is_not_found() -> None:
    assert visitor().get("/help/nothing").status_code == 404
