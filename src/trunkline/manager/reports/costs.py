"""What a month cost, by SIP Profile: its calls, and its channels, bundles and numbers (SPEC R9.2). For whoever shares a bill out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from trunkline.manager.reports.files import FORMATS, as_file
from trunkline.manager.reports.sheet import Cell, Column, Row, Sheet, count_cell, money_cell, seconds_cell
from trunkline.manager.reports.subject import Period, link, period_of, report, route_of_profile, subject_of
from trunkline.manager.reports.table import table_rows
from trunkline.store.allocations import subscriptions_by_profile
from trunkline.store.models import Profile
from trunkline.store.usage import Spent, outgoing_by_profile
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now
from trunkline.web.company import CompanyRequest

SHOWN = 500
"""On the page; files have all."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of a SIP Profile in a month. `subscriptions_micros`: less what was refunded, so that it may be below zero."""

    name: str
    href: str
    calls: Spent
    subscriptions_micros: int

    @property
    def total_micros(self) -> int:
        return self.calls.cost_micros + self.subscriptions_micros


@open_to(Audience.REPORTS)
@require_safe
def costs(request: CompanyRequest) -> HttpResponseBase:
    """Sums only: it says nothing of who called whom."""
    subject, period = subject_of(request, None), period_of(request, at=engines_now())
    company, found = request.company, _costs(request, period)
    columns, sums = _columns(company.currency), _sums(found, company.currency)
    if file_format := request.GET.get("as", ""):
        facts = (("Company", company.company_name), ("Month", f"{period.text}, times of {company.time_zone}"), *sums)
        name = f"{slugify(f'{company.company_name} costs')}-{period.value}"
        return as_file(Sheet(name, "Costs by SIP Profile", facts, columns, _rows(found, company.currency)), file_format)
    page = {
        "totals": sums,
        "columns": columns,
        "rows": table_rows(columns, _rows(found[:SHOWN], company.currency)),
        "more": f"{len(found) - SHOWN:,}" if len(found) > SHOWN else "",
        "files": [(kind.upper(), f"{link(request)}&as={kind}") for kind in FORMATS],
    }
    return report(request, subject, period, "costs.html", page)


def _costs(request: CompanyRequest, period: Period) -> list[Costs]:
    """The dearest first: every profile that is there, deleted ones that cost something, and what was paid for none."""
    calls = outgoing_by_profile(request.company.pk, period.month)
    paid = subscriptions_by_profile(request.company.account, period.month)
    known = Profile.objects.filter(manager=request.company).values_list("pk", "name", "state")
    found = [
        Costs(*_named(pk, name, period, deleted=state == Profile.State.DELETED), calls.get(pk, Spent()), paid.get(pk, 0))
        for pk, name, state in known
        if state != Profile.State.DELETED or pk in calls or pk in paid
    ]
    if None in paid:
        found.append(Costs("No SIP Profile", "", Spent(), paid[None]))
    return sorted(found, key=lambda each: (-each.total_micros, -each.calls.attempts, each.name))


def _named(profile_id: int, name: str, period: Period, *, deleted: bool) -> tuple[str, str]:
    href = reverse(route_of_profile(archived=deleted), args=[profile_id])
    return f"{name} (deleted)" if deleted else name, f"{href}?month={period.value}"


def _columns(currency: str) -> tuple[Column, ...]:
    return (
        Column("Profile", width=30),
        Column("Calls", is_number=True, width=10),
        Column("Talk time", is_number=True, unit="seconds", width=14),
        Column("From bundles", is_number=True, unit="seconds", width=14),
        Column("Cost of calls", is_number=True, unit=currency, width=16),
        Column("Subscriptions", is_number=True, unit=currency, width=16),
        Column("Total", is_number=True, unit=currency, width=16),
    )


def _rows(found: list[Costs], currency: str) -> Iterator[Row]:
    for each in found:
        talked, zero_rated = seconds_cell(each.calls.duration_seconds), seconds_cell(each.calls.bundle_seconds)
        amounts = (each.calls.cost_micros, each.subscriptions_micros, each.total_micros)
        spent = (money_cell(micros, currency) for micros in amounts)
        yield Cell(each.name, href=each.href), count_cell(each.calls.attempts), talked, zero_rated, *spent


def _sums(found: list[Costs], currency: str) -> tuple[tuple[str, str], ...]:
    calls = sum(each.calls.cost_micros for each in found)
    subscriptions = sum(each.subscriptions_micros for each in found)
    named = ("Cost of calls", calls), ("Subscriptions", subscriptions), ("Total", calls + subscriptions)
    return tuple((name, money_cell(micros, currency).text) for name, micros in named)
