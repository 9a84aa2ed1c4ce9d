"""Whose report, of which month, and the way from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from trunkline.domain.errors import Invalid
from trunkline.domain.months import Month
from trunkline.domain.statements import parse_month
from trunkline.manager import scope
from trunkline.store.models import Profile
from trunkline.store.usage import Scope
from trunkline.web.access import Audience
from trunkline.web.acting import engines_now, now
from trunkline.web.company import CompanyRequest
from trunkline.web.navigation import PROFILE, Entry, menu

MOST_MONTHS = 60
PLACES = {"before", "after", "as"}
"""What a link into another month or another report leaves behind: where one was on a page, and the kind of a file."""
PAGES = (("", "Usage"), ("incoming", "Incoming calls"), ("allocations", "Allocations"), ("statement", "Statement"))


@dataclass(frozen=True, slots=True)
class Subject:
    """A SIP Profile, deleted or not; without one the whole Manager. `prefix` begins the names of its routes."""

    prefix: str
    title: str
    scope: Scope
    profile: Profile | None = None

    def url(self, page: str = "") -> str:
        name = f"{self.prefix}_{page}" if page else self.prefix
        return reverse(name, args=[self.profile.pk] if self.profile else [])


@dataclass(frozen=True, slots=True)
class Period:
    """The month of a report, and those that may be looked at: since the Manager was opened, the newest first."""

    month: Month
    months: tuple[Month, ...]

    @property
    def text(self) -> str:
        return f"{self.month.first:%B %Y}"

    @property
    def value(self) -> str:
        return f"{self.month.first:%Y-%m}"

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [(f"{month.first:%Y-%m}", f"{month.first:%B %Y}") for month in self.months]

    @property
    def previous(self) -> str:
        """Its value; empty: there is none."""
        return f"{self.month.previous.first:%Y-%m}" if self.month.previous in self.months else ""

    @property
    def next(self) -> str:
        return f"{self.month.next.first:%Y-%m}" if self.month.next in self.months else ""


def subject_of(request: CompanyRequest, profile_id: int | None, *, archived: bool = False) -> Subject:
    """404 for what is not this company's; a deleted profile is in the archive only."""
    company = request.company
    if profile_id is None:
        return Subject("reports", company.company_name, Scope(company.pk))
    if archived:
        profile = get_object_or_404(deleted_profiles(request), pk=profile_id)
    else:
        profile = scope.profile_of(request, profile_id)
    return Subject(route_of_profile(archived=archived), profile.name, Scope(company.pk, profile.pk), profile)


def route_of_profile(*, archived: bool) -> str:
    """Where a SIP Profile's own reports begin: those of a deleted one are in the archive."""
    return "archive_profile" if archived else "profile_reports"


def deleted_profiles(request: CompanyRequest) -> Any:
    return Profile.objects.filter(manager=request.company, state=Profile.State.DELETED).select_related("account").order_by("name", "pk")


def period_of(request: CompanyRequest, *, at: datetime | None = None) -> Period:
    """From the URL, else the month of `at`. Raises `Invalid` for one that can't be looked at."""
    zone = ZoneInfo(request.company.time_zone)
    latest = max((_month(moment, zone) for moment in (now(), engines_now())), key=lambda month: month.first)
    earliest = min((_month(moment, zone) for moment in (request.company.created_at, engines_now())), key=lambda month: month.first)
    months = [latest]
    while months[-1] != earliest and len(months) < MOST_MONTHS:
        months.append(months[-1].previous)
    text = request.GET.get("month", "")
    month = Month(parse_month(text), zone) if text else _month(at or now(), zone)
    if month not in months:
        raise Invalid(
            "month", f"There is no report of {month.first:%B %Y}: choose one from {months[-1].first:%B %Y} to {latest.first:%B %Y}."
        )
    return Period(month, tuple(months))


def _month(moment: datetime, zone: ZoneInfo) -> Month:
    return Month(moment.astimezone(zone).date().replace(day=1), zone)


def link(request: CompanyRequest, **changed: str) -> str:
    """This page with other parameters; an empty one is left out."""
    query = request.GET.copy()
    for name in PLACES:
        query.pop(name, None)
    for name, value in changed.items():
        query[name] = value
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"?{query.urlencode()}"


def may_see_records(request: CompanyRequest) -> bool:
    return request.membership.role in Audience.RECORDS.roles


def report(request: CompanyRequest, subject: Subject, period: Period, template: str, page: dict[str, Any]) -> HttpResponse:
    """A page of a report, with its menu and its months."""
    frame = {
        "subject": subject,
        "period": period,
        "profile_menu": menu(request, PROFILE, subject.profile.pk) if subject.prefix == "profile_reports" and subject.profile else [],
        "report_menu": _menu(request, subject, period),
        "previous_month": link(request, month=period.previous) if period.previous else "",
        "next_month": link(request, month=period.next) if period.next else "",
        "kept": [(name, value) for name, value in request.GET.items() if name not in PLACES | {"month"}],
        "may_see_records": may_see_records(request),
    }
    return render(request, f"manager/reports/{template}", frame | page)


def _menu(request: CompanyRequest, subject: Subject, period: Period) -> list[Entry]:
    here = request.resolver_match.view_name if request.resolver_match else ""
    shown = [(page, text) for page, text in PAGES if page != "statement" or may_see_records(request)]
    entries = [
        Entry(text, f"{subject.url(page)}?month={period.value}", here == (f"{subject.prefix}_{page}" if page else subject.prefix))
        for page, text in shown
    ]
    if subject.profile is None:
        costs = reverse("reports_costs")
        entries.insert(1, Entry("Costs by profile", f"{costs}?month={period.value}", here == "reports_costs"))
        entries.append(Entry("Deleted profiles", reverse("reports_archive"), current=False))
    return entries
