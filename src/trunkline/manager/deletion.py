"""A profile is deleted: first what that means, and its calls to keep; then its name is typed (guide 7.8, SPEC R2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from defusedcsv import csv
from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.domain.money import decimal_text
from trunkline.domain.months import Month
from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.manager.reports.privacy import notice_first
from trunkline.manager.reports.subject import may_see_records
from trunkline.store import ledger
from trunkline.store.models import Profile
from trunkline.store.usage import Line, Scope, every_call
from trunkline.usecases import call_records, profile_deletion
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, engines_now, now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

COLUMNS = tuple(each.name for each in fields(Line) if each.name not in ("started_us", "cost_micros", "profile_id"))


class DeleteForm(PageForm):
    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: object, profile: Profile, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.profile = profile
        self.fields["name"].label = f"To delete it, type its name: {profile.name}"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.profile.name:
            raise forms.ValidationError(f"This is not its name. Type {self.profile.name}, as it is written here.")
        return name


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def delete(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Nothing is done before the name is typed."""
    profile = scope.profile_of(request, profile_id)
    form = DeleteForm(request.POST if request.method == "POST" else None, profile=profile)
    gone = form.act(profile_deletion.delete_profile, **acting(request), profile_id=profile.pk) if form.is_valid() else None
    if gone is not None:
        messages.success(request, f"{profile.name} is deleted. Its Credit and its numbers are the Manager's again.")
        return redirect("trunks")
    plan = profile_deletion.preview_profile_deletion(now=now(), profile_id=profile.pk)
    page = {"form": form, "plan": plan, "may_see_records": may_see_records(request)}
    return page_of(request, profile, "manager/deletion/delete.html", page)


@open_to(Audience.RECORDS)
@require_safe
def calls(request: CompanyRequest, profile_id: int) -> HttpResponseBase:
    """Every call of the profile as CSV, month by month, newest first in each. What call records are is read first (SPEC R9.2)."""
    profile = scope.profile_of(request, profile_id)
    if notice := notice_first(request, then=reverse("profile_delete", args=[profile.pk])):
        return notice
    call_records.note_export(**acting(request), manager_id=request.company.pk, report=f"all calls of {profile.name}", file_format="csv")
    answer = StreamingHttpResponse(_lines(profile, ZoneInfo(request.company.time_zone)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="calls-of-profile-{profile.pk}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Echo:
    """What `csv` writes to: it hands each line back."""

    def write(self, text: str) -> str:
        return text


def _lines(profile: Profile, zone: ZoneInfo) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["started_at", *COLUMNS, "cost"])
    month, last_us = Month.of(ledger.microseconds(profile.created_at), zone), ledger.microseconds(engines_now())
    while month.starts_us <= last_us:
        for line in every_call(Scope(profile.manager_id, profile.pk), month):
            yield writer.writerow([_moment(line), *(getattr(line, name) for name in COLUMNS), decimal_text(line.cost_micros)])
        month = month.next


def _moment(line: Line) -> str:
    return datetime.fromtimestamp(line.started_us / scope.MICROSECONDS, tz=UTC).isoformat(timespec="seconds")


urlpatterns = [
    path("trunks/<int:profile_id>/delete", delete, name="profile_delete"),
    path("trunks/<int:profile_id>/delete/calls.csv", calls, name="profile_delete_calls"),
]
