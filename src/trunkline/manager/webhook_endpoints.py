"""Where the company's own systems are told what happens: set up, changed, tried, given a new secret, taken away (issue 4, item 10)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from trunkline.manager.accounts.lists import people_page
from trunkline.manager.scope import instance
from trunkline.store.models import WebhookDelivery, WebhookEndpoint
from trunkline.usecases import webhook_endpoints as endpoints
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.confirmation import confirm_identity
from trunkline.web.forms import PageForm
from trunkline.web.listing import newest_first

EVENTS = (
    ("payment.succeeded", "Money has become the Manager's Credit"),
    ("payment.failed", "A payment came to nothing"),
    ("payment.action_needed", "A payment waits for the payer"),
    ("balance.low", "The Manager's Credit fell below the limit of its letters"),
    ("term.renewed", "Channels, minutes or a number run on for another term"),
    ("term.lapsed", "A renewal could not be paid"),
    ("call.ended", "A call has ended, connected or not"),
    ("registration.conflict", "A second device registered with the credentials of a SIP Profile"),
)


class WebhookForm(PageForm):
    url = forms.URLField(
        label="URL",
        max_length=endpoints.LONGEST_URL,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
        help_text="Of your system, reached from the Internet by https.",
    )
    events = forms.MultipleChoiceField(
        choices=EVENTS,
        label="What is it told?",
        widget=forms.CheckboxSelectMultiple,
        help_text="Ended calls say who called whom, and when. That is personal data: send it only where it is needed, and tell your people.",
    )


@open_to(Audience.ADMINISTER)
@require_safe
def webhooks(request: CompanyRequest) -> HttpResponse:
    mine = WebhookEndpoint.objects.filter(manager=request.company, deleted_at=None).order_by("pk")
    return _page(request, "list", {"webhooks": list(mine), "most": endpoints.MOST_ENDPOINTS})


@open_to(Audience.ADMINISTER)
@confirm_identity
@never_cache
def add(request: CompanyRequest) -> HttpResponse:
    """The answer to the form shows the secret, once."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := form.act(endpoints.create_endpoint, **_about(request), **_wanted(form))):
        return _secret(request, made, "It is set up. What happens from now on is sent there.")
    return _page(request, "form", {"form": form})


@open_to(Audience.ADMINISTER)
@require_safe
def webhook(request: CompanyRequest, endpoint_id: int) -> HttpResponse:
    """How it does: its state, and what was sent."""
    found = endpoints.endpoint_of(request.company.pk, endpoint_id)
    listed = newest_first(request, WebhookDelivery.objects.filter(endpoint=found))
    return _page(request, "webhook", {"webhook": found, "listed": listed, "events": [each for each in EVENTS if each[0] in found.events]})


@open_to(Audience.ADMINISTER)
def change(request: CompanyRequest, endpoint_id: int) -> HttpResponse:
    found = endpoints.endpoint_of(request.company.pk, endpoint_id)
    form = WebhookForm(request.POST or None, initial={"url": found.url, "events": found.events})
    if request.method == "POST" and form.is_valid():
        form.act(endpoints.change_endpoint, **_about(request), endpoint_id=endpoint_id, **_wanted(form))
        if not form.errors:
            messages.success(request, "The webhook is changed.")
            return redirect("webhook", endpoint_id)
    return _page(request, "form", {"form": form, "webhook": found})


@open_to(Audience.ADMINISTER)
@require_POST
def switch(request: CompanyRequest, endpoint_id: int) -> HttpResponse:
    """On or off."""
    enabled = request.POST.get("enabled") == "yes"
    endpoints.change_endpoint(**_about(request), endpoint_id=endpoint_id, enabled=enabled, is_test=instance().test_clock)
    messages.success(
        request, "It is enabled: what waits is sent now." if enabled else "It is disabled: nothing is sent until you enable it."
    )
    return redirect("webhook", endpoint_id)


@open_to(Audience.ADMINISTER)
@require_POST
def try_it(request: CompanyRequest, endpoint_id: int) -> HttpResponse:
    delivery_id = endpoints.send_test(**_about(request), endpoint_id=endpoint_id)
    messages.success(request, "A test event is on its way. This page says what was answered.")
    return redirect("webhook_delivery", delivery_id)


@open_to(Audience.ADMINISTER)
@confirm_identity
@never_cache
def new_secret(request: CompanyRequest, endpoint_id: int) -> HttpResponse:
    """What happens first; the answer to the form shows the new one, once."""
    found = endpoints.endpoint_of(request.company.pk, endpoint_id)
    if request.method == "POST":
        made = endpoints.rotate_secret(**_about(request), endpoint_id=endpoint_id)
        return _secret(request, made, "For 24 hours each delivery is signed with this secret and with the one before.")
    return _page(request, "new_secret", {"webhook": found})


@open_to(Audience.ADMINISTER)
def delete(request: CompanyRequest, endpoint_id: int) -> HttpResponse:
    """What happens first, then the button."""
    found = endpoints.endpoint_of(request.company.pk, endpoint_id)
    if request.method == "POST":
        endpoints.delete_endpoint(**_about(request), endpoint_id=endpoint_id)
        messages.success(request, "The webhook is deleted: nothing more is sent there.")
        return redirect("webhooks")
    waiting = WebhookDelivery.objects.filter(endpoint=found, delivered_at=None, given_up_at=None).count()
    return _page(request, "delete", {"webhook": found, "waiting": waiting})


def _page(request: CompanyRequest, name: str, page: dict[str, Any]) -> HttpResponse:
    return people_page(request, f"manager/webhooks/{name}.html", page)


def _secret(request: CompanyRequest, made: endpoints.EndpointMade, text: str) -> HttpResponse:
    found = endpoints.endpoint_of(request.company.pk, made.endpoint_id)
    return _page(request, "secret", {"webhook": found, "secret": made.secret, "text": text})


def _about(request: CompanyRequest) -> dict[str, Any]:
    return {**acting(request), "manager_id": request.company.pk}


def _wanted(form: WebhookForm) -> dict[str, Any]:
    return {**form.cleaned_data, "is_test": instance().test_clock}


urlpatterns = [
    path("members/webhooks", webhooks, name="webhooks"),
    path("members/webhooks/add", add, name="webhook_add"),
    path("members/webhooks/<int:endpoint_id>", webhook, name="webhook"),
    path("members/webhooks/<int:endpoint_id>/change", change, name="webhook_change"),
    path("members/webhooks/<int:endpoint_id>/switch", switch, name="webhook_switch"),
    path("members/webhooks/<int:endpoint_id>/test", try_it, name="webhook_test"),
    path("members/webhooks/<int:endpoint_id>/secret", new_secret, name="webhook_secret"),
    path("members/webhooks/<int:endpoint_id>/delete", delete, name="webhook_delete"),
]
