"""What a month cost by SIP Profile: for whoever shares a bill out among a hundred of them (SPEC R9.2)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.store.cast import BY, NOW, make_profile
from tests.web.calls import november, open_since, us, write
from tests.web.cast import Cast, join, make_cast, reader, sell, signed_in
from tests.web.documents import cells_of_xlsx
from tests.web.test_queries import queries
from tests.web.test_report_files import file_of, shown
from tests.web.test_reports import text_of
from trunkline.domain.money import MICROS
from trunkline.store.ledger import outside
from trunkline.store.models import Account, Posting, Role
from trunkline.usecases import profile_deletion, subscriptions


@pytest.fixture
def cast() -> Cast:
    """Two profiles called in November. One of them bought channels in December, changed them, and was deleted."""
    made = make_cast()
    november(made.company)
    sell(made.company.price_list_id)
    gone = make_profile(made.company.manager_id, "Gone", channels=0)
    write(made.company, {"started_us": us(7), "callee": "33123456789", "profile_id": gone, "cost_micros": 3 * MICROS, "paid_by": "manager"})
    subscriptions.buy_channels(now=NOW, by=BY, profile_id=gone, channels=2)
    subscriptions.change_channels(now=NOW + timedelta(days=15), by=BY, profile_id=gone, channels=1)
    profile_deletion.delete_profile(now=NOW + timedelta(days=15), by=BY, profile_id=gone)
    return made


def test_each_profile_has_its_calls_and_its_subscriptions_the_dearest_first(cast: Cast) -> None:
    client = reader(cast)
    assert shown(client, "/reports/costs", month="2026-11") == [
        ["Gone (deleted)", "1", "0:00", "0:00", "$3.00", "$0.00", "$3.00"],
        ["Profile 0", "6", "3:45", "3:00", "$0.09", "$0.00", "$0.09"],
    ]
    assert "Cost of calls $3.09 Subscriptions $0.00 Total $3.09" in text_of(client, "/reports/costs")
    assert shown(client, "/reports/costs", month="2026-12") == [
        ["Gone (deleted)", "0", "0:00", "0:00", "$0.00", "$10.00", "$10.00"],  # 10, half of it back, and 5
        ["Profile 0", "0", "0:00", "0:00", "$0.00", "$0.00", "$0.00"],
    ]
    assert [row[0] for row in shown(client, "/reports/costs", month="2026-10")] == ["Profile 0"]


def test_what_is_for_no_profile_is_counted_too(cast: Cast) -> None:
    """An Online Number of a member: the sums are those of the allocations."""
    about = {"kind": "number", "note": "", "call_ref": 0, "posted_us": us(9), "amount": 2 * MICROS}
    Posting.objects.create(key="term/987654", debit=cast.company.manager.account, credit=outside(Account.Kind.REVENUE, "USD"), **about)
    client = reader(cast)
    assert ["No SIP Profile", "0", "0:00", "0:00", "$0.00", "$2.00", "$2.00"] in shown(client, "/reports/costs", month="2026-11")
    assert "Subscriptions $2.00 Total $5.09" in text_of(client, "/reports/costs")


def test_it_is_a_file_and_leads_to_each_profile(cast: Cast) -> None:
    client, ident = reader(cast), cast.company.profile_ids[0]
    table = cells_of_xlsx(file_of(client, "/reports/costs", month="2026-11", **{"as": "xlsx"}))
    assert table[4:6] == [["Subscriptions", "$0.00"], ["Total", "$3.09"]]
    assert table[7] == [
        "Profile",
        "Calls",
        "Talk time (seconds)",
        "From bundles (seconds)",
        "Cost of calls (USD)",
        "Subscriptions (USD)",
        "Total (USD)",
    ]
    assert table[8:] == [
        ["Gone (deleted)", "1", "0", "0", "3.00", "0.00", "3.00"],
        ["Profile 0", "6", "225", "180", "0.09", "0.00", "0.09"],
    ]
    page = client.get("/reports/costs", {"month": "2026-11"}).content.decode()
    assert f'href="/trunks/{ident}/reports?month=2026-11">Profile 0</a>' in page
    assert re.search(r'href="/reports/archive/\d+\?month=2026-11">Gone', page)
    assert f'href="/trunks/{ident}/reports?month=2026-11">Profile 0</a>' in client.get("/reports", {"month": "2026-11"}).content.decode()


def test_sums_are_for_all_and_strangers_have_nothing_in_them(cast: Cast) -> None:
    other = make_cast("Builders")
    open_since(other.company)
    write(other.company, {"started_us": us(9), "callee": "33123456789", "cost_micros": MICROS, "paid_by": "manager"})
    assert "$3.09" in text_of(signed_in(join(cast, Role.READ_ONLY)), "/reports/costs")
    assert "Total $1.00" in text_of(reader(other), "/reports/costs")


def test_it_asks_no_more_for_more_profiles(cast: Cast) -> None:
    client = reader(cast)
    few = [queries(client, "/reports/costs?month=2026-11") for _ in range(2)][-1]
    for number in range(4):
        ident = make_profile(cast.company.manager_id, f"Many {number}")
        write(cast.company, {"started_us": us(14 + number), "callee": "33123456789", "profile_id": ident})
    assert queries(client, "/reports/costs?month=2026-11") == few
