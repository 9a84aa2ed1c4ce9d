"""R13: the SIP messages of a call, on its page: by mouse, by keyboard, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.store.cast import NOW
from tests.web.calls import november
from tests.web.cast import Cast, join, make_cast, staff
from tests.web.wire import captures, write_ladder
from trunkline.store.models import Membership, Person, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast(site: str) -> Cast:
    return make_cast()


@pytest.fixture
def ref(cast: Cast, tmp_path: Path) -> Iterator[int]:
    refs = november(cast.company)
    with captures(tmp_path) as file:
        write_ladder(file, refs[0])
        yield refs[0]


def test_a_message_opens_to_its_headers(visitor: Visitor, cast: Cast, ref: int) -> None:
    visitor.sign_in(join(cast, Role.ADMINISTRATOR, account="Architects.Admin"))
    Membership.objects.update(records_acknowledged_at=NOW)
    visitor.go(f"/reports/calls/{ref}")
    page = visitor.page
    rungs = page.get_by_role("list", name="SIP messages in their order").get_by_role("listitem")
    expect(rungs).to_have_count(12)
    page.locator(".ladder summary").nth(1).click()
    expect(page.get_by_text("SIP/2.0 407 Proxy Authentication Required")).to_be_visible()
    page.locator(".ladder summary").nth(0).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("INVITE sip:33123456789@trunk.example SIP/2.0").first).to_be_visible()
    visitor.looks_right("ladder")
    with page.expect_download() as download:
        visitor.follow("Download as text")
    assert download.value.suggested_filename == f"call-{ref}.txt"


def test_the_operator_sees_both_sides(visitor: Visitor, cast: Cast, ref: int) -> None:
    visitor.sign_in(staff(Person.Staff.OPERATOR))
    visitor.go("/operator/calls")
    visitor.follow("Calls that are over")
    visitor.looks_right("calls-over")
    visitor.go(f"/operator/calls/records/{ref}")
    visitor.page.locator(".ladder summary").nth(5).click()
    expect(visitor.page.get_by_text("udp:198.51.100.7:5060").first).to_be_visible()
    visitor.looks_right("operator-call")
