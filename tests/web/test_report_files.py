"""Reports as files for people: XLSX and PDF have what the page shows, line by line, and no more than anybody waits for (SPEC R9.2, R9.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.store.cast import BY, NOW
from tests.web.calls import november, pay, us
from tests.web.cast import Cast, make_cast, reader
from tests.web.documents import cells_of_xlsx, lines_of_pdf
from tests.web.test_reports import profile_reports
from trunkline.domain.money import MICROS, for_people
from trunkline.domain.statement_files import verify
from trunkline.manager.reports import files
from trunkline.store.models import AuditEntry
from trunkline.usecases import credit, profile_deletion

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def refs(cast: Cast) -> list[int]:
    """And a note that a spreadsheet would reckon with."""
    found = november(cast.company)
    credit.allocate_credit(now=NOW, by=BY, profile_id=cast.company.profile_ids[0], amount_micros=1_500_000, reference="=1+1")
    return found


def shown(client: Client, path: str, **query: str) -> list[list[str]]:
    """The table of calls or movements on the page, without its head."""
    page = client.get(path, query).content.decode()
    table = re.findall(r"(?s)<table class=\"table-stack table-dense\">.*?</table>", page)[-1]
    rows = re.findall(r"(?s)<tr>(.*?)</tr>", table)[1:]
    return [[unescape(re.sub(r"(?s)<[^>]+>", "", cell)).strip() for cell in re.findall(r"(?s)<td[^>]*>(.*?)</td>", row)] for row in rows]


def file_of(client: Client, path: str, **query: str) -> bytes:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def moment(serial: str) -> str:
    """A spreadsheet's moment as the page writes it."""
    return f"{datetime(1899, 12, 30, tzinfo=UTC) + timedelta(seconds=round(float(serial) * 86_400)):%-d %b %Y, %H:%M:%S}"


def as_shown(amount: str) -> str:
    return for_people(round(float(amount) * MICROS), "USD")


def december(cast: Cast) -> dict[str, str]:
    return {"month": "2026-12", "purse": f"profile-{cast.company.profile_ids[0]}"}


def closing_hash(client: Client, asked: dict[str, str]) -> str:
    """As whoever verifies the proof learns it."""
    lines = file_of(client, "/reports/statement", **asked, **{"as": "csv"}).decode().splitlines(keepends=True)
    return verify(lines).digest


def test_a_statement_as_xlsx_is_what_the_page_shows(cast: Cast, refs: list[int]) -> None:
    client, asked = reader(cast), december(cast)
    cells = cells_of_xlsx(file_of(client, "/reports/statement", **asked, **{"as": "xlsx"}))
    assert cells[:9] == [
        ["Statement"],
        ["Company", "Architects"],
        ["Purse", "Credit of Profile 0"],
        ["Month", "December 2026, times of America/New_York"],
        ["State", "Closed: it will never be different"],
        ["Balance at the beginning", "$0.00"],
        ["Balance at the end", "$6.43"],
        ["Movements", "4"],
        ["Hash of the last line", closing_hash(client, asked)],
    ]
    assert cells[9:11] == [[], ["Time", "What", "Other side", "Amount (USD)", "Balance (USD)"]]
    page = shown(client, "/reports/statement", **asked)
    assert len(page) == 4
    assert [[moment(at), what, side, as_shown(amount), as_shown(balance)] for at, what, side, amount, balance in cells[11:]] == page


def test_a_statement_as_pdf_is_what_the_page_shows(cast: Cast, refs: list[int]) -> None:
    client, asked = reader(cast), december(cast)
    lines = lines_of_pdf(file_of(client, "/reports/statement", **asked, **{"as": "pdf"}))
    assert lines[1:4] == ["Company Architects", "Purse Credit of Profile 0", "Month December 2026, times of America/New_York"]
    assert lines[5:9] == [
        "Balance at the beginning $0.00",
        "Balance at the end $6.43",
        "Movements 4",
        f"Hash of the last line {closing_hash(client, asked)}",
    ]
    assert lines[10:-1] == [" ".join(row) for row in shown(client, "/reports/statement", **asked)]
    assert lines[-1] == "Statement · 1"


def test_a_file_has_all_pages_of_a_statement_and_each_page_of_paper_its_names(cast: Cast, refs: list[int]) -> None:
    for number in range(150):
        pay(cast.company, refs[1], number, 1_000, us(6))
    client, asked = reader(cast), december(cast)
    lines = lines_of_pdf(file_of(client, "/reports/statement", **asked, **{"as": "pdf"}))
    assert sum(line.startswith("6 Nov 2026") or "Nov 2026," in line for line in lines) == 152
    pages = sum(line.startswith("Statement · ") for line in lines)
    assert pages > 3
    assert lines.count("Time What Other side Amount Balance") == pages
    assert len(cells_of_xlsx(file_of(client, "/reports/statement", **asked, **{"as": "xlsx"}))) == 11 + 154
    assert AuditEntry.objects.filter(action="records.export", target__contains="statement").count() == 2


def test_a_month_in_which_nothing_was_booked_has_a_file_too(cast: Cast, refs: list[int]) -> None:
    cells = cells_of_xlsx(file_of(reader(cast), "/reports/statement", **december(cast) | {"month": "2026-10", "as": "xlsx"}))
    assert cells[6:8] == [["Balance at the end", "$0.00"], ["Movements", "0"]]
    assert len(cells) == 11


def test_a_statement_that_is_too_long_is_refused_with_the_way_out(cast: Cast, refs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    client, asked = reader(cast), december(cast)
    for kind in ("xlsx", "pdf"):
        monkeypatch.setitem(files.MOST_ROWS, kind, 3)
        answer = client.get("/reports/statement", asked | {"as": kind})
        assert (answer.status_code, "choose CSV" in answer.content.decode()) == (409, True)
        assert not AuditEntry.objects.filter(action="records.export", after={"format": kind}).exists()
        monkeypatch.setitem(files.MOST_ROWS, kind, 4)
        assert file_of(client, "/reports/statement", **asked, **{"as": kind})


def test_each_report_has_each_kind_of_file(cast: Cast, refs: list[int]) -> None:
    """And each line of the page stands in the PDF, whole."""
    profile_deletion.delete_profile(now=NOW, by=BY, profile_id=cast.company.profile_ids[0])
    client, moved = reader(cast), ("/reports/allocations", "/reports/statement")
    for path in ("/reports", "/reports/incoming", *moved, "/reports/archive"):
        asked = {"month": "2026-12" if path in moved else "2026-11"}
        assert re.findall(r'href="\?[^"]*as=(\w+)">', client.get(path, asked).content.decode())[:3] == ["csv", "xlsx", "pdf"]
        rows = shown(client, path, **asked)
        assert rows
        text = " ".join(lines_of_pdf(file_of(client, path, **asked, **{"as": "pdf"})))
        assert [word for row in rows for cell in row for word in cell.split() if word not in text] == []
        table = cells_of_xlsx(file_of(client, path, **asked, **{"as": "xlsx"}))
        assert [row[1] for row in table[-len(rows) :]] == [row[1] for row in rows]


def test_files_of_a_profile_begin_with_whose_they_are(cast: Cast, refs: list[int]) -> None:
    client: Any = reader(cast)
    lines = lines_of_pdf(file_of(client, profile_reports(cast), month="2026-11", **{"as": "pdf"}))
    assert lines[0] == "Usage of Profile 0"
    assert "5 Nov 2026, 10:00:00 +33 1 23 45 67 89 France 1:15 Answered Profile's Credit $0.07" in lines
