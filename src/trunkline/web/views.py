"""The way in, whether the process is well, and light or dark."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from trunkline.store.models import Manager, Role
from trunkline.web.access import Audience, open_to
from trunkline.web.company import memberships_of
from trunkline.web.frame import THEMES

THEME_SECONDS = 365 * 86400


@open_to(Audience.ANYONE)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Visitors see what this is; a company's people their overview, the operator's theirs."""
    if not request.user.is_authenticated:
        return render(request, "web/welcome.html")
    if request.user.is_staff and not memberships_of(request):
        return redirect("operator_companies")
    roles = {one.role for one in memberships_of(request)}
    return redirect("reports" if roles == {Role.REPORTS} else "overview")


@open_to(Audience.ANYONE)
@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 when the store answers and its tables are there. Says nothing else: anybody can ask."""
    try:
        Manager.objects.exists()
    except DatabaseError:
        connection.close()
        return JsonResponse({"ok": False, "store": "does not answer"}, status=503)
    return JsonResponse({"ok": True, "store": "answers"})


@open_to(Audience.ANYONE)
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    answer = HttpResponseRedirect(back if safe else "/")
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=THEME_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure())
    return answer
