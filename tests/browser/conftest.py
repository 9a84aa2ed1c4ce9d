"""A real Chromium on a real web server; every page that a test visits is looked at with `axe`, wide and narrow, light and dark."""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.test.utils import override_settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.conftest import Store
from tests.ports import PortBlock
from tests.web.cast import PASSWORD, Cast, join
from tests.web.conftest import QUICK
from trunkline.store.models import Person, Role

CHROMIUM = "/usr/bin/chromium"
SIZES = ((1280, 800), (360, 740))
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
Way = tuple[tuple[int, int], Literal["light", "dark"]]
WAYS: tuple[Way, ...] = tuple(itertools.product(SIZES, SCHEMES))
KEEP = bool(os.environ.get("KEEP_SCREENSHOTS"))
"""Pictures of all pages, not only of those that are wrong."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One for all tests here. Playwright has an event loop in this thread: Django would let nobody use the store from it, and tests of other
    packages that have a loop of their own could not run beside it. Nothing here is asynchronous."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture
def site(store: Store, ports: PortBlock, chromium: Browser) -> Iterator[str]:
    """The web process's application on a port of its own, over the test's store."""
    port = ports.take()
    with override_settings(**QUICK):
        server = ThreadedWSGIServer(("127.0.0.1", port), _Quiet)
        server.set_app(get_wsgi_application())
        server.daemon_threads = False  # closing waits for the requests in progress
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield f"http://localhost:{port}"
        server.shutdown()
        serving.join(10)
        server.server_close()


@dataclass
class Visitor:
    """Somebody with a browser."""

    page: Page
    site: str
    screenshots: Path
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        answer = self.page.goto(self.site + path)
        assert answer is not None
        assert answer.status < 400, f"{path}: {answer.status}"

    def sign_in(self, person: Person) -> None:
        self.go("/sign-in")
        self.page.get_by_label("Account or e-mail address").fill(person.account)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.press("Sign in")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def sees(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=10_000)

    def looks_right(self, name: str) -> None:
        """Wide and narrow, light and dark: nothing hangs over the edge, and axe finds nothing. Leaves a screenshot of what is wrong."""
        for way in WAYS:
            found = self.faults(way)
            if found or KEEP:
                self.take(name, way)
            assert found == [], f"{name}, {way}"
        self.page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
        self.page.emulate_media(color_scheme="light")

    def faults(self, way: Way) -> list[str]:
        """What is wrong with this page, seen that way."""
        self._turn(way)
        over = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found = [f"{over} px too wide"] if over > 0 else []
        return found + [
            f"{one['id']}: {[(node['html'], node['failureSummary']) for node in one['nodes'][:2]]}" for one in violations(self.page)
        ]

    def take(self, name: str, way: Way) -> None:
        """A picture of this page, seen that way."""
        (width, _), scheme = way
        self._turn(way)
        self.page.screenshot(path=self.screenshots / f"{name}-{width}-{scheme}.png", full_page=True)

    def _turn(self, way: Way) -> None:
        (width, height), scheme = way
        self.page.wait_for_load_state()  # a page that has only begun has nothing to measure
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds, which is brought into each document once."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return list(page.evaluate("axe.run({resultTypes: ['violations']}).then((found) => found.violations)"))


@pytest.fixture
def context(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    # closed before the site is: an open connection would keep a server thread
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def plain(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    """Without JavaScript."""
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def visitor(context: BrowserContext, site: str, screenshots: Path) -> Iterator[Visitor]:
    """No page may complain on the console: a script or style that the policy forbids does."""
    someone = Visitor(context.new_page(), site, screenshots)

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not re.search("favicon", message.text):
            someone.complaints.append(f"{message.text} ({someone.page.url})")

    someone.page.on("console", note)
    yield someone
    assert someone.complaints == []


@pytest.fixture
def administrator(visitor: Visitor, cast: Cast) -> Visitor:
    """Signed in to the company that a module makes in its `cast`."""
    visitor.sign_in(join(cast, Role.ADMINISTRATOR, account="Architects.Admin"))
    return visitor
