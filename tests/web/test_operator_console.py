"""The operator's console: prices, stock, carriers, money, limits, calls, flags, outbox, health (SPEC R12)."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.callcontrol.ground import Table
from tests.store.cast import BY, NOW, make_profile
from tests.web.cast import PASSWORD, Cast, join, make_cast, signed_in, staff
from tests.web.test_access import paths
from tests.web.test_queries import queries
from trunkline.clock.catch_up import catch_up
from trunkline.clock.sweeps import all_sweeps
from trunkline.domain.money import MICROS
from trunkline.operator.guides import GUIDES, guide_to
from trunkline.operator.payments import STATES
from trunkline.runtime.status import InstanceStatus, ProcessStatus
from trunkline.store import clock, flags
from trunkline.store.models import (
    AuditEntry,
    BundleProduct,
    CallRecord,
    Carrier,
    Change,
    FraudLook,
    LiveCall,
    Mail,
    Manager,
    Number,
    Payment,
    Person,
    Price,
    PriceList,
    Profile,
    ProviderEvent,
    PurchaseLimit,
    Refund,
    Role,
    UsageBucket,
)
from trunkline.usecases import carriers
from trunkline.web import confirmation
from trunkline.web.access import Audience

GUIDES_AT = Path(__file__).resolve().parents[2] / "src/trunkline/operator/templates/operator/help"
SHEET = "prefix,destination,rate\n1,United States,0.03\n33,France,0.01\n49,Germany,0.02\n"


@pytest.fixture
def cast() -> Cast:
    """Its prices are in force at the real time, too."""
    made = make_cast()
    Price.objects.update(effective_from=datetime(2020, 1, 1, tzinfo=UTC))
    return made


@pytest.fixture
def operator() -> Client:
    return signed_in(staff(Person.Staff.OPERATOR))


def text(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return answer.content.decode()


def post(client: Client, path: str, **data: Any) -> str:
    """What the page says that one ends on."""
    answer = client.post(path, data, follow=True)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return answer.content.decode()


def csv(content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("new.csv", content.encode(), "text/csv")


def hidden(page: str, name: str) -> str:
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


# Price lists


def test_a_sheet_is_imported_as_it_was_previewed(cast: Cast, operator: Client) -> None:
    path = f"/operator/prices/{cast.company.price_list_id}"
    page = post(operator, f"{path}/upload", sheet=csv(SHEET))
    assert "What new.csv changes" in page
    counts = {
        kind: page.partition(f'">{kind}</td>')[2].partition('class="number">')[2].partition("<")[0]
        for kind in ("New", "Dearer", "Cheaper", "Removed")
    }
    assert counts == {"New": "1", "Dearer": "1", "Cheaper": "1", "Removed": "1"}
    assert "+1 United States: $0.02 → $0.03" in page
    assert "+336 France mobile: was $" in page
    assert PriceList.objects.get().version == 2
    assert "version 3 now: 3 prefixes" in post(operator, f"{path}/import", seen=hidden(page, "seen"))
    assert "Germany" in text(operator, path, number="+49 30 1234")
    entry = AuditEntry.objects.filter(action="price_list.import").latest("id")
    assert (entry.actor, entry.after["increased"], entry.after["removed"]) == ("staff.operator", 1, 1)
    assert operator.get(f"{path}/import").status_code == 404, "it was taken"


def test_a_sheet_can_come_into_force_later(cast: Cast, operator: Client) -> None:
    path = f"/operator/prices/{cast.company.price_list_id}"
    page = post(operator, f"{path}/upload", sheet=csv(SHEET), effective="2027-01-31 08:00", keep_missing="on")
    assert "2027-01-31T08:00:00+00:00" in page
    assert "keep their price" in page
    post(operator, f"{path}/import", seen=hidden(page, "seen"))
    begins = {price.effective_from for price in Price.objects.filter(prefix="49")}
    assert begins == {datetime(2027, 1, 31, 8, tzinfo=UTC)}
    assert Price.objects.get(prefix="336").effective_until is None


def test_a_sheet_with_errors_names_its_lines_and_goes_no_further(cast: Cast, operator: Client) -> None:
    path = f"/operator/prices/{cast.company.price_list_id}"
    page = post(operator, f"{path}/upload", sheet=csv("prefix,destination,rate\n1,United States,cheap\n033,France,0.01\n"))
    assert "line 2" in page
    assert "line 3" in page
    assert operator.get(f"{path}/import").status_code == 404


def test_lines_that_begin_later_are_counted_and_those_that_are_over_refused(cast: Cast, operator: Client) -> None:
    path = f"/operator/prices/{cast.company.price_list_id}"
    dated = "prefix,destination,rate,from,until\n1,United States,0.02,,\n44,United Kingdom,0.02,2099-01-31,\n"
    assert "1 of them later" in post(operator, f"{path}/upload", sheet=csv(dated))
    page = post(operator, f"{path}/upload", sheet=csv(dated.replace("2099-01-31,", ",2020-01-31")))
    assert "line 3: the price of 44 ends before it would begin" in page
    assert "1 of them later" in text(operator, f"{path}/import"), "the sheet that was good is kept"


def test_a_list_that_changed_since_the_preview_is_shown_again(cast: Cast, operator: Client) -> None:
    path = f"/operator/prices/{cast.company.price_list_id}"
    mark = hidden(post(operator, f"{path}/upload", sheet=csv(SHEET)), "seen")
    PriceList.objects.update(version=9)
    page = post(operator, f"{path}/import", seen=mark)
    assert "has changed since you looked" in page
    assert PriceList.objects.get().version == 9
    assert "version 10 now" in post(operator, f"{path}/import", seen=hidden(page, "seen"))


def test_channels_bundles_and_recommended_amounts_are_set(cast: Cast, operator: Client) -> None:
    path = f"/operator/prices/{cast.company.price_list_id}"
    assert "is set" in post(operator, f"{path}/channels", channel="6.95")
    amounts = {"threshold": "5", "amount": "20", "manager_threshold": "10", "manager_amount": "50"}
    assert "are set" in post(operator, f"{path}/recommend", **amounts)
    bundle = {"code": "us-1", "name": "One minute", "minutes": "1", "price_micros": "0.5", "country": "us", "sold": "on"}
    assert "is saved" in post(operator, f"{path}/bundle", **bundle)
    found = PriceList.objects.get()
    assert (found.channel_price_micros, found.recharge_amount_micros, found.manager_recharge_amount_micros) == (
        6_950_000,
        20 * MICROS,
        50 * MICROS,
    )
    assert "One minute" in text(operator, f"{path}/bundle", code="us-1")
    assert "is saved" in post(operator, f"{path}/bundle?code=us-1", **bundle | {"name": "Another"})
    assert [(one.name, one.country) for one in BundleProduct.objects.all()] == [("Another", "US")]
    assert "no country" in post(operator, f"{path}/bundle", **bundle | {"country": "QX"}) or BundleProduct.objects.count() == 1


def test_a_price_list_is_made(cast: Cast, operator: Client) -> None:
    assert "Import its prices now" in post(operator, "/operator/prices/new", name="Euro", currency="EUR")
    assert "already" in post(operator, "/operator/prices/new", name="Euro", currency="EUR")
    assert "Euro" in text(operator, "/operator/prices")


# Numbers


def test_numbers_come_into_the_stock_after_a_preview(cast: Cast, operator: Client) -> None:
    page = post(operator, "/operator/numbers/upload", sheet=csv("number,area,monthly price\n+12025550150,Washington,4.50\n"))
    assert "1 number in new.csv" in page
    assert not Number.objects.exists()
    assert "1 number is in the stock" in post(operator, "/operator/numbers/import", seen=hidden(page, "seen"))
    assert "Washington" in text(operator, "/operator/numbers", q="555 0150".replace(" ", ""))
    page = post(operator, "/operator/numbers/upload", sheet=csv("number\n+12025550150\n"))
    assert "Already in the store" in post(operator, "/operator/numbers/import", seen=hidden(page, "seen"))
    assert "line 2" in post(operator, "/operator/numbers/upload", sheet=csv("number\nhello\n"))


def test_a_number_is_given_to_a_profile_and_taken_back(cast: Cast, operator: Client) -> None:
    number = Number.objects.create(e164="12025550150", country="US")
    path, profile = f"/operator/numbers/{number.pk}", cast.company.profile()
    assert "no SIP Profile with this user" in post(operator, f"{path}/assign", sip_user="nobody")
    assert "is on Profile 0" in post(operator, f"{path}/assign", sip_user=profile.sip_user)
    assert "Profile 0" in text(operator, "/operator/numbers", place="used")
    assert "call anonymously" in text(operator, f"{path}/release")
    assert "back in the stock" in post(operator, f"{path}/release")
    number.refresh_from_db()
    assert (number.manager_id, number.profile_id) == (None, None)


# Carriers


def test_a_carrier_is_added_routed_changed_and_switched_off(operator: Client) -> None:
    gateway = {"host": "192.0.2.10", "port": "5060", "transport": "udp", "probe": "on"}
    new = gateway | {"name": "North", "auth_user": "us", "auth_password": "secret"}
    assert "documentation" in post(operator, "/operator/carriers/new", **new) or not Carrier.objects.exists()
    assert "gets none before" in post(operator, "/operator/carriers/new", **new | {"host": "9.9.9.9"})
    one = Carrier.objects.get()
    assert "No answer yet" in text(operator, "/operator/carriers")
    path = f"/operator/carriers/{one.pk}"
    assert "The route is set" in post(operator, path, beginning="+44", priority="5", cost="0.01")
    assert "not the beginning" in post(operator, path, beginning="0044", priority="5", cost="0.01")
    sealed = one.auth_password_sealed
    assert "Calls in progress go on" in post(operator, f"{path}/change", **gateway | {"host": "9.9.9.9", "port": "5080", "auth_user": "us"})
    one.refresh_from_db()
    assert (one.port, bool(one.auth_password_sealed), one.name) == (5080, bool(sealed), "North")
    assert "+44…" in text(operator, f"{path}/remove-route", prefix="44")
    assert "The route is gone" in post(operator, f"{path}/remove-route", prefix="44")
    assert "new calls" in text(operator, f"{path}/switch")
    assert "North is off" in post(operator, f"{path}/switch", to="off")
    assert not Carrier.objects.get().enabled


# Money


def test_a_booking_shows_what_it_does_and_is_made_once(cast: Cast, operator: Client) -> None:
    path = f"/operator/companies/{cast.company.manager_id}/book"
    given = {"amount_micros": "25", "reference": "transfer 7", "remark": "October"}
    page = post(operator, path, **given)
    assert "$95.00 become $120.00" in page
    assert Payment.objects.count() == 1
    assert "The payment is booked" in post(operator, path, **given, confirmed="yes")
    assert "booked before" in post(operator, path, **given, confirmed="yes")
    assert cast.company.manager.account.balance == 120 * MICROS
    assert AuditEntry.objects.filter(action="credit.payment").latest("id").actor == "staff.operator"


def test_a_refund_is_shown_then_made_once(cast: Cast, operator: Client) -> None:
    payment = Payment.objects.get()
    path = f"/operator/payments/{payment.pk}"
    page = text(operator, f"{path}/refund")
    given = {"amount_micros": "40", "reason": "asked for", "reference": hidden(page, "reference") or "r1"}
    assert "$95.00 become $55.00" in post(operator, f"{path}/refund", **given)
    assert not Refund.objects.exists()
    for _ in range(2):
        assert "is done" in post(operator, f"{path}/refund", **given, confirmed="yes")
    assert (Refund.objects.count(), cast.company.manager.account.balance) == (1, 55 * MICROS)
    assert "too much" in post(operator, f"{path}/refund", **given | {"amount_micros": "90", "reference": "r2"}, confirmed="yes")
    assert "asked for" in text(operator, path)


def test_a_refund_wants_a_fresh_confirmation(cast: Cast, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "CONFIRMED_SECONDS", 0)
    answer = operator.get(f"/operator/payments/{Payment.objects.get().pk}/refund")
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/confirm-identity")


def test_what_waits_is_listed_and_dismissed(cast: Cast, operator: Client) -> None:
    event = ProviderEvent.objects.create(
        provider="fake", event_id="e1", kind="refunded", payload={}, received_at=NOW, outcome="No payment is known."
    )
    assert "1 event" in text(operator, "/operator/payments")
    assert "No payment is known." in text(operator, "/operator/payments/waiting")
    assert "waits no longer" in post(operator, f"/operator/payments/waiting/{event.pk}", reason="a test of theirs")
    event.refresh_from_db()
    assert event.outcome == "dismissed: a test of theirs"


def test_limits_are_changed(cast: Cast, operator: Client) -> None:
    assert "USD" in text(operator, "/operator/limits")
    assert "are set" in post(operator, "/operator/limits/USD.card.unverified", each="150", month="500")
    found = PurchaseLimit.objects.get()
    assert (found.each_micros, found.month_micros, found.verified) == (150 * MICROS, 500 * MICROS, False)
    assert "raise that limit" in post(operator, "/operator/limits/USD.card.unverified", each="150", month="50")


# Calls


@pytest.fixture
def call(cast: Cast) -> LiveCall:
    carrier = carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier, prefix="")
    table = Table(now_us=time.time_ns() // 1000)
    table.answered_call(cast.company.profile())
    return LiveCall.objects.get()


def test_a_live_call_is_shown_and_hung_up(call: LiveCall, operator: Client) -> None:
    assert "Architects" in text(operator, "/operator/calls")
    assert "Nobody is calling" in text(operator, "/operator/calls", q="Builders")
    part = operator.get("/operator/calls", headers={"hx-request": "true"}).content.decode()
    assert "<html" not in part
    assert "Architects" in part
    path = f"/operator/calls/{call.pk}/hang-up"
    assert "What was talked so far is charged" in text(operator, path)
    assert "required" in post(operator, path, reason="")
    assert not Change.objects.filter(what="hang_up").exists()
    assert "ends this call now" in post(operator, path, reason="fraud")
    assert Change.objects.get(what="hang_up").ident == str(call.pk)
    entry = AuditEntry.objects.get(action="call.hang_up")
    assert (entry.actor, entry.after, entry.manager_id) == ("staff.operator", {"reason": "fraud"}, Manager.objects.get().pk)
    assert operator.get("/operator/calls/1/hang-up").status_code == 404


def test_flags_show_what_stands_out(cast: Cast, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Not looked yet" in text(operator, "/operator/flags")
    flags.look(began := timezone.now())
    assert "Nothing stands out" in text(operator, "/operator/flags")
    profile, now_us = cast.company.profile(), int(began.timestamp()) * MICROS
    base = {
        "manager": profile.manager,
        "profile": profile,
        "direction": "outgoing",
        "caller": "",
        "caller_shown": "",
        "dialled": "",
        "trace": "{}",
    }

    def record(number: int, **more: Any) -> CallRecord:
        return CallRecord(call_ref=(now_us - number) << 10, started_us=now_us, ended_us=now_us, **base | more)

    CallRecord.objects.bulk_create([record(number, result="refused", refusal="no_credit") for number in range(1, 51)])
    CallRecord.objects.bulk_create(
        [record(100 + n, result="answered", callee=f"2239900000{n % 10}", duration_seconds=4) for n in range(30)]
    )
    old_us = now_us - int(timedelta(days=2).total_seconds()) * MICROS
    UsageBucket.objects.create(profile=profile, starts_us=old_us, direction="outgoing", cost_micros=7 * MICROS)
    UsageBucket.objects.create(profile=profile, starts_us=now_us - MICROS, direction="outgoing", cost_micros=30 * MICROS)
    assert flags.look(first := began + timedelta(minutes=1)) == 3
    page = text(operator, "/operator/flags")
    assert all(
        hint in page for hint in ("Many refused calls", "50 in a day", "30 to +2239900…", "$30.00 in a day, $1.00 on average before")
    )
    calls = text(operator, "/operator/calls/records", profile=str(profile.pk))
    assert "Calls that are over: Profile 0 of Architects" in calls
    assert calls.count('data-label="Began"') == 50
    other = make_profile(cast.company.manager_id, "Quiet")
    assert "No call yet" in text(operator, "/operator/calls/records", profile=str(other))
    monkeypatch.setattr("trunkline.store.flags.MOST_RECORDS", 50)
    flags.look(began + timedelta(minutes=9))
    of_the_newest = text(operator, "/operator/flags")
    assert "50 in a day" in of_the_newest
    assert "+2239900" not in of_the_newest
    found = flags.last_look()
    assert found is not None
    assert {flag.since for flag in found.flags} == {first}, "found again, since then"


def test_the_clock_looks_for_fraud_every_five_minutes(cast: Cast) -> None:
    now = timezone.now()
    assert flags.is_due(now)
    flags.look(now)
    dues = {minutes: flags.is_due(now + timedelta(minutes=minutes)) for minutes in (0, 4, 6, -1)}
    assert dues == {0: False, 4: False, 6: True, -1: True}
    FraudLook.objects.update(at=now - timedelta(hours=1))
    assert catch_up([sweep for sweep in all_sweeps() if sweep.name == "hints of fraud"], clock.now, lambda ran: None)
    assert not flags.is_due(timezone.now())


# The rest


def test_the_outbox_is_read(cast: Cast, operator: Client) -> None:
    about = {"manager": cast.company.manager, "created_at": NOW, "next_try_at": NOW, "text": "Hello"}
    Mail.objects.create(key="1", subject="Sent one", sent_at=NOW, **about)
    bad = Mail.objects.create(key="2", subject="Lost one", given_up_at=NOW, failure="no route", **about)
    assert "Sent one" in text(operator, "/operator/outbox")
    page = text(operator, "/operator/outbox", only="given_up")
    assert ("Lost one" in page, "Sent one" in page) == (True, False)
    assert "no route" in text(operator, f"/operator/outbox/{bad.pk}")


def test_health_says_since_when_in_words(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    since = (datetime.now(UTC) - timedelta(hours=3)).isoformat(timespec="milliseconds")
    runs = [ProcessStatus("web", "ready", 1, since, 0), ProcessStatus("echo", "waiting", None, None, 0)]
    monkeypatch.setattr("trunkline.operator.health.read_status", lambda _: InstanceStatus(running=True, processes=runs))
    page = text(operator, "/operator/health")
    assert "3 hours ago" in page
    assert '<td data-label="Since">–</td>' in page


def test_health_says_what_runs_and_checks_the_ledger(cast: Cast, operator: Client) -> None:
    page = text(operator, "/operator/health")
    assert "The clock does not run" in page
    assert "has not been checked" in page
    assert "The ledger is whole" in post(operator, "/operator/health")
    assert "add up" in text(operator, "/operator/health")
    Profile.objects.update(channels=77)
    assert "differences" in post(operator, "/operator/health")


def test_a_profile_is_suspended_with_a_reason_and_resumed(cast: Cast, operator: Client) -> None:
    path = f"/operator/profiles/{cast.company.profile_ids[0]}/state"
    assert "required" in post(operator, path, reason="")
    assert "not make calls now" in post(operator, path, reason="fraud")
    assert AuditEntry.objects.filter(action="profile.state").latest("id").after["reason"] == "fraud"
    assert "make calls again" in post(operator, path)
    assert cast.company.profile().state == "active"


def test_evidence_of_a_suspension_is_for_the_operator_only(cast: Cast, operator: Client) -> None:
    company, profile = f"/operator/companies/{cast.company.manager_id}", f"/operator/profiles/{cast.company.profile_ids[0]}/state"
    assert "Evidence of suspensions" not in text(operator, company)
    post(operator, profile, reason="fraud", evidence="calls to +223 at night")
    post(operator, f"{company}/suspend", reason="unpaid", evidence="letter of the bank")
    page = text(operator, company)
    assert all(each in page for each in ("Evidence of suspensions", "calls to +223 at night", "letter of the bank"))
    history = text(signed_in(join(cast, Role.ADMINISTRATOR)), f"/c/{cast.company.manager_id}/history")
    assert "unpaid" in history
    assert "bank" not in history
    assert "+223" not in history
    assert "letter of the bank" in text(operator, "/operator/log", actor="staff.operator")
    post(operator, f"{company}/resume")
    assert cast.company.manager.state == "active"


def test_the_log_is_of_everybody_or_of_one(cast: Cast, operator: Client) -> None:
    post(operator, f"/operator/prices/{cast.company.price_list_id}/channels", channel="6")
    assert "Architects" in text(operator, "/operator/log")
    mine = text(operator, "/operator/log", actor="Staff.Operator")
    assert "Set the price of a channel" in mine
    assert mine.count('data-label="When"') == AuditEntry.objects.filter(actor="staff.operator").count() < AuditEntry.objects.count()
    assert "nobody has changed nothing" in text(operator, "/operator/log", actor="nobody")


def test_every_page_of_the_console_leads_to_its_guide(cast: Cast, operator: Client) -> None:
    silent, seen = [], 0
    for path, route in paths(cast, Audience.STAFF, Audience.OPERATOR):
        answer = operator.get(path)
        if answer.status_code != 200 or answer.streaming or "<!doctype html>" not in (page := answer.content.decode()):
            continue
        seen += 1
        guide = guide_to(route.name or "")
        if guide is None or f'class="help-link" href="{guide.url}"' not in page:
            silent.append(path)
    assert silent == []
    assert seen > 30
    for guide in GUIDES:
        assert f"<h1>{guide.title}</h1>" in text(operator, guide.url)
    assert operator.get("/operator/help/nothing").status_code == 404
    assert {path.stem for path in GUIDES_AT.glob("*.html")} == {guide.slug for guide in GUIDES}


def test_payments_are_filtered_in_words(cast: Cast, operator: Client) -> None:
    page = text(operator, "/operator/payments", state="succeeded")
    assert '<option value="succeeded" selected>Paid</option>' in page
    assert "by hand" in page
    assert set(STATES) == set(Payment.State)


def test_support_looks_and_changes_nothing(cast: Cast) -> None:
    support = signed_in(staff(Person.Staff.SUPPORT))
    for path in (
        "calls",
        "flags",
        "carriers",
        "prices",
        "numbers",
        "payments",
        "payments/waiting",
        "limits",
        "outbox",
        "health",
        "log",
        "help",
    ):
        assert "Operator console" in text(support, f"/operator/{path}")
    assert support.post("/operator/health").status_code == 403
    assert support.get(f"/operator/companies/{cast.company.manager_id}/book").status_code == 403


def test_after_a_pause_a_change_wants_to_know_again_who_it_is(cast: Cast, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path, minute = f"/operator/prices/{cast.company.price_list_id}/channels", 60
    clock = [time.time()]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    for _ in range(3):
        clock[0] += 14 * minute
        assert "6" in text(operator, path)
    assert "is set" in post(operator, path, channel="6")
    clock[0] += 16 * minute
    assert operator.get(path).status_code == 200, "looking is allowed, and does not end the pause"
    answer = operator.post(path, {"channel": "7"})
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/confirm-identity")
    assert PriceList.objects.get().channel_price_micros == 6 * MICROS
    operator.post("/confirm-identity", {"password": PASSWORD})
    assert "is set" in post(operator, path, channel="7")


@pytest.mark.parametrize("path", ["calls", "carriers", "prices", "numbers", "payments", "payments/waiting", "limits", "outbox"])
def test_lists_ask_the_same_with_more_rows(cast: Cast, call: LiveCall, operator: Client, path: str) -> None:
    few = [queries(operator, f"/operator/{path}") for _ in range(2)][-1]
    for number in range(4):
        make_cast(f"Company {number}")
        make_profile(cast.company.manager_id, f"Many {number}")
        Number.objects.create(e164=f"1202555016{number}", country="US", manager_id=cast.company.manager_id)
        Mail.objects.create(key=str(number), manager_id=cast.company.manager_id, created_at=NOW, next_try_at=NOW)
        carriers.create_carrier(now=NOW, by=BY, name=f"More {number}", gateway=carriers.Gateway(host=f"9.9.9.{number}"))
    fields = {field.attname: getattr(call, field.attname) for field in LiveCall._meta.concrete_fields}
    LiveCall.objects.bulk_create(LiveCall(**fields | {"call_ref": call.pk + n, "edge_key": f"more {n}"}) for n in range(1, 5))
    assert json.loads(call.facts)["number"]
    assert queries(operator, f"/operator/{path}") <= few <= 14


def test_nobody_else_finds_the_console(cast: Cast) -> None:
    administrator = signed_in(join(cast, Role.ADMINISTRATOR))
    for path in ("calls", "flags", "carriers", "prices", "numbers", "payments", "limits", "outbox", "health", "log", "help"):
        assert administrator.get(f"/operator/{path}").status_code == 404


def test_sheets_do_not_pile_up(cast: Cast, operator: Client) -> None:
    from trunkline.runtime.settings import load_settings

    for _ in range(3):
        post(operator, "/operator/numbers/upload", sheet=csv("number\n+12025550150\n"))
    directory: Path = load_settings().documents_dir
    page = text(operator, "/operator/numbers/import")
    before = len(list(directory.iterdir()))
    post(operator, "/operator/numbers/import", seen=hidden(page, "seen"))
    assert len(list(directory.iterdir())) == before - 1
