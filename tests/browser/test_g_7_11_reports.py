"""Guide 7.11: Features, Trunks, View profile, Reports; from month to month, and to the allocations."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.web.calls import november
from tests.web.cast import Cast, make_cast

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast(site: str) -> Cast:
    return make_cast()


@pytest.fixture
def refs(cast: Cast) -> list[int]:
    return november(cast.company)


def to_the_reports(visitor: Visitor) -> None:
    """Steps 1 to 4, and what everybody reads once."""
    visitor.follow("Features")
    visitor.follow("Trunks")
    visitor.follow("View profile Profile 0")
    visitor.page.get_by_label("Profile 0").get_by_role("link", name="Reports").click()
    visitor.sees("Call records are personal data")
    visitor.looks_right("acknowledge")
    visitor.press("I understand")


def show_month(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_label("Month", exact=True).select_option(label=name)
    visitor.press("Show this month")


def test_g_7_11_usage(refs: list[int], administrator: Visitor) -> None:
    to_the_reports(administrator)
    page = administrator.page
    expect(page.get_by_role("heading", level=2).first).to_contain_text("Usage")
    show_month(administrator, "November 2026")
    expect(page.get_by_role("cell", name="Minute bundle (zero-rated)")).to_be_visible()
    administrator.looks_right("usage")
    page.get_by_text("Figures by day").click()
    page.get_by_role("navigation", name="What the chart shows").get_by_role("link", name="Cost").click()
    administrator.looks_right("usage-cost")
    administrator.follow("Next month")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("December 2026")
    administrator.follow("Previous month")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("November 2026")
    page.get_by_label("Result").select_option(label="Refused")
    administrator.press("Filter")
    expect(page.locator(".card-flush tbody tr")).to_have_count(2)
    with page.expect_download() as loading:
        administrator.follow("XLSX")
    assert loading.value.suggested_filename == "profile-0-usage-2026-11.xlsx"


def test_g_7_11_allocations(refs: list[int], administrator: Visitor) -> None:
    to_the_reports(administrator)
    administrator.follow("Allocations")
    show_month(administrator, "December 2026")
    expect(administrator.page.get_by_role("cell", name="Credit allocated")).to_be_visible()
    administrator.looks_right("allocations")
    administrator.follow("Usage")
    expect(administrator.page.get_by_role("heading", level=2).first).to_contain_text("Usage: December 2026")


def test_g_7_11_the_whole_manager(administrator: Visitor, refs: list[int]) -> None:
    """What the guide leaves to the Manager's own guide: all profiles, incoming calls, statements, and why a call was refused."""
    to_the_reports(administrator)
    administrator.go("/reports?month=2026-11")
    administrator.looks_right("usage-of-all")
    beyond_the_edge = "sheet => sheet.scrollWidth - sheet.clientWidth"
    assert administrator.page.locator(".card-flush .table-wrap").evaluate(beyond_the_edge) <= 0, "the Cost is cut off"
    administrator.go("/reports/incoming?month=2026-11")
    administrator.looks_right("incoming")
    administrator.go("/reports/statement?month=2026-12")
    administrator.page.get_by_label("Purse").select_option(label="Credit of Profile 0")
    administrator.press("Show this purse")
    administrator.looks_right("statement")
    administrator.page.get_by_role("link", name="5 Nov 2026, 10:00:00").click()
    administrator.sees("Explain this call")
    administrator.looks_right("call")
    administrator.go(f"/reports/calls/{refs[4]}")
    administrator.looks_right("call-refused")
    administrator.go("/reports/archive")
    administrator.looks_right("archive")
