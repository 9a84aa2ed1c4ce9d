"""Hints of fraud: SIP Profiles that behave as stolen credentials do. Hints for people, nothing happens by itself (SPEC R12)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.operator.pages import operator_page
from trunkline.store.flags import LOOK_EVERY, last_look
from trunkline.web.access import Audience, open_to


@open_to(Audience.STAFF)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What the clock found when it last looked."""
    return operator_page(request, "operator/flags.html", {"look": last_look(), "every_minutes": int(LOOK_EVERY.total_seconds() // 60)})


urlpatterns = [path("flags", listing, name="operator_flags")]
