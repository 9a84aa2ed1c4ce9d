"""The help pages: anybody may read them, signed in or not. Links in them lead into the Manager."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.domain.refusals import REFUSALS
from trunkline.manager.help.glossary import TERMS
from trunkline.manager.help.refusals import BY_CODE, ON_ASTERISK
from trunkline.manager.help.search import LONGEST_QUERY, search
from trunkline.manager.help.topics import BY_SLUG, TOPICS
from trunkline.web.access import Audience, open_to
from trunkline.web.company import remain_in_company
from trunkline.web.navigation import Entry

PLACES = (
    ("Guide", "help", ("help", "help_topic")),
    ("Refusals", "help_refusals", ("help_refusals", "help_refusal")),
    ("Words", "help_glossary", ("help_glossary",)),
)


@open_to(Audience.ANYONE)
@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """All guides, or with `q` what was found."""
    wanted = request.GET.get("q", "").strip()[:LONGEST_QUERY]
    return _page(request, "index.html", {"topics": TOPICS, "wanted": wanted, "found": search(wanted) if wanted else []})


@open_to(Audience.ANYONE)
@require_safe
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    if slug not in BY_SLUG:
        raise Http404
    return _page(request, "topic.html", {"topic": BY_SLUG[slug]})


@open_to(Audience.ANYONE)
@require_safe
def refusal_list(request: HttpRequest) -> HttpResponse:
    return _page(request, "refusals.html", {"refusals": REFUSALS.values()})


@open_to(Audience.ANYONE)
@require_safe
def refusal(request: HttpRequest, code: str) -> HttpResponse:
    found = BY_CODE.get(code.upper())
    if found is None:
        raise Http404
    return _page(
        request, "refusal.html", {"refusal": found, "text": f"manager/help/refusals/{found.name}.html", "shown": ON_ASTERISK[found.status]}
    )


@open_to(Audience.ANYONE)
@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    return _page(request, "glossary.html", {"terms": TERMS})


def _page(request: HttpRequest, template: str, page: dict[str, Any]) -> HttpResponse:
    """Whoever is signed in keeps the frame of the company they come from."""
    if request.user.is_authenticated:
        remain_in_company(request)
    here = request.resolver_match.view_name if request.resolver_match else ""
    menu = [Entry(text, reverse(route), here in within) for text, route, within in PLACES]
    return render(request, f"manager/help/{template}", {"menu": menu, "menu_label": "Help", "help_url": reverse("help")} | page)


urlpatterns = [
    path("help", guide, name="help"),
    path("help/glossary", glossary, name="help_glossary"),
    path("help/refusals", refusal_list, name="help_refusals"),
    path("help/refusals/<slug:code>", refusal, name="help_refusal"),
    path("help/<slug:slug>", topic, name="help_topic"),
]
