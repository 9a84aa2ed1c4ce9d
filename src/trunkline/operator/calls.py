"""Calls in progress of the whole service, and hanging up (SPEC R12)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.operator.pages import operator_page
from trunkline.store.models import LiveCall
from trunkline.usecases.live_calls import hang_up as end_call
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import PageForm
from trunkline.web.templatetags.components import phone

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A live call for people. `number`: what was called."""

    call: LiveCall
    company: str
    number: str
    destination: str
    currency: str


class HangUpForm(PageForm):
    reason = forms.CharField(max_length=200, help_text="It stays in the log.")


@open_to(Audience.STAFF)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The newest; `q` looks for a company or a SIP Profile. The table comes again every few seconds."""
    wanted = request.GET.get("q", "").strip()[:80]
    known = _known()
    if wanted:
        names = (
            "caller_profile__name",
            "callee_profile__name",
            "caller_profile__manager__company_name",
            "callee_profile__manager__company_name",
        )
        either = Q()
        for name in names:
            either |= Q(**{f"{name}__icontains": wanted})
        known = known.filter(either)
    counts = LiveCall.objects.aggregate(all=Count("pk"), answered=Count("pk", filter=Q(state=LiveCall.State.ANSWERED)))
    page = {"calls": [_shown(call) for call in known.order_by("-call_ref")[:MOST_SHOWN]], "wanted": wanted, "counts": counts}
    template = "operator/calls/table.html" if request.headers.get("HX-Request") else "operator/calls/live.html"
    return operator_page(request, template, page)


@open_to(Audience.OPERATOR)
def hang_up(request: HttpRequest, call_ref: int) -> HttpResponse:
    """Both sides hear that it is over; what was talked is charged. Asked first."""
    call = get_object_or_404(_known(), pk=call_ref)
    form = HangUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.act(end_call, **acting(request), call_ref=call.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, "Call control ends this call now.")
            return redirect("operator_calls")
    return operator_page(request, "operator/calls/hang_up.html", {"one": _shown(call), "form": form})


def _known() -> Any:
    return LiveCall.objects.select_related("caller_profile__manager", "callee_profile__manager")


def _shown(call: LiveCall) -> Shown:
    facts = json.loads(call.facts)
    owner = call.caller_profile or call.callee_profile
    number = phone(facts["number"]) if facts.get("number") else facts.get("dialled", "")
    return Shown(call, owner.manager.company_name if owner else "", number, facts.get("destination", ""), facts.get("currency", ""))


urlpatterns = [
    path("calls", live, name="operator_calls"),
    path("calls/<int:call_ref>/hang-up", hang_up, name="operator_call_hang_up"),
]
