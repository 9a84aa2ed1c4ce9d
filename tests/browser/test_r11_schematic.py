"""The schematic (SPEC R11, guide 9) as people look at it: one company or a hundred profiles, by keyboard, on paper, while a call begins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Visitor
from tests.web.cast import PASSWORD, Cast, join
from tests.web.wired import make_architects, make_many, number, register
from trunkline.store import clock
from trunkline.store.models import BusinessAccount, ChannelUse, Profile, Registration, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
OVER_ITS_BOX = """() => [...document.querySelectorAll(".schematic-box")].flatMap((box) => {
  const frame = box.querySelector("rect").getBBox();
  return [...box.querySelectorAll("text")].filter((text) => text.getBBox().x + text.getBBox().width > frame.x + frame.width - 4)
    .map((text) => text.textContent);
})"""

SIZES = "() => [...document.querySelectorAll('.schematic-strand')].map((piece) => piece.getBoundingClientRect().height)"


@pytest.fixture
def cast(site: str) -> Cast:
    return make_architects()


def test_g_9_the_whole_manager(administrator: Visitor) -> None:
    administrator.follow("Features")
    administrator.follow("Schematic")
    administrator.sees("Hiroshi")
    administrator.looks_right("schematic")
    assert administrator.page.evaluate(OVER_ITS_BOX) == []
    administrator.follow("List")
    administrator.sees("10,000 left")
    administrator.looks_right("schematic-list")


@pytest.mark.parametrize("name", ["W" * 80, "東京の建築家" * 13, "m@MW" * 20, "Ünïcödé ☎ 🏢 " * 6], ids=["wide", "cjk", "mixed", "symbols"])
def test_long_names_stay_in_their_boxes(administrator: Visitor, cast: Cast, name: str) -> None:
    Profile.objects.filter(pk=cast.company.profile_ids[0]).update(name=name.strip())
    Registration.objects.update(user_agent=name)
    BusinessAccount.objects.filter(name="Architects.Sales").update(name="W" * 64)
    administrator.go("/schematic")
    assert administrator.page.evaluate(OVER_ITS_BOX) == []
    expect(administrator.page.locator(".schematic-box title").first).to_have_text(re.compile(f"{'W' * 64}|{re.escape(name.strip())}"))


def test_it_follows_calls_and_registrations_and_leaves_the_keyboard_where_it_was(administrator: Visitor, cast: Cast) -> None:
    page = administrator.page
    administrator.go("/schematic")
    sales, engineering = cast.company.profile_ids
    box = page.locator(f"#box-profile-{sales}")
    box.focus()
    ChannelUse.objects.filter(profile_id=sales).update(in_use=4)
    register(engineering, "A new PBX 1.0")
    administrator.sees("A new PBX 1.0")
    expect(box).to_contain_text("4 of 4 channels in use")
    expect(page.locator("#schematic-figures")).to_contain_text("2 of 2")
    expect(box).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sales.Architects")


def test_the_search_follows_the_typing_and_stays_in_the_address(administrator: Visitor, cast: Cast) -> None:
    page = administrator.page
    administrator.go("/schematic")
    page.get_by_label("Name, number or address").press_sequentially("tanaka")
    expect(page.locator(f"#box-profile-{cast.company.profile_ids[0]}")).to_have_count(0)
    administrator.sees("Hiroshi")
    expect(page).to_have_url(f"{administrator.site}/schematic?q=tanaka&profile=")
    file = page.get_by_role("link", name="Download as SVG")
    expect(file).to_have_attribute("href", "/schematic?q=tanaka&profile=&format=svg")
    administrator.follow("List")
    expect(page.get_by_label("Name, number or address")).to_have_value("tanaka")
    expect(page.locator(".schematic-list tbody tr")).to_have_count(1)
    page.get_by_label("Name, number or address").fill("nothing is called that")
    administrator.sees("Nothing like this")
    administrator.looks_right("schematic-nothing")


def test_a_hundred_profiles_with_three_hundred_numbers(visitor: Visitor, site: str) -> None:
    visitor.sign_in(join(make_many(), Role.ADMINISTRATOR, account="Architects.Admin"))
    visitor.go("/schematic")
    visitor.looks_right("schematic-many")
    assert visitor.page.evaluate(OVER_ITS_BOX) == []


def test_on_paper_it_is_black_on_white_and_no_piece_is_larger_than_a_sheet(administrator: Visitor, cast: Cast, screenshots: Path) -> None:
    page, sales = administrator.page, cast.company.profile_ids[0]
    for each in range(11):
        number(cast.company.manager_id, f"1646555{each:04}", profile_id=sales)
        BusinessAccount.objects.create(
            manager_id=cast.company.manager_id, name=f"Architects.{each}", profile_id=sales, extension=f"{each}", created_at=clock.now()
        )
    page.set_viewport_size({"width": 1047, "height": 718})  # A4 across, without margins
    page.emulate_media(media="print", color_scheme="dark")
    administrator.go(f"/schematic?profile={sales}")
    assert max(page.evaluate(SIZES)) <= 718
    assert page.evaluate("document.documentElement.scrollWidth") <= 1047
    assert page.locator("text.schematic-name").first.evaluate("(name) => getComputedStyle(name).fill") == "rgb(0, 0, 0)"
    assert page.locator(".schematic-box rect").first.evaluate("(frame) => getComputedStyle(frame).fill") == "rgb(255, 255, 255)"
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.pdf(path=screenshots / "schematic.pdf", format="A4", landscape=True, prefer_css_page_size=True)


def test_its_file_shows_the_same_by_itself(administrator: Visitor, screenshots: Path) -> None:
    page = administrator.page
    administrator.go("/schematic")
    with page.expect_download() as loading:
        administrator.follow("Download as SVG")
    loading.value.save_as(screenshots / "schematic.svg")
    page.goto(f"file://{screenshots / 'schematic.svg'}")
    expect(page.get_by_text("Schematic of Architects").last).to_be_visible()
    assert page.evaluate(OVER_ITS_BOX) == []


def test_without_javascript(plain: BrowserContext, site: str, cast: Cast) -> None:
    person = join(cast, Role.READ_ONLY, account="Architects.Reader")
    page = plain.new_page()
    page.goto(f"{site}/sign-in?next=/schematic")
    page.get_by_label("Account or e-mail address").fill(person.account)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("SIP Profile", exact=True).select_option("Sales.Architects")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".schematic-box.of-profile")).to_have_count(1)
    expect(page.locator(".schematic-box.of-profile")).to_contain_text("Sales.Architects")
