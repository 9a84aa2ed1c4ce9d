"""Every page that answers a GET, as a browser shows it: axe finds nothing, nothing hangs over the edge, nothing complains on the console.

In the usual run each page is seen one way, and the next page another, and of the texts of the help and the API every tenth. `-m slow` sees
each page in every way, and leaves a screenshot of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connections
from django.urls import reverse

from tests.browser.conftest import WAYS, Visitor, Way
from tests.store.cast import BY
from tests.web import cast as people
from tests.web.test_access import routes, takes
from tests.web.test_help import PAGES as OF_HELP
from tests.web.walk import NO_PAGES, Page, Walk
from trunkline.api import documentation
from trunkline.store import clock
from trunkline.store.models import Role
from trunkline.usecases import invitations
from trunkline.web.access import Audience

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

T = TypeVar("T")
IN_EVERY_WAY = {"overview", "profile", "schematic", "reports", "number_shop", "operator_companies", "operator_price_list", "account_login"}
ALIKE = {"help_topic", "help_refusal", "api_operation"}
EACH = 4
"""Of everything: lists with several rows, and nothing that waits for a second page."""
ELSEWHERE = {
    "mfa_": "second factors: test_r1_2_sign_in.py has one in use",
    "account_confirm_password_reset_code": "in the middle of a way that test_r1_2_sign_in.py goes",
    "account_complete_password_reset": "the same",
    "account_email_verification_sent": "after sign-up: test_accounts.py",
    "fake_": "a payment that waits: test_g_10_4_credit.py",
}
"""Beginnings of the names of routes whose pages are there only on the way to something, and who looks at them."""
OF_PROGRAMS = ("/api/v1/", "/webhooks/")
"""No pages, but for the API's description."""
PARTS = "_live"
"""At the end of the name of what is no page, but a piece of one."""


@pytest.fixture
def walk(site: str) -> Walk:
    made = Walk(people.make_cast())
    made.grow(EACH)
    return made


@pytest.fixture
def sights(walk: Walk) -> list[Page]:
    """Whole pages: neither files, nor JSON, nor parts of pages. They are asked for in a thread without Playwright's loop: some have their own."""
    return aside(lambda: [page for page in [*walk.pages(), *for_anyone(walk)] if not page.name.startswith("API ") and is_whole(page)])


def test_every_page_is_in_order_in_a_browser(visitor: Visitor, sights: list[Page]) -> None:
    ways = itertools.cycle(WAYS)
    found = [fault for page in usual(sights) for fault in seen(visitor, page, WAYS if page.name in IN_EVERY_WAY else (next(ways),))]
    assert found == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0][0]}-{way[1]}")
def test_every_page_is_in_order_in_every_way(visitor: Visitor, sights: list[Page], way: Way) -> None:
    """One way at a time: `-k 360-dark`."""
    found = [fault for page in sights for fault in seen(visitor, page, (way,), keeps=True)]
    assert found == []


def test_no_page_is_left_out(walk: Walk) -> None:
    """Each route that takes a GET is walked, or a test looks at it on its way there."""
    walked = {page.name for page in aside(lambda: [*walk.pages(), *for_anyone(walk)])}
    known = (*NO_PAGES, *ELSEWHERE)
    shown = [(path, route.name or "") for path, route in routes() if takes(route.callback, "GET") and not path.startswith(OF_PROGRAMS)]
    assert [(name, path) for path, name in shown if name not in walked and not name.startswith(known)] == []


def aside(ask: Callable[[], T]) -> T:
    """In another thread, which leaves no connection behind."""

    def asked() -> T:
        try:
            return ask()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asked).result()


def usual(sights: list[Page]) -> list[Page]:
    """All, but of those that differ only in their text every tenth."""
    alike = [page for page in sights if page.name in ALIKE]
    return [page for page in sights if page.name not in ALIKE] + alike[::10]


def is_whole(page: Page) -> bool:
    answer = page.client.get(page.path)
    assert answer.status_code == 200, f"{page}: {answer.status_code}"
    return answer.headers["Content-Type"].startswith("text/html") and not page.name.endswith(PARTS)


def for_anyone(walk: Walk) -> list[Page]:
    """What people see who are signed out, and the page that signs them out."""
    manager_id = walk.cast.company.manager_id
    invited = invitations.invite(now=clock.now(), by=BY, manager_id=manager_id, email="soon@example.com", role=Role.BILLING)
    nobody = people.visitor()
    shown = [(path, route) for path, route in routes() if takes(route.callback, "GET")]
    mine = [(path, route.name or "") for path, route in shown if route.callback.audience is Audience.ANYONE]  # type: ignore[attr-defined]
    found = [(path.replace("<str:token>", invited.token), name) for path, name in mine]
    pages = [Page(name, path, nobody) for path, name in found if "<" not in path and not path.startswith(OF_PROGRAMS)]
    operations = [each["operationId"] for methods in documentation.schema()["paths"].values() for each in methods.values()]
    return [
        *(page for page in pages if page.name != "account_logout" and not page.name.startswith(tuple(ELSEWHERE))),
        *(Page("help_topic" if "refusals/" not in path else "help_refusal", path, nobody) for path in OF_HELP),
        Page("api_docs", reverse("api_docs"), nobody),
        *(Page("api_operation", reverse("api_operation", args=[name]), nobody) for name in operations),
        Page("account_logout", reverse("account_logout"), walk.administrator),
    ]


def seen(visitor: Visitor, page: Page, ways: Iterable[Way], *, keeps: bool = False) -> Iterator[str]:
    """What is wrong with it."""
    visitor.page.context.clear_cookies()
    visitor.page.context.add_cookies(
        [{"name": name, "value": morsel.value, "url": visitor.site} for name, morsel in page.client.cookies.items()]
    )
    visitor.go(page.path)
    for way in ways:
        if keeps:
            visitor.take(f"page-{page.name}-{page.path.strip('/').replace('/', '-')}", way)
        yield from (f"{page.name} {page.path} {way}: {fault}" for fault in visitor.faults(way))
    yield from visitor.complaints
    visitor.complaints.clear()
