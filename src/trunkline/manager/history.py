"""What was changed in a company: who, when, from where, before and after (SPEC R1.2)."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.store.models import AuditEntry
from trunkline.web.access import Audience, open_to
from trunkline.web.company import CompanyRequest

ON_A_PAGE = 50


@open_to(Audience.LOOK)
@require_safe
def history(request: CompanyRequest) -> HttpResponse:
    """Newest first; `before` is the last id of the page before."""
    entries = AuditEntry.objects.filter(manager=request.company).order_by("-id")
    if actor := request.GET.get("actor", "")[:80]:
        entries = entries.filter(actor=actor)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        entries = entries.filter(pk__lt=int(before))
    page = list(entries[: ON_A_PAGE + 1])
    older = page[ON_A_PAGE - 1].pk if len(page) > ON_A_PAGE else None
    return render(request, "manager/history.html", {"entries": page[:ON_A_PAGE], "older": older, "actor": actor, "is_first": not before})


urlpatterns = [path("history", history, name="history")]
