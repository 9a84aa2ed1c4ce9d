"""Guides to the console's pages: short, for the operator's own people, behind the "?" of each page."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.operator.guides import BY_SLUG, GUIDES
from trunkline.operator.pages import operator_page
from trunkline.web.access import Audience, open_to


@open_to(Audience.STAFF)
@require_safe
def guides(request: HttpRequest) -> HttpResponse:
    return operator_page(request, "operator/guides.html", {"guides": GUIDES})


@open_to(Audience.STAFF)
@require_safe
def guide(request: HttpRequest, guide_slug: str) -> HttpResponse:
    if guide_slug not in BY_SLUG:
        raise Http404
    return operator_page(request, "operator/guide.html", {"guide": BY_SLUG[guide_slug]})


urlpatterns = [
    path("help", guides, name="operator_guides"),
    path("help/<slug:guide_slug>", guide, name="operator_guide"),
]
