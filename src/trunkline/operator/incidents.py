"""What customers are told on the public status page: disturbances and planned work (SPEC R12)."""

from __future__ import annotations

from datetime import UTC

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.operator.pages import form_page, operator_page
from trunkline.store.models import Incident, IncidentNote
from trunkline.usecases import incidents
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import PageForm
from trunkline.web.listing import newest_first
from trunkline.web.status import KEPT_SECONDS

STATES = [choice for choice in IncidentNote.State.choices if choice[0] != IncidentNote.State.PLANNED]
SHOWN_SOON = f"The status page shows it within {KEPT_SECONDS} seconds."


class TextForm(PageForm):
    text = forms.CharField(
        max_length=incidents.LONGEST_TEXT,
        label="What customers read",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What they notice, and what they can do. No names of carriers, no addresses.",
    )


class NewIncidentForm(TextForm):
    title = forms.CharField(max_length=incidents.LONGEST_TITLE)
    part = forms.ChoiceField(choices=Incident.Part.choices, label="Part of the service")
    begins_at = forms.DateTimeField(
        required=False,
        label="Begins (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: now. Later: planned work.",
    )
    field_order = ("title", "part", "begins_at", "text")


class NoteForm(TextForm):
    state = forms.ChoiceField(choices=STATES)
    field_order = ("state", "text")


@open_to(Audience.STAFF)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    return operator_page(request, "operator/incidents/list.html", {"listed": newest_first(request, Incident.objects.all())})


@open_to(Audience.OPERATOR)
def create(request: HttpRequest) -> HttpResponse:
    form = NewIncidentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        if given["begins_at"] is not None:
            given["begins_at"] = given["begins_at"].replace(tzinfo=UTC)
        ident = form.act(incidents.open_incident, **acting(request), **given)
        if ident is not None:
            messages.success(request, SHOWN_SOON)
            return redirect("operator_incident", ident)
    return form_page(request, form, "Tell of an incident", "Publish it", ("Incidents", reverse("operator_incidents")))


@open_to(Audience.STAFF, changes=Audience.OPERATOR)
def incident(request: HttpRequest, incident_id: int) -> HttpResponse:
    """A note that is sent is the next thing that customers read; one that says "over" closes the incident."""
    found = get_object_or_404(Incident, pk=incident_id)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.act(incidents.note_incident, **acting(request), incident_id=found.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, SHOWN_SOON)
            return redirect("operator_incident", found.pk)
    page = {"found": found, "form": form, "notes": found.notes.order_by("-pk")}
    return operator_page(request, "operator/incidents/incident.html", page)


urlpatterns = [
    path("incidents", listing, name="operator_incidents"),
    path("incidents/new", create, name="operator_incident_create"),
    path("incidents/<int:incident_id>", incident, name="operator_incident"),
]
