"""Who may use a route. Every view says so with `@open_to`; a structural test finds the one that does not.

Signed out: to sign-in. In a company, but in a lesser role: 403. Not in the company, or not of the operator: 404, as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRefresh

from trunkline.store.models import Person, Role
from trunkline.web.company import enter_company, remain_in_company
from trunkline.web.confirmation import STAFF_SECONDS, confirmed_within, is_idle, note_activity, to_confirmation

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
LOOKS = ("GET", "HEAD", "OPTIONS")


class Audience(Enum):
    """`roles` are those of a company, or of the operator's staff."""

    ANYONE = "anyone, signed in or not", ()
    SIGNED_IN = "anyone who is signed in", ()
    LOOK = "a company's people who may look around", (Role.ADMINISTRATOR, Role.BILLING, Role.READ_ONLY)
    REPORTS = "all of a company's people", (Role.ADMINISTRATOR, Role.BILLING, Role.READ_ONLY, Role.REPORTS)
    RECORDS = "a company's people who may see who called whom", (Role.ADMINISTRATOR, Role.BILLING, Role.REPORTS)
    PAY = "a company's people who may spend its Credit", (Role.ADMINISTRATOR, Role.BILLING)
    ADMINISTER = "a company's administrators", (Role.ADMINISTRATOR,)
    STAFF = "the operator's people", (Person.Staff.SUPPORT, Person.Staff.OPERATOR)
    OPERATOR = "the operator's people who may change things", (Person.Staff.OPERATOR,)

    def __init__(self, text: str, roles: tuple[str, ...]) -> None:
        self.text = text
        self.roles = roles

    @property
    def of_company(self) -> bool:
        return bool(self.roles) and not self.of_staff

    @property
    def of_staff(self) -> bool:
        return self in (Audience.STAFF, Audience.OPERATOR)


def open_to(audience: Audience, *, changes: Audience | None = None) -> Callable[[View], View]:
    """`changes`: who may do more than look (POST), when that is fewer than those who may look."""

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            wanted = audience if changes is None or request.method in LOOKS else changes
            return _turned_away(request, wanted) or view(request, *args, **kwargs)

        guarded.audience = audience  # type: ignore[attr-defined] # a function may carry what is said about it
        guarded.changes = changes or audience  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value] # it takes and gives what the view does

    return mark


def _turned_away(request: HttpRequest, audience: Audience) -> HttpResponse | None:
    """None: come in. A company's request has `company` and `membership` from here on."""
    if audience is Audience.ANYONE:
        return None
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    if audience is Audience.SIGNED_IN:
        remain_in_company(request)
    if audience.of_staff:
        return _check_staff(request, request.user, audience)
    if audience.of_company:
        if elsewhere := enter_company(request):
            return elsewhere
        if request.membership.role not in audience.roles:  # type: ignore[attr-defined] # set by enter_company
            raise PermissionDenied(f"This page is for {audience.text}.")
    return None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """When only a part of a page was asked for, the whole of it is loaded again, and sent there: sign-in is no part of a page."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRefresh()
    return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")


def _check_staff(request: HttpRequest, person: Person, audience: Audience) -> HttpResponse | None:
    """The operator's own session is short: after a while, and before a change after a pause, one says again who one is."""
    if not person.is_staff:
        raise Http404
    if not confirmed_within(request, STAFF_SECONDS) or (is_idle(request) and request.method not in LOOKS):
        return to_confirmation(request)
    if person.staff not in audience.roles:
        raise PermissionDenied(f"This page is for {audience.text}.")
    note_activity(request)
    return None
