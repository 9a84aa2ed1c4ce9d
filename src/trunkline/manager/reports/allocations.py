"""What a month's Credit was spent on beside calls: channels, bundles, numbers, and Credit in and out (SPEC R9.1; guide 7.11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.http import HttpResponseBase
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from trunkline.domain.money import for_people
from trunkline.domain.statements import KINDS
from trunkline.manager.reports.files import as_file
from trunkline.manager.reports.sheet import MICROSECONDS, Cell, Column, Row, Sheet, in_columns, moment_cell, money_cell
from trunkline.manager.reports.subject import Subject, link, period_of, report, subject_of
from trunkline.store.allocations import MOST_LINES, Allocation, allocations_of_month
from trunkline.store.models import Manager, Profile
from trunkline.web.access import Audience, open_to
from trunkline.web.company import CompanyRequest

SHOWN = 500
"""More than a company books in a month beside calls; files have all."""


@open_to(Audience.REPORTS)
@require_safe
def allocations(request: CompanyRequest, profile_id: int | None = None, *, archived: bool = False) -> HttpResponseBase:
    subject, period = subject_of(request, profile_id, archived=archived), period_of(request)
    company = request.company
    found = allocations_of_month(company.account, period.month, profile_id=profile_id)
    columns = _columns(subject, company)
    if file_format := request.GET.get("as", ""):
        facts = (("Company", company.company_name), ("Month", f"{period.text}, times of {company.time_zone}"), *_totals(found, company))
        name = f"{slugify(f'{subject.title} allocations')}-{period.value}"
        return as_file(Sheet(name, f"Allocations of {subject.title}", facts, columns, _rows(found, subject, company)), file_format)
    page = {
        "totals": _totals(found, company),
        "columns": columns,
        "rows": in_columns(columns, _rows(found[:SHOWN], subject, company)),
        "more": len(found) - SHOWN if len(found) > SHOWN else 0,
        "is_cut": len(found) >= MOST_LINES,
        "files": [(kind.upper(), f"{link(request)}&as={kind}") for kind in ("csv", "xlsx", "pdf")],
    }
    return report(request, subject, period, "allocations.html", page)


def _columns(subject: Subject, company: Manager) -> tuple[Column, ...]:
    whose = () if subject.profile else (Column("Profile", width=18),)
    return (
        Column("Time", width=20),
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


def _totals(found: list[Allocation], company: Manager) -> tuple[tuple[str, str], ...]:
    """One for each kind, in the order of the first of each."""
    sums: dict[str, int] = {}
    for line in found:
        sums[line.kind] = sums.get(line.kind, 0) + line.amount_micros
    return tuple((what_text(kind), for_people(micros, company.currency)) for kind, micros in sums.items())
