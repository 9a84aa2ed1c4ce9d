"""Try a number, read what a refusal means, look something up, and see how the service is: looked at, and by keyboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.store.cast import BY, NOW
from tests.web.calls import november
from tests.web.cast import Cast, join, make_cast, staff
from trunkline.store import clock
from trunkline.store.models import Membership, Person, Price, Role
from trunkline.usecases import carriers, incidents
from trunkline.web import status

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast(site: str) -> Cast:
    """With a way to the world."""
    made = make_cast()
    Price.objects.update(effective_from=datetime(2020, 1, 1, tzinfo=UTC))
    carrier = carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="93.184.215.14"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier, prefix="")
    return made


def test_r13_a_number_is_tried(visitor: Visitor, cast: Cast) -> None:
    visitor.sign_in(join(cast, Role.READ_ONLY))
    visitor.follow("Features")
    visitor.follow("View profile Profile 0")
    visitor.follow("Try a number")
    visitor.looks_right("try")
    visitor.page.get_by_label("Number", exact=True).fill("0033 1 23 45 67 89")
    visitor.page.keyboard.press("Enter")
    visitor.sees("The call would go on.")
    visitor.looks_right("try-good")
    visitor.page.get_by_label("Number", exact=True).fill("911")
    visitor.press("Try it")
    visitor.sees("The call would be refused.")
    visitor.looks_right("try-refused")
    visitor.follow("What refusal C14 means, and what to do")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("C14: no emergency calls")
    visitor.looks_right("refusal")


def test_r13_a_refused_call_leads_to_its_page_and_to_another_try(visitor: Visitor, cast: Cast) -> None:
    refs = november(cast.company)
    visitor.sign_in(join(cast, Role.ADMINISTRATOR))
    Membership.objects.update(records_acknowledged_at=NOW)
    visitor.go(f"/reports/calls/{refs[4]}")
    visitor.looks_right("call-refused")
    visitor.follow("Try the number again, without a call")
    expect(visitor.page.get_by_label("Number", exact=True)).to_have_value("33123456789")
    visitor.sees("The call would go on.")
    visitor.page.get_by_role("link", name="Help: Try a number").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Try a number")
    visitor.follow("Open this page in the Manager")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Trunks")


def test_help_is_found_signed_out(visitor: Visitor, site: str) -> None:
    visitor.go("/sign-in")
    visitor.follow("Help")
    visitor.looks_right("help")
    visitor.page.get_by_label("Search in help").fill("caller id")
    visitor.press("Search")
    visitor.sees("Found")
    visitor.looks_right("help-found")
    visitor.follow("Caller ID")
    visitor.looks_right("guide")
    visitor.follow("landline")
    visitor.page.wait_for_url("**/help/glossary#landline")
    visitor.looks_right("glossary")
    visitor.follow("Refusals")
    visitor.looks_right("refusals")


def test_the_operator_tells_and_everybody_reads(visitor: Visitor, cast: Cast) -> None:
    before = clock.now() - timedelta(days=3)
    late = incidents.open_incident(now=before, by=BY, title="Letters came late", part="payments", text="Letters wait.")
    incidents.note_incident(now=before + timedelta(hours=2), by=BY, incident_id=late, state="over", text="All have been sent.")
    visitor.sign_in(staff(Person.Staff.OPERATOR))
    visitor.page.wait_for_url("**/operator/**")
    visitor.follow("Incidents")
    visitor.looks_right("operator-incidents")
    visitor.follow("Tell of an incident")
    visitor.looks_right("operator-incident-new")
    visitor.page.get_by_label("Title").fill("Calls to Spain fail")
    visitor.page.get_by_label("Part of the service").select_option(label="Calls")
    visitor.page.get_by_label("What customers read").fill(
        "About half of the calls to Spain are not connected. Other countries are not affected."
    )
    visitor.press("Publish it")
    visitor.sees("The status page shows it within 10 seconds.")
    visitor.looks_right("operator-incident")
    incidents.open_incident(
        now=clock.now(), by=BY, title="New machines", part="all", text="Up to five minutes.", begins_at=clock.now() + timedelta(days=2)
    )
    status.kept.forget()
    visitor.go("/status")
    visitor.sees("Calls to Spain fail")
    visitor.page.get_by_text("Letters came late").click()
    visitor.looks_right("status")
