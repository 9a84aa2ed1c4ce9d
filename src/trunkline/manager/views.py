"""The pages so far: what this is, and whether it is well."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trunkline.manager.access import Audience, open_to
from trunkline.store.models import Manager


@open_to(Audience.ANYONE)
@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    return render(request, "manager/welcome.html")


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
