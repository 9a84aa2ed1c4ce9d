"""Reports: what they show and to whom, month by month, as a page and as files (SPEC R9, R13; guide 7.11)."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import Any

import pytest
from django.test import Client

from tests.store.cast import BY, NOW, make_profile
from tests.web.calls import MONTH, november, open_since, pay, trace, us, write
from tests.web.cast import Cast, join, make_cast, reader, signed_in
from tests.web.test_queries import queries
from trunkline.domain.money import MICROS, for_people
from trunkline.domain.statement_files import verify
from trunkline.manager.reports import files
from trunkline.store.models import AuditEntry, Membership, PriceList, Role
from trunkline.usecases import credit, profile_deletion


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def refs(cast: Cast) -> list[int]:
    return november(cast.company)


def text_of(client: Client, path: str, **query: Any) -> str:
    answer = client.get(path, {"month": MONTH} | query)
    assert answer.status_code == 200, answer.content.decode()
    page = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", page.replace("&#x27;", "'").replace("&nbsp;", " "))


def table_of(client: Client, path: str, **query: Any) -> list[list[str]]:
    answer = client.get(path, {"month": MONTH, "as": "csv"} | query)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]


def profile_reports(cast: Cast, page: str = "") -> str:
    return f"/trunks/{cast.company.profile_ids[0]}/reports{page}"


def test_usage_says_what_was_called_how_it_was_paid_and_what_it_cost(cast: Cast, refs: list[int]) -> None:
    text = text_of(reader(cast), profile_reports(cast))
    assert "5 Nov 2026, 10:00:00 +33 1 23 45 67 89 France 1:15 Answered Profile's Credit $0.07" in text
    assert "+1 212-555-0123 United States 1:15 Answered Minute bundle (zero-rated) $0.00" in text
    assert "Minute bundle, then Manager's Credit $0.02" in text
    assert "Refused: no credit – $0.00" in text
    assert 'href="/help/refusals/C01"' in reader(cast, Role.BILLING).get(profile_reports(cast), {"month": MONTH}).content.decode()
    assert "Calls 6 Answered 3 Talk time 3:45 From minute bundles 3:00 Cost $0.09" in text
    assert "Times of America/New_York" in text
    assert "442079460000" not in text


def test_incoming_calls_show_whom_the_caller_wanted_to_be(cast: Cast, refs: list[int]) -> None:
    text = text_of(reader(cast), "/reports/incoming")
    assert "Profile 0 +44 20 7946 0000 +1 212-555-0100 1:15 Answered" in text
    assert "Withheld +1 212-555-0100 0:00 No answer" in text
    assert "secret" not in text
    assert "Calls 2 Answered 1 Talk time 1:15 " in text


def test_the_echo_test_is_named(cast: Cast) -> None:
    """It is free, and in no price list."""
    open_since(cast.company)
    PriceList.objects.filter(pk=cast.company.price_list_id).update(echo_number="17606604690")
    [ref] = write(cast.company, {"started_us": us(5), "callee": "17606604690", "destination": "", "duration_seconds": 75})
    client = reader(cast)
    assert "+1 760-660-4690 Echo test 1:15 Answered Free $0.00" in text_of(client, profile_reports(cast))
    assert "Destination Echo test" in text_of(client, f"/reports/calls/{ref}")


def test_filters_are_kept_from_month_to_month_and_in_files(cast: Cast, refs: list[int]) -> None:
    client = reader(cast)
    page = client.get("/reports", {"month": MONTH, "number": "+33 1", "result": "answered"}).content.decode()
    assert 'href="?month=2026-10&amp;number=%2B33+1&amp;result=answered"' in page
    assert re.search(r'href="\?month=2026-11&amp;number=%2B33\+1&amp;result=answered&amp;as=csv"', page)
    rows = table_of(client, "/reports", number="+33 1", result="answered")
    assert [row[2] for row in rows] == ["Number called", "33123456789"]
    assert "is not the beginning of a number" in text_of(client, "/reports", number="abc")
    assert "No such call" in text_of(client, "/reports", number="999")


def test_older_pages(cast: Cast) -> None:
    open_since(cast.company)
    write(cast.company, *({"started_us": us(5) + number * MICROS, "callee": f"331234567{number:02}"} for number in range(60)))
    client = reader(cast)
    first = client.get("/reports", {"month": MONTH}).content.decode()
    older = re.search(r'href="(\?[^"]*before=\d+)"', first)
    assert older
    second = client.get("/reports" + older[1].replace("&amp;", "&")).content.decode()
    assert [page.count("/reports/calls/") for page in (first, second)] == [50, 10]
    assert "before" not in (re.search(r'href="(\?[^"]*)">Newest', second) or [""])[0].replace("&amp;", "&")
    assert len(table_of(client, "/reports")) == 61


def test_months_that_can_not_be_looked_at(cast: Cast) -> None:
    client = reader(cast)
    for month in ("2026-13", "x", "2019-01", "9998-12"):
        answer = client.get("/reports", {"month": month})
        assert (answer.status_code, "month" in answer.content.decode()) == (409, True)


def test_csv_is_for_programs_and_defused(cast: Cast, refs: list[int]) -> None:
    rows = table_of(reader(cast), profile_reports(cast))
    assert rows[0] == ["Time", "Number called", "Destination", "Duration (seconds)", "Result", "How paid", "Cost (USD)"]
    assert rows[-1] == ["2026-11-05T10:00:00-05:00", "33123456789", "France", "75", "Answered", "Profile's Credit", "0.07"]
    assert rows[1][1] == "'=cmd\\|' /C calc'!A0"
    assert len(rows) == 7
    assert AuditEntry.objects.filter(action="records.export", after={"format": "csv"}).count() == 1


def test_xlsx_has_text_as_text_and_numbers_as_numbers(cast: Cast, refs: list[int]) -> None:
    answer = reader(cast).get(profile_reports(cast), {"month": MONTH, "as": "xlsx"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="profile-0-usage-2026-11.xlsx"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as book:  # type: ignore[attr-defined]
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=cmd|' /C calc'!A0" in sheet
    assert "<v>0.07</v>" in sheet
    assert "<v>75</v>" in sheet
    assert "times of America/New_York" in sheet
    assert re.search(r'<autoFilter ref="A10:G16" ?/>', sheet)


@pytest.mark.parametrize("path", ["/reports", "/reports/incoming", "/reports/allocations"])
def test_pdf(cast: Cast, refs: list[int], path: str) -> None:
    answer = reader(cast).get(path, {"month": MONTH, "as": "pdf"})
    assert answer.headers["Content-Type"] == "application/pdf"
    assert b"".join(answer.streaming_content).startswith(b"%PDF-")  # type: ignore[attr-defined]


def test_a_file_that_would_be_too_long_is_refused_with_the_way_out(cast: Cast, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.MOST_ROWS, "pdf", 3)
    answer = reader(cast).get("/reports", {"month": MONTH, "as": "pdf"})
    assert (answer.status_code, "choose CSV" in answer.content.decode()) == (409, True)
    assert not AuditEntry.objects.filter(action="records.export").exists()


@pytest.mark.parametrize("path", ["/reports", "/reports/incoming?as=csv", "/reports/statement", "/reports/calls/{ref}"])
def test_nothing_is_shown_before_it_is_known_what_call_records_are(cast: Cast, refs: list[int], path: str) -> None:
    """Neither pages nor files; and once is enough."""
    client, path = signed_in(join(cast, Role.REPORTS)), path.format(ref=refs[0])
    answer = client.get(path)
    assert answer.headers["Location"].startswith("/reports/acknowledge?next=")
    page = client.get(answer.headers["Location"]).content.decode()
    assert "personal data" in page
    assert client.post("/reports/acknowledge", {"next": path}).headers["Location"] == path
    [entry] = AuditEntry.objects.filter(action="records.acknowledge")
    assert (entry.actor, entry.manager_id) == (f"reports.{cast.company.manager_id}", cast.company.manager_id)
    assert Membership.objects.get(person__account=entry.actor).records_acknowledged_at is not None
    assert client.get(path).status_code == 200
    client.post("/reports/acknowledge")
    assert AuditEntry.objects.filter(action="records.acknowledge").count() == 1


def test_it_leads_nowhere_else(cast: Cast) -> None:
    assert signed_in(join(cast, Role.REPORTS)).post("/reports/acknowledge", {"next": "//evil.example"}).headers["Location"] == "/reports"


def test_read_only_sees_sums_and_no_calls(cast: Cast, refs: list[int]) -> None:
    """Filters would tell, too: how many calls went to a number."""
    client = signed_in(join(cast, Role.READ_ONLY))
    text = text_of(client, "/reports", number="999")
    assert "Calls 6 Answered 3" in text
    assert "Sums only." in text
    assert "+33" not in text
    assert client.get("/reports", {"as": "csv", "month": MONTH}).status_code == 403
    assert client.get(f"/reports/calls/{refs[0]}").status_code == 403
    assert client.get("/reports/statement").status_code == 403
    assert client.get("/reports/allocations").status_code == 200


def test_a_call_is_explained_in_plain_words_without_carriers(cast: Cast, refs: list[int]) -> None:
    client = reader(cast)
    text = text_of(client, f"/reports/calls/{refs[0]}")
    assert "France (+33): $0.03 a minute, connection fee $0.01, charged for the first 60 s, then for each 60 s" in text
    assert "0033123456789 is +33 1 23 45 67 89" in text
    assert "$0.04 of $5.00 of the profile's Credit held" in text
    assert "2 ways to the telephone network" in text
    assert "Call France Profile's Credit -$0.04" in text
    assert "Call France Profile's Credit -$0.03" in text
    refused = text_of(client, f"/reports/calls/{refs[4]}")
    assert "Add Credit to the SIP Profile or switch on Auto-recharge. What refusal C01 means, and what to do" in refused
    assert "$0.04 needed, $0.02 free in the profile's Credit" in refused
    incoming = text_of(client, f"/reports/calls/{refs[6]}")
    assert "A call from the telephone network" in incoming
    for page in (text, refused, incoming):
        assert "Carrier" not in page
        assert "micro-" not in page


def test_a_call_of_two_companies_tells_each_its_own_side(cast: Cast) -> None:
    other = make_cast("Builders")
    steps = (
        ("number", "+12125550199 is on SIP Profile Profile 0"),
        ("route", "PBX of Profile 0 at udp:198.51.100.7:5060"),
        ("channel", "3 of 3 of Profile 0"),
        ("refused", "C01 40000 micro-USD needed, 20000 free in the profile's Credit"),
    )
    there = other.company.profile_ids[0]
    whose = {"direction": "internal", "peer_profile_id": there, "caller": "100", "caller_shown": "", "callee": "12125550199"}
    for cast_of in (cast, other):
        open_since(cast_of.company)
    [ref] = write(
        cast.company, {"started_us": us(5), "result": "refused", "refusal": "no_credit", "sip_status": 402, "trace": trace(*steps), **whose}
    )
    ours, theirs = text_of(reader(cast), f"/reports/calls/{ref}"), text_of(reader(other, Role.BILLING), f"/reports/calls/{ref}")
    assert "Directly to the PBX of another company on this service" in ours
    assert "198.51.100.7" not in ours
    assert "3 of 3" not in ours
    assert "Withheld" in theirs
    for hidden in ("$0.02", "no credit", "C01", "A PBX 20.1", "a7c1@pbx", "Explain"):
        assert hidden in ours
        assert hidden not in theirs
    listed = text_of(reader(other), "/reports/incoming")
    assert "Withheld +1 212-555-0199 0:00 Refused" in listed
    assert "no credit" not in listed


def test_nobody_sees_anothers_call(cast: Cast, refs: list[int]) -> None:
    stranger = reader(make_cast("Builders"), Role.ADMINISTRATOR)
    assert stranger.get(f"/reports/calls/{refs[0]}").status_code == 404
    assert stranger.get("/reports/statement", {"purse": f"profile-{cast.company.profile_ids[0]}"}).status_code == 404
    assert "+33" not in text_of_now(stranger, "/reports")


def text_of_now(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_allocations_of_a_profile_and_of_all(cast: Cast) -> None:
    open_since(cast.company)
    client = reader(cast)
    credit.take_back_credit(now=NOW, by=BY, profile_id=cast.company.profile_ids[0], amount_micros=2 * MICROS, reference="back")
    whole, own = (table_of(client, path, month="2026-12") for path in ("/reports/allocations", profile_reports(cast, "/allocations")))
    assert [row[-1] for row in whole] == ["Manager's Credit (USD)", "100.00", "-5.00", "2.00"]
    assert [row[-1] for row in own] == ["Manager's Credit (USD)", "-5.00", "2.00"]


def test_a_deleted_profile_keeps_its_reports(cast: Cast, refs: list[int]) -> None:
    ident = cast.company.profile_ids[0]
    profile_deletion.delete_profile(now=NOW, by=BY, profile_id=ident)
    client = reader(cast)
    assert client.get(profile_reports(cast)).status_code == 404
    listed = client.get("/reports/archive").content.decode()
    assert f'href="/reports/archive/{ident}"' in listed
    assert "1 Dec 2026" in listed
    assert "+33 1 23 45 67 89 France" in text_of(client, f"/reports/archive/{ident}")
    assert "12125550123" in str(table_of(client, f"/reports/archive/{ident}"))
    make_profile(cast.company.manager_id, "Profile 0")
    assert client.get(f"/reports/archive/{make_profile(cast.company.manager_id, 'Living')}").status_code == 404


def test_a_statement_has_the_balance_after_each_movement(cast: Cast, refs: list[int]) -> None:
    """And leads to the call that a movement was for."""
    client, asked = reader(cast), {"month": "2026-12", "purse": f"profile-{cast.company.profile_ids[0]}"}
    text = text_of(client, "/reports/statement", **asked)
    assert "Credit allocated to Profile 0 Credit of Manager" in text
    assert "$5.00 $5.00" in text
    assert "-$0.04 $4.96" in text
    assert "-$0.03 $4.93" in text
    assert "Balance at the beginning $0.00 Balance at the end $4.93 Month Closed" in text
    assert f"/reports/calls/{refs[0]}" in client.get("/reports/statement", asked).content.decode()
    assert client.get("/reports/statement", {"purse": "term-1"}).status_code == 404
    assert client.get("/reports/statement", {"after": "forged"}).status_code == 404


def test_a_statement_is_read_page_by_page(cast: Cast, refs: list[int]) -> None:
    for number in range(210):
        pay(cast.company, refs[1], number, 1_000, us(6))
    client, balances, path = reader(cast), [], f"?month=2026-12&purse=profile-{cast.company.profile_ids[0]}"
    for _ in range(3):
        page = client.get(f"/reports/statement{path}").content.decode()
        balances += re.findall(r'data-label="Balance" class="number">([^<]+)<', page)
        path = (re.search(r'href="([^"]+)">Further', page) or ["", ""])[1].replace("&amp;", "&")
    assert path == ""
    assert len(balances) == 213
    assert balances[2:] == [for_people(4_930_000 - 1_000 * number, "USD") for number in range(211)]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_statement_is_downloaded_as_it_is_verified(cast: Cast, refs: list[int], kind: str) -> None:
    client, asked = reader(cast), {"month": "2026-12", "purse": "manager"}
    answer = client.get("/reports/statement", asked | {"as": kind})
    lines = b"".join(answer.streaming_content).decode().splitlines(keepends=True)  # type: ignore[attr-defined]
    assert verify(lines).closing_balance
    assert client.get("/reports/statement", asked | {"as": "doc"}).status_code == 409


def test_no_page_asks_more_when_there_is_more_to_show(cast: Cast, refs: list[int]) -> None:
    client = reader(cast, Role.ADMINISTRATOR)
    pages = ["/reports", "/reports/incoming", "/reports/allocations?month=2026-12", "/reports/archive", f"/reports/calls/{refs[0]}"]
    pages += ["/reports/statement?month=2026-12", profile_reports(cast), profile_reports(cast, "/statement")]
    profile_deletion.delete_profile(now=NOW, by=BY, profile_id=make_profile(cast.company.manager_id, "Gone"))
    client.get("/reports/statement?month=2026-12")  # closes the month; what is booked from here on is late
    credit.allocate_credit(now=NOW, by=BY, profile_id=cast.company.profile_ids[0], amount_micros=MICROS, reference="late")
    pay(cast.company, refs[0], 90, 1_000, us(8))
    few = {page: [queries(client, page) for _ in range(2)][-1] for page in pages}
    for number in range(4):
        ident = make_profile(cast.company.manager_id, f"Many {number}")
        credit.allocate_credit(now=NOW, by=BY, profile_id=ident, amount_micros=MICROS, reference="one")
        write(
            cast.company,
            *({"started_us": us(7 + number) + each * MICROS, "callee": "33123456789", "profile_id": ident} for each in range(20)),
        )
        pay(cast.company, refs[0], 3 + number, 1_000, us(8))
        if number % 2:
            profile_deletion.delete_profile(now=NOW, by=BY, profile_id=ident)
    many = {page: queries(client, page) for page in pages}
    assert {page: count for page, count in many.items() if count > few[page]} == {}
    assert max(few.values()) <= 22


@pytest.mark.parametrize("text", ["9223372036854775808", "99999999999999999999999", "0"])
def test_a_call_that_can_not_be_is_not_there(cast: Cast, text: str) -> None:
    assert reader(cast).get(f"/reports/calls/{text}").status_code == 404
