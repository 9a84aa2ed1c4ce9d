"""How many calling channels? By people, by the busiest hour, or by the profile's own calls (SPEC R3.7)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.domain.advisor import Advice, advise_by_employees, advise_by_traffic, guideline
from trunkline.domain.errors import Conflict
from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.usecases.advice import advise_by_records
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.navigation import FEATURES, menu

SECONDS_PER_MINUTE = 60


class EmployeesForm(PageForm):
    employees = forms.IntegerField(label="Employees who use the telephone", min_value=1, max_value=100_000)


class TrafficForm(PageForm):
    """Telephone bills and PBX reports say calls and their length."""

    field_of = {"busy_seconds": "calls"}  # noqa: RUF012 - as in PageForm
    calls = forms.IntegerField(label="Calls in the busiest hour, out and in", min_value=0, max_value=100_000)
    minutes = forms.IntegerField(label="Minutes that a call takes on average", min_value=1, max_value=240, initial=3)


@open_to(Audience.LOOK)
@require_safe
def advice(request: CompanyRequest) -> HttpResponse:
    """For a profile that is being made: what the wizard knows is carried through."""
    name = request.GET.get("name", "")[:80]
    take = f"{reverse('profile_create_channels')}?{urlencode({'name': name})}&channels="
    side = {"menu": menu(request, FEATURES), "menu_label": "Features", "name": name}
    return render(request, "manager/advisor/new_profile.html", {"take": take, **side, **_page(request)})


@open_to(Audience.LOOK)
@require_safe
def profile_advice(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """With what its own calls say."""
    profile = scope.profile_of(request, profile_id)
    try:
        own, none_yet = advise_by_records(now=engines_now(), profile_id=profile.pk), ""
    except Conflict as problem:
        own, none_yet = None, str(problem)
    take = f"{reverse('channels_change' if profile.channels else 'channels_buy', args=[profile.pk])}?quantity="
    page = {"own": own, "none_yet": none_yet, "take": take, "of_profile": True, **_page(request)}
    return page_of(request, profile, "manager/advisor/profile.html", page)


def _page(request: CompanyRequest) -> dict[str, Any]:
    """Either form is sent with what the other one has."""
    employees = EmployeesForm(request.GET if "employees" in request.GET else None)
    traffic = TrafficForm(request.GET if "calls" in request.GET else None)
    advised: list[Advice] = []
    if employees.is_valid() and (by_people := employees.act(advise_by_employees, employees=employees.cleaned_data["employees"])):
        advised.append(by_people)
    if traffic.is_valid():
        seconds = traffic.cleaned_data["calls"] * traffic.cleaned_data["minutes"] * SECONDS_PER_MINUTE
        advised += filter(None, [traffic.act(advise_by_traffic, busy_seconds=seconds)])
    return {"employees": employees, "traffic": traffic, "advised": advised, "guideline": guideline()}


urlpatterns = [
    path("trunks/advice", advice, name="profile_create_advice"),
    path("trunks/<int:profile_id>/channels/advice", profile_advice, name="profile_channel_advice"),
]
