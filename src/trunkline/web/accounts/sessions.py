"""Where a person is signed in, and signing out there (SPEC R1.2)."""

from __future__ import annotations

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from trunkline.usecases import people
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting


@open_to(Audience.SIGNED_IN)
def sessions(request: HttpRequest) -> HttpResponse:
    """Newest first; sending the form ends all others."""
    known = sorted(UserSession.objects.purge_and_list(request.user), key=lambda session: session.created_at, reverse=True)
    if request.method == "POST":
        _end(request, [session for session in known if not session.is_current()])
        messages.success(request, "All other sessions have ended.")
        return redirect("usersessions_list")
    return render(request, "usersessions/usersession_list.html", {"sessions": known})


@open_to(Audience.SIGNED_IN)
@require_POST
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Signs out there. From here one goes by the ordinary way."""
    found = UserSession.objects.filter(user_id=request.user.pk, pk=session_id).first()
    if found is None or found.is_current():
        raise Http404
    _end(request, [found])
    messages.success(request, "That session has ended.")
    return redirect("usersessions_list")


def _end(request: HttpRequest, ended: list[UserSession]) -> None:
    get_adapter().end_sessions(ended)
    if ended:
        people.note_event(**acting(request), person_id=request.user.pk or 0, action="person.end_sessions")
