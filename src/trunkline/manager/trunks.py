"""Features, Trunks: the list of SIP Profiles."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.manager import scope
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now
from trunkline.web.company import CompanyRequest
from trunkline.web.navigation import FEATURES, menu


@open_to(Audience.LOOK)
@require_safe
def trunks(request: CompanyRequest) -> HttpResponse:
    """With 300 profiles it still is one list: people look for a name with the browser's own search."""
    at = engines_now()
    rows = [
        (profile, scope.standing(profile), scope.presence(profile, at), scope.in_use(profile)) for profile in scope.profiles_of(request)
    ]
    return render(request, "manager/trunks.html", {"rows": rows, "menu": menu(request, FEATURES), "menu_label": "Features"})


urlpatterns = [path("trunks", trunks, name="trunks")]
