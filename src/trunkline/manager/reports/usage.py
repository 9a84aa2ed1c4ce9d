"""Usage and incoming calls of a month: totals, a chart by day, each call; the same as files (SPEC R9.1, R9.2; guide 7.11)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from trunkline.domain.errors import Invalid
from trunkline.domain.money import MICROS, for_people
from trunkline.manager.reports.calls import PAYERS, RESULTS, columns_of, rows_of, totals_of
from trunkline.manager.reports.files import FORMATS, as_file
from trunkline.manager.reports.privacy import notice_first
from trunkline.manager.reports.sheet import Sheet, duration_text
from trunkline.manager.reports.subject import Period, Subject, link, may_see_records, period_of, report, subject_of
from trunkline.manager.reports.table import table_rows
from trunkline.store.usage import Day, Filters, MonthUsage, Totals, every_call, page_of_calls, usage_of_month
from trunkline.usecases import call_records
from trunkline.web import charts
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, engines_now
from trunkline.web.charts import Bar, Tick
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

MEASURES = {"calls": "Calls", "minutes": "Talk time", "cost": "Cost"}
LABELLED_DAYS = (1, 5, 10, 15, 20, 25, 30)
LARGEST_REF = 2**63 - 1
_CURSOR = re.compile(r"[0-9]{1,19}", re.ASCII)


class FilterForm(PageForm):
    """Kept in the URL. Empty: everything."""

    number = forms.CharField(label="Number called", required=False, max_length=24, widget=forms.TextInput(attrs={"inputmode": "tel"}))
    result = forms.ChoiceField(label="Result", required=False, choices=[("", "Any"), *RESULTS.items()])
    paid_by = forms.ChoiceField(label="How paid", required=False, choices=[("", "Any"), *PAYERS.items()])
    destination = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)

    def filters(self, direction: str) -> Filters:
        """What can't be filtered by is said beside its field, and not filtered by."""
        if not self.is_valid():
            return Filters(direction)
        wanted = self.cleaned_data | {"number": re.sub(r"[\s().-]+", "", self.cleaned_data["number"])}
        try:
            return Filters(direction, **wanted)
        except Invalid as problem:
            self.note(problem)
            return Filters(direction)


@open_to(Audience.REPORTS)
@require_safe
def usage(request: CompanyRequest, profile_id: int | None = None, *, archived: bool = False, incoming: bool = False) -> HttpResponseBase:
    """Who may not see who called whom sees sums only, and can't filter them: that would tell, too."""
    subject, period = subject_of(request, profile_id, archived=archived), period_of(request, at=engines_now())
    if notice := notice_first(request):
        return notice
    form = _form(request, incoming=incoming)
    filters = form.filters("incoming" if incoming else "outgoing")
    if file_format := request.GET.get("as", ""):
        return _file(request, subject, period, filters, file_format, incoming=incoming)
    found = usage_of_month(subject.scope, period.month, filters)
    page = {
        "incoming": incoming,
        "form": form,
        "filtered": filters.need_records,
        "without_filters": f"?month={period.value}",
        "complete": found.complete,
        "totals": totals_of(_side(found, incoming=incoming), request.company.currency, incoming=incoming),
        **_chart(request, found, incoming=incoming),
        **(_lines(request, subject, period, filters, incoming=incoming) if may_see_records(request) else {}),
    }
    return report(request, subject, period, "usage.html", page)


def _form(request: CompanyRequest, *, incoming: bool) -> FilterForm:
    form = FilterForm(request.GET if may_see_records(request) else {})
    if incoming:
        del form.fields["paid_by"], form.fields["destination"]
    return form


def _side(found: MonthUsage, *, incoming: bool) -> Totals:
    return found.incoming if incoming else found.outgoing


