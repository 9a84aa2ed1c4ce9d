"""The log of the whole service: who changed what, when and from where (SPEC R12)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.operator.pages import operator_page
from trunkline.store.models import AuditEntry
from trunkline.web.access import Audience, open_to
from trunkline.web.listing import newest_first


@open_to(Audience.STAFF)
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Newest first; `actor`: of one account, or process."""
    actor = request.GET.get("actor", "").strip()[:80]
    known = AuditEntry.objects.select_related("manager")
    listed = newest_first(request, known.filter(actor__iexact=actor) if actor else known)
    return operator_page(request, "operator/log.html", {"listed": listed, "actor": actor})


urlpatterns = [path("log", log, name="operator_log")]
