"""Calls that are over, of all companies: what was decided, and what went over the wire on both sides (SPEC R12, R13)."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.domain.refusals import REFUSALS
from trunkline.operator.pages import operator_page
from trunkline.store.ladders import Wanted
from trunkline.store.models import CallRecord, Profile
from trunkline.web.access import Audience, open_to
from trunkline.web.ladders import Shown, Sight, View, ladder_of, text_answer
from trunkline.web.listing import newest_first


@open_to(Audience.STAFF)
@require_safe
def records(request: HttpRequest) -> HttpResponse:
    """Newest first; `profile`: only of the SIP Profile with this id."""
    ident = request.GET.get("profile", "")
    profile = get_object_or_404(Profile.objects.select_related("manager"), pk=ident) if ident.isascii() and ident.isdecimal() else None
    known = _known() if profile is None else _known().filter(profile=profile)
    return operator_page(request, "operator/calls/records.html", {"listed": newest_first(request, known), "profile": profile})


@open_to(Audience.STAFF)
@require_safe
def record(request: HttpRequest, call_ref: int) -> HttpResponse:
    found = get_object_or_404(_known(), pk=call_ref)
    page = {
        "record": found,
        "refusal": REFUSALS.get(found.refusal),
        "steps": [(step.replace("_", " ").capitalize(), text) for step, text in json.loads(found.trace).get("steps", [])],
        "ladder": _ladder(found),
        "ladder_text_url": reverse("operator_call_record_text", args=[found.pk]),
    }
    return operator_page(request, "operator/calls/record.html", page)


@open_to(Audience.STAFF)
@require_safe
def record_text(request: HttpRequest, call_ref: int) -> HttpResponse:
    """The SIP ladder as text."""
    found = get_object_or_404(_known(), pk=call_ref)
    return text_answer(_ladder(found), found)


def _known() -> QuerySet[CallRecord, CallRecord]:
    return CallRecord.objects.select_related("manager", "profile", "peer_profile__manager", "carrier")


def _ladder(found: CallRecord) -> Shown:
    """Both sides, with their addresses."""
    wanted = Wanted(found.pk, found.sip_call_id, "", found.started_us, found.ended_us)
    carrier = found.carrier.name if found.carrier else "Network"
    names = (carrier, "PBX") if found.direction == "incoming" else ("PBX", "PBX called" if found.peer_profile else carrier)
    return ladder_of(wanted, Sight(View.WHOLE, View.WHOLE, *names, with_addresses=True))


urlpatterns: list[Any] = [
    path("calls/records", records, name="operator_call_records"),
    path("calls/records/<int:call_ref>", record, name="operator_call_record"),
    path("calls/records/<int:call_ref>/ladder.txt", record_text, name="operator_call_record_text"),
]