def _lines(request: CompanyRequest, subject: Subject, period: Period, filters: Filters, *, incoming: bool) -> dict[str, Any]:
    before = request.GET.get("before", "")
    cursor = min(int(before), LARGEST_REF) if _CURSOR.fullmatch(before) else None
    found = page_of_calls(subject.scope, period.month, filters, before=cursor)
    columns = columns_of(subject, request.company.currency, incoming=incoming)
    return {
        "columns": columns,
        "rows": table_rows(columns, rows_of(found.lines, subject, request.company, incoming=incoming)),
        "older": f"{link(request)}&before={found.next_before}" if found.next_before else "",
        "newest": link(request) if cursor else "",
        "files": [(kind.upper(), f"{link(request)}&as={kind}") for kind in FORMATS],
    }


def _file(
    request: CompanyRequest, subject: Subject, period: Period, filters: Filters, file_format: str, *, incoming: bool
) -> HttpResponseBase:
    """All pages of what is shown, in the same order, with the same totals."""
    if not may_see_records(request):
        raise PermissionDenied(f"Files with calls are for {Audience.RECORDS.text}.")
    company = request.company
    what = "Incoming calls" if incoming else "Usage"
    totals = _side(usage_of_month(subject.scope, period.month, filters), incoming=incoming)
    facts = (
        ("Company", company.company_name),
        ("Month", f"{period.text}, times of {company.time_zone}"),
        *_words_of(filters),
        *totals_of(totals, company.currency, incoming=incoming),
    )
    rows = rows_of(every_call(subject.scope, period.month, filters), subject, company, incoming=incoming)
    name = f"{slugify(f'{subject.title} {what}')}-{period.value}"
    columns = columns_of(subject, company.currency, incoming=incoming)
    sheet = Sheet(name, f"{what} of {subject.title}", facts, columns, rows, 0 if filters.need_records else totals.attempts)
    response = as_file(sheet, file_format)
    call_records.note_export(**acting(request), manager_id=company.pk, report=name, file_format=file_format)
    return response


def _words_of(filters: Filters) -> tuple[tuple[str, str], ...]:
    named = (
        ("Only numbers that begin with", filters.number),
        ("Only with the result", RESULTS.get(filters.result, "")),
        ("Only paid by", PAYERS.get(filters.paid_by, "")),
        ("Only to", filters.destination),
    )
    return tuple((name, text) for name, text in named if text)


def _chart(request: CompanyRequest, found: MonthUsage, *, incoming: bool) -> dict[str, Any]:
    """By day: a bar for each, and a table of the same."""
    currency = request.company.currency
    measures = {name: text for name, text in MEASURES.items() if not incoming or name != "cost"}
    chosen = request.GET.get("chart", "")
    chosen = chosen if chosen in measures else "calls"
    days = [(day, day.incoming if incoming else day.outgoing) for day in found.days]
    value, unit, text = _measure(chosen, currency)
    bars = [Bar(value(sums), f"{day.day:%-d %B}: {text(value(sums))}", _label(day)) for day, sums in days]
    ticks = [Tick(tick, text(tick)) for tick in charts.ticks_of(max(bar.value for bar in bars), unit)]
    titles = [name for name, _ in totals_of(Totals(), currency, incoming=incoming)]
    table = [(day.day, [text for _, text in totals_of(sums, currency, incoming=incoming)]) for day, sums in days if sums.attempts]
    return {
        "chart": charts.bars(bars, ticks, f"{measures[chosen]} by day; the same as a table below") if table else "",
        "measures": [(text, link(request, chart=name), name == chosen) for name, text in measures.items()],
        "chart_titles": titles,
        "chart_table": [(day, list(zip(titles, texts, strict=True))) for day, texts in table],
    }


def _measure(name: str, currency: str) -> tuple[Callable[[Totals], int], int, Callable[[int], str]]:
    """The value of a day, the unit of its scale, and its words."""
    if name == "cost":
        return lambda sums: sums.cost_micros, MICROS // 100, lambda micros: for_people(micros, currency)
    if name == "minutes":
        return lambda sums: sums.duration_seconds, 60, duration_text
    return lambda sums: sums.attempts, 1, lambda calls: f"{calls:,}"


def _label(day: Day) -> str:
    return str(day.day.day) if day.day.day in LABELLED_DAYS else ""
