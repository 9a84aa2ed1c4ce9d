"""The frame around every page: menus on a narrow screen, and everything by keyboard alone (issue 4, quality bar)."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Visitor, violations
from tests.web.cast import PASSWORD, join, make_cast
from tests.web.shop import make_shop
from trunkline.store.models import Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
MOST_TABS = 60
NARROW = {"width": 360, "height": 740}
FOCUS = """() => {
  const here = document.activeElement;
  const outlined = (part) => {
    const style = getComputedStyle(here, part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  const box = here.getBoundingClientRect();
  const named = here.labels?.length ? here.labels[0] : here;
  return {
    name: named.textContent.trim().replace(/\\s+/g, " "),
    seen: outlined(null) || outlined("::after"),
    inside: box.right > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


def tab_to(page: Page, name: str) -> None:
    """By Tab alone. Wherever one is on the way, one sees where."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["seen"], f"{page.url}: no focus is seen on {focus['name']!r}"
        assert focus["inside"], f"{page.url}: {focus['name']!r} has the focus and is not on the screen"
        if focus["name"].startswith(name):
            return
    raise AssertionError(f"{page.url}: {name} is not reached by Tab")


def enter(page: Page, name: str) -> None:
    """Follow that link or press that button, and wait for the page it leads to."""
    tab_to(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_channels_are_bought_by_keyboard_alone(visitor: Visitor) -> None:
    cast = make_shop(credit_units=1000)
    person = join(cast, Role.ADMINISTRATOR, account="Architects.Admin")
    page = visitor.page
    visitor.go("/sign-in")
    tab_to(page, "Account or e-mail address")
    page.keyboard.type(person.account)
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation(url="**/overview"):
        page.keyboard.press("Enter")
    enter(page, "Features")
    tab_to(page, "Skip to the page")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    enter(page, "View profile Sales.Architects")
    enter(page, "Buy a channel subscription")
    tab_to(page, "How many calls at the same time")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("3")
    visitor.sees("$985.00 afterwards")
    enter(page, "Buy now")
    visitor.sees("3 calling channels are there.")
    assert cast.company.profile().channels == 3


def test_a_menu_of_the_bar_closes_on_escape_and_gives_the_focus_back(visitor: Visitor) -> None:
    visitor.sign_in(join(make_cast(), Role.ADMINISTRATOR, account="Architects.Admin"))
    page = visitor.page
    page.wait_for_url("**/overview")
    tab_to(page, "Architects.Admin")
    page.keyboard.press("Enter")
    tab_to(page, "Sessions")
    page.keyboard.press("Escape")
    expect(page.locator(".drop[open]")).to_have_count(0)
    assert page.evaluate(FOCUS)["name"] == "Architects.Admin"


def test_on_a_narrow_screen_menus_open_by_a_button_without_javascript(plain: BrowserContext, site: str) -> None:
    person = join(make_cast(), Role.ADMINISTRATOR, account="Architects.Admin")
    page = plain.new_page()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type] # a TypedDict of the same shape
    page.goto(f"{site}/sign-in")
    page.get_by_label("Account or e-mail address").fill(person.account)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    main = page.get_by_role("navigation", name="Main")
    expect(main).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    main.get_by_role("link", name="People").click()
    expect(page.get_by_role("heading", name="People", level=1)).to_be_visible()
    page.get_by_role("button", name="People").click()
    page.get_by_role("navigation", name="People").get_by_role("link", name="API tokens").click()
    page.wait_for_url("**/members/api-tokens")


def test_nothing_is_cut_on_a_narrow_screen(visitor: Visitor) -> None:
    """No part of the frame scrolls sideways, and an open menu is whole."""
    visitor.sign_in(join(make_cast("Architects and Engineers of the North"), Role.ADMINISTRATOR, account="Architects.Admin"))
    page = visitor.page
    page.wait_for_url("**/overview")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type] # as above
    for button in ("Menu", "Your account"):
        if button == "Menu":
            page.get_by_role("button", name=button, exact=True).click()
        else:
            page.keyboard.press("Escape")
            page.locator(".drop").last.locator("summary").click()
        page.screenshot(path=visitor.screenshots / f"frame-{button.lower().replace(' ', '-')}-360.png")
        cut = "[...document.querySelectorAll('.bar *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.className)"
        assert page.evaluate(cut) == []
        assert violations(page) == []
