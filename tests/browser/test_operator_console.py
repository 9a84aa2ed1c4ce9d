"""The operator's console in a real browser: each page looked at, and the ways that change something."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.callcontrol.ground import Table
from tests.store.cast import BY, NOW
from tests.web.cast import Cast, make_cast, sell, staff
from trunkline.domain.money import MICROS
from trunkline.store.models import Carrier, Change, FraudLook, Mail, Number, Payment, Person, Price, PriceList, ProviderEvent
from trunkline.usecases import carriers

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

SHEET = "prefix,destination,rate\n1,United States,0.03\n33,France,0.01\n49,Germany,0.02\n"


@pytest.fixture
def cast(site: str) -> Cast:
    made = make_cast(profile_count=2)
    Price.objects.update(effective_from=datetime(2020, 1, 1, tzinfo=UTC))
    sell(made.company.price_list_id)
    carrier = carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier, prefix="", cost_per_minute_micros=8_000)
    return made


@pytest.fixture
def operator(visitor: Visitor, cast: Cast) -> Visitor:
    visitor.sign_in(staff(Person.Staff.OPERATOR))
    visitor.page.wait_for_url("**/operator/**")
    return visitor


def test_prices_are_imported_by_preview(operator: Visitor, cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(SHEET)
    (tmp_path / "bad.csv").write_text("prefix,destination,rate\n1,United States,cheap\n")
    operator.follow("Price lists")
    operator.looks_right("operator-prices")
    operator.follow("Prices of Architects")
    operator.looks_right("operator-price-list")
    operator.follow("Import prices")
    operator.looks_right("operator-price-upload")
    operator.page.get_by_label("CSV sheet").set_input_files(tmp_path / "bad.csv")
    operator.press("Preview")
    operator.sees("line 2:")
    operator.looks_right("operator-price-errors")
    operator.page.get_by_label("CSV sheet").set_input_files(tmp_path / "new.csv")
    operator.press("Preview")
    operator.sees("What new.csv changes")
    operator.looks_right("operator-price-preview")
    operator.press("Import this")
    operator.sees("has version 3 now")
    operator.follow("5,000 US minutes")
    operator.looks_right("operator-bundle")
    assert PriceList.objects.get().version == 3


def test_numbers_are_imported_by_preview(operator: Visitor, cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("number,area,monthly price\n+12025550150,Washington,4.50\n+442079460150,London,5\n")
    operator.follow("Number stock")
    operator.follow("Import numbers")
    operator.page.get_by_label("CSV sheet").set_input_files(tmp_path / "new.csv")
    operator.press("Preview")
    operator.looks_right("operator-number-preview")
    operator.press("Import these")
    operator.sees("2 numbers are in the stock")
    operator.looks_right("operator-numbers")
    operator.follow("Assign +12025550150")
    operator.looks_right("operator-number-assign")
    operator.page.get_by_label("SIP user of the profile").fill(cast.company.profile().sip_user)
    operator.press("Assign it")
    operator.sees("is on Profile 0")
    assert Number.objects.get(e164="12025550150").profile_id == cast.company.profile_ids[0]


def test_a_carrier_is_switched_off(operator: Visitor, cast: Cast) -> None:
    Carrier.objects.update(up=False, up_changed_at=datetime.now(UTC))
    operator.follow("Carriers")
    operator.looks_right("operator-carriers")
    operator.follow("North")
    operator.looks_right("operator-carrier")
    operator.follow("Remove the route of all numbers")
    operator.looks_right("operator-carrier-remove-route")
    operator.follow("Cancel")
    operator.follow("Switch off")
    operator.looks_right("operator-carrier-switch")
    operator.press("Switch off")
    operator.sees("North is off")
    assert not Carrier.objects.get().enabled


def test_a_payment_is_booked_and_refunded(operator: Visitor, cast: Cast) -> None:
    operator.follow("Architects")
    operator.looks_right("operator-company")
    operator.follow("Book a payment")
    operator.page.get_by_label("Amount that came in").fill("25")
    operator.page.get_by_label("Reference").fill("transfer 7")
    operator.press("Go on")
    operator.looks_right("operator-book")
    operator.press("Book $25.00")
    operator.sees("The payment is booked.")
    ProviderEvent.objects.create(
        provider="fake", event_id="e1", kind="refunded", payload={}, received_at=NOW, outcome="No payment is known."
    )
    operator.follow("Payments")
    operator.looks_right("operator-payments")
    operator.follow(f"View payment {Payment.objects.latest('pk').pk}")
    operator.looks_right("operator-payment")
    operator.follow("Refund")
    operator.page.get_by_label("Amount to give back").fill("5")
    operator.page.get_by_label("Reason").fill("asked for")
    operator.press("Go on")
    operator.looks_right("operator-refund")
    operator.press("Refund $5.00")
    operator.sees("is done")
    assert Payment.objects.latest("pk").refunded_micros == 5 * MICROS
    operator.go("/operator/payments/waiting")
    operator.looks_right("operator-waiting")
    operator.follow("Purchase limits")
    operator.looks_right("operator-limits")


def test_a_live_call_is_hung_up(operator: Visitor, cast: Cast) -> None:
    Table(now_us=time.time_ns() // 1000).answered_call(cast.company.profile())
    operator.follow("Live calls")
    operator.looks_right("operator-calls")
    operator.follow("Hang up +33 1 23 45 67 89")
    operator.looks_right("operator-hang-up")
    operator.page.get_by_label("Reason").fill("fraud")
    operator.press("Hang up")
    operator.sees("Call control ends this call now.")
    assert Change.objects.filter(what="hang_up").count() == 1


def test_flags_outbox_and_health(operator: Visitor, cast: Cast) -> None:
    mail = Mail.objects.create(
        key="1", subject="Credit is low", text="Hello", created_at=NOW, next_try_at=NOW, given_up_at=NOW, failure="no route"
    )
    hint = [cast.company.profile_ids[0], "Many short calls to one destination", "40 to +2239900… in a day", NOW.isoformat()]
    FraudLook.objects.create(pk=1, at=NOW, found=[hint])
    operator.follow("Flags")
    operator.looks_right("operator-flags")
    operator.follow("Outbox")
    operator.looks_right("operator-outbox")
    operator.follow(mail.subject)
    operator.looks_right("operator-outbox-mail")
    operator.follow("Health")
    operator.press("Check it now")
    operator.sees("The ledger is whole.")
    operator.looks_right("operator-health")
    expect(operator.page.get_by_text("The clock does not run.")).to_be_visible()
