"""One event on its way to a webhook: the body as it is sent, what was answered, when it is tried next, and sending it again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from trunkline.manager.accounts.lists import people_page
from trunkline.manager.reports.privacy import notice_first
from trunkline.store.models import WebhookDelivery
from trunkline.usecases import webhook_endpoints as endpoints
from trunkline.usecases.webhooks import WAITS
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest

OF_CALLS = "call.ended"


@open_to(Audience.ADMINISTER)
@require_safe
def delivery(request: CompanyRequest, delivery_id: int) -> HttpResponse:
    """Who called whom is shown after the notice about it only (SPEC R9.2)."""
    found = _shown(request, delivery_id)
    if found.kind == OF_CALLS and (notice := notice_first(request)):
        return notice
    return people_page(request, "manager/webhooks/delivery.html", _page(request, found))


@open_to(Audience.ADMINISTER)
@require_safe
def live(request: CompanyRequest, delivery_id: int) -> HttpResponse:
    """Its state, for the page to ask again. Nothing of its body."""
    return render(request, "manager/webhooks/parts/state.html", _page(request, _shown(request, delivery_id)))


@open_to(Audience.ADMINISTER)
@require_POST
def again(request: CompanyRequest, delivery_id: int) -> HttpResponse:
    endpoints.replay(**acting(request), manager_id=request.company.pk, delivery_id=delivery_id)
    messages.success(request, "It is sent again, with the same id.")
    return redirect("webhook_delivery", delivery_id)


def _shown(request: CompanyRequest, delivery_id: int) -> WebhookDelivery:
    return endpoints.delivery_of(request.company.pk, delivery_id)


def _page(request: CompanyRequest, found: WebhookDelivery) -> dict[str, object]:
    waits = found.delivered_at is None and found.given_up_at is None and found.endpoint.disabled_at is None
    return {"delivery": found, "webhook": found.endpoint, "waits": waits, "most_tries": len(WAITS) + 1}


urlpatterns = [
    path("members/webhooks/deliveries/<int:delivery_id>", delivery, name="webhook_delivery"),
    path("members/webhooks/deliveries/<int:delivery_id>/state", live, name="webhook_delivery_live"),
    path("members/webhooks/deliveries/<int:delivery_id>/again", again, name="webhook_delivery_again"),
]
