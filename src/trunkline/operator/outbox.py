"""Mail to companies as the outbox has it: sent, waiting, given up (SPEC R3.6, R4.3)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.operator.pages import operator_page
from trunkline.store import outbox
from trunkline.store.models import Mail
from trunkline.web.access import Audience, open_to
from trunkline.web.listing import newest_first


@open_to(Audience.STAFF)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """`only=given_up`: those that somebody ought to look at."""
    only = request.GET.get("only", "")
    known = outbox.given_up() if only == "given_up" else Mail.objects.all()
    return operator_page(
        request, "operator/outbox/list.html", {"listed": newest_first(request, known.select_related("manager")), "only": only}
    )


@open_to(Audience.STAFF)
@require_safe
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    found = get_object_or_404(Mail.objects.select_related("manager"), pk=mail_id)
    return operator_page(request, "operator/outbox/mail.html", {"found": found})


urlpatterns = [
    path("outbox", listing, name="operator_outbox"),
    path("outbox/<int:mail_id>", mail, name="operator_outbox_mail"),
]
