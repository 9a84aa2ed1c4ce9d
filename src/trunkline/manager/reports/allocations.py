"""What a month's Credit was spent on beside calls: channels, bundles, numbers, and Credit in and out (SPEC R9.1; guide 7.11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.http import HttpResponseBase
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from trunkline.domain.money import for_people
from trunkline.domain.statement_words import KINDS
from trunkline.manager.reports.files import as_file
from trunkline.manager.reports.sheet import MICROSECONDS, Cell, Column, Row, Sheet, moment_cell, money_cell
from trunkline.manager.reports.subject import Subject, link, period_of, report, subject_of
from trunkline.manager.reports.table import table_rows
from trunkline.store.allocations import MOST_LINES, Allocation, KindSum, allocations_of_month, sums_of_month
from trunkline.store.models import Manager, Profile
from trunkline.web.access import Audience, open_to
from trunkline.web.company import CompanyRequest

SHOWN = 200
"""On the page; files have `MOST_LINES`."""


@open_to(Audience.REPORTS)
@require_safe
def allocations(request: CompanyRequest, profile_id: int | None = None, *, archived: bool = False) -> HttpResponseBase:
    subject, period = subject_of(request, profile_id, archived=archived), period_of(request)
    company = request.company
    sums = sums_of_month(company.account, period.month, profile_id=profile_id)
    count, file_format = sum(each.count for each in sums), request.GET.get("as", "")
    found = allocations_of_month(company.account, period.month, profile_id=profile_id, most=MOST_LINES if file_format else SHOWN)
    columns = _columns(subject, company)
    if file_format:
        facts = (("Company", company.company_name), ("Month", f"{period.text}, times of {company.time_zone}"), *_totals(sums, company))
        name = f"{slugify(f'{subject.title} allocations')}-{period.value}"
        return as_file(Sheet(name, f"Allocations of {subject.title}", facts, columns, _rows(found, subject, company)), file_format)
    page = {
        "totals": _totals(sums, company),
        "columns": columns,
        "rows": table_rows(columns, _rows(found, subject, company)),
        "more": f"{max(0, min(count, MOST_LINES) - SHOWN):,}" if count > SHOWN else "",
        "is_cut": count > MOST_LINES,
        "files": [(kind.upper(), f"{link(request)}&as={kind}") for kind in ("csv", "xlsx", "pdf")],
    }
    return report(request, subject, period, "allocations.html", page)


def _columns(subject: Subject, company: Manager) -> tuple[Column, ...]:
    whose = () if subject.profile else (Column("Profile", width=18),)
    return (
        Column("Time", width=20, is_whole=True),
        Column("What", width=24),
        *whose,
        Column("Note", width=36),
        Column("Manager's Credit", is_number=True, unit=company.currency, width=18),
    )


def _rows(found: list[Allocation], subject: Subject, company: Manager) -> Iterator[Row]:
    zone = ZoneInfo(company.time_zone)
    names = {} if subject.profile else dict(Profile.objects.filter(manager=company).values_list("id", "name"))
    for line in found:
        at = datetime.fromtimestamp(line.at_us // MICROSECONDS, tz=UTC).astimezone(zone)
        whose = () if subject.profile else (Cell(names.get(line.profile_id or 0, "")),)
        yield (moment_cell(at), Cell(what_text(line.kind)), *whose, Cell(line.note), money_cell(line.amount_micros, company.currency))


def what_text(kind: str) -> str:
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def _totals(sums: list[KindSum], company: Manager) -> tuple[tuple[str, str], ...]:
    return tuple((what_text(each.kind), for_people(each.amount_micros, company.currency)) for each in sums)
