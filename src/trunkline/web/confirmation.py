"""Saying again who one is, before something that a forgotten browser window must not do."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

CONFIRMED_SECONDS = 300
STAFF_SECONDS = 4 * 3600
IDLE_SECONDS = 15 * 60
NOTE_EVERY_SECONDS = 60
_SEEN = "staff_seen_at"


def confirm_identity(view: View) -> View:
    """Below `open_to`. For showing secrets and for money that leaves: the last five minutes must have seen a password, a code or a passkey.

    A form that is sent too late is not repeated after the confirmation: one comes back to its page.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if confirmed_within(request, CONFIRMED_SECONDS) else to_confirmation(request)

    return guarded  # type: ignore[return-value] # it takes and gives what the view does


def confirmed_within(request: HttpRequest, seconds: int) -> bool:
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[-1]["at"] < seconds


def is_idle(request: HttpRequest) -> bool:
    """Of the operator's people: for so long nothing was asked for, nor was it said again who one is."""
    return not confirmed_within(request, IDLE_SECONDS) and time.time() - request.session.get(_SEEN, 0) >= IDLE_SECONDS


def note_activity(request: HttpRequest) -> None:
    """A page that asks again by itself does not count; nor does looking around end a pause: a confirmation does."""
    now = time.time()
    if "HX-Request" not in request.headers and not is_idle(request) and now - request.session.get(_SEEN, 0) >= NOTE_EVERY_SECONDS:
        request.session[_SEEN] = now


def to_confirmation(request: HttpRequest) -> HttpResponseRedirect:
    """To the page that asks, and back from there."""
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")
