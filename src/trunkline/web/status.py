"""The public status page and its JSON. Whoever looks after a disturbance begins is not alone: one look is kept for everybody for some seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from trunkline.store.models import Incident
from trunkline.usecases.service_status import Service, State, Told, look
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now

KEPT_SECONDS = 10
WORDS = {State.WORKS: ("Works", "good"), State.DISTURBED: ("Disturbed", "warn"), State.DOWN: ("Down", "bad")}
PARTS = dict(Incident.Part.choices)


class Kept:
    """The last look. While one thread looks again, all others get the old one."""

    def __init__(self, look_again: Callable[[], Service]) -> None:
        self._look_again = look_again
        self._looking = threading.Lock()
        self._found: Service | None = None
        self._good_until_seconds = 0.0

    def get(self) -> Service:
        found = self._found
        if found is not None and (time.monotonic() < self._good_until_seconds or self._looking.locked()):
            return found
        with self._looking:
            if self._found is None or time.monotonic() >= self._good_until_seconds:
                self._found = self._look_again()
                self._good_until_seconds = time.monotonic() + KEPT_SECONDS
            return self._found

    def forget(self) -> None:
        self._good_until_seconds = 0.0


kept = Kept(lambda: look(settings.INSTANCE, engines_now=engines_now()))


@open_to(Audience.ANYONE)
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """The same for everybody but for light and dark: no session is read."""
    found = kept.get()
    page = {
        "found": found,
        "parts": [(part, *WORDS[part.state]) for part in found.parts],
        "works": found.state is State.WORKS,
        "open_incidents": [(one, PARTS[one.part], one.begins_at > found.at) for one in found.open],
        "past_incidents": [(one, PARTS[one.part]) for one in found.past],
    }
    answer = render(request, "web/status.html", page)
    patch_vary_headers(answer, ["Cookie"])
    return _for_a_while(answer)


@open_to(Audience.ANYONE)
@require_safe
def status_json(request: HttpRequest) -> HttpResponse:
    found = kept.get()
    parts = [{"name": part.name, "state": part.state, "text": part.text} for part in found.parts]
    answer = JsonResponse({"state": found.state, "at": found.at, "parts": parts, "incidents": [_as_json(one) for one in found.incidents]})
    return _for_a_while(answer)


def _as_json(one: Told) -> dict[str, Any]:
    notes = [{"at": note.at, "state": note.state, "text": note.text} for note in one.notes]
    return {"title": one.title, "part": one.part, "begins_at": one.begins_at, "ends_at": one.ends_at, "notes": notes}


def _for_a_while(answer: HttpResponse) -> HttpResponse:
    patch_cache_control(answer, max_age=KEPT_SECONDS)
    return answer


urlpatterns = [path("status", status, name="status"), path("status.json", status_json, name="status_json")]
