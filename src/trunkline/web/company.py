"""Which company a request is about: the one in its path (`/c/17/trunks`), so that two tabs can be in two companies.

The prefix is taken off before routes are looked at, and `reverse` puts it on again (it becomes the script name). Who is in one company
only needs no prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import get_script_prefix, reverse, set_script_prefix

from trunkline.store.models import Manager, Membership, Person

_IN_PATH = re.compile(r"(?P<prefix>/c/(?P<ident>[0-9]{1,18}))(?P<rest>/.*)")
LAST_COMPANY = "company_id"


class CompanyRequest(HttpRequest):
    """What a view that is open to a company's people gets."""

    user: Person
    company: Manager
    membership: Membership
    memberships: list[Membership]


class CompanyInPath:
    """Middleware, before everything that makes or reads a URL."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = _IN_PATH.fullmatch(request.path_info)
        request.company_id = int(found["ident"]) if found else None  # type: ignore[attr-defined] # ours
        if found is None:
            return self.get_response(request)
        before = get_script_prefix()
        request.path_info = found["rest"]
        set_script_prefix(f"{before.rstrip('/')}{found['prefix']}/")
        try:
            return self.get_response(request)
        finally:
            set_script_prefix(before)


def enter_company(request: HttpRequest) -> HttpResponse | None:
    """Sets `company`, `membership` and `memberships`, or says where to go instead."""
    memberships = memberships_of(request)
    wanted: int | None = request.company_id  # type: ignore[attr-defined] # set above
    if not memberships:
        return HttpResponseRedirect(reverse("no_company"))
    if wanted is None and len(memberships) > 1:
        return _to_the_last(request, memberships)
    here = memberships[0] if wanted is None else next((one for one in memberships if one.manager_id == wanted), None)
    if here is None:
        raise Http404
    request.membership, request.company = here, here.manager  # type: ignore[attr-defined] # CompanyRequest
    if len(memberships) > 1 and request.session.get(LAST_COMPANY) != here.manager_id:
        request.session[LAST_COMPANY] = here.manager_id
    return None


def remain_in_company(request: HttpRequest) -> None:
    """For pages about the person: the frame stays that of the company one comes from."""
    memberships = memberships_of(request)
    wanted: int | None = request.company_id or request.session.get(LAST_COMPANY)  # type: ignore[attr-defined] # set by CompanyInPath
    here = next((one for one in memberships if one.manager_id == wanted), memberships[0] if len(memberships) == 1 else None)
    if here is not None:
        request.membership, request.company = here, here.manager  # type: ignore[attr-defined] # CompanyRequest


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Of the signed-in person; asked once a request."""
    known: list[Membership] | None = getattr(request, "memberships", None)
    if known is None:
        mine = Membership.objects.filter(person_id=request.user.pk or 0).select_related("manager__account", "manager__price_list")
        known = list(mine.order_by("manager__company_name", "manager__country"))
        request.memberships = known  # type: ignore[attr-defined] # CompanyRequest
    return known


def company_path(manager_id: int, path: str = "/") -> str:
    return f"/c/{manager_id}{path}"


def _to_the_last(request: HttpRequest, memberships: list[Membership]) -> HttpResponse:
    """Only to look: what is sent must say which company it is for."""
    if request.method not in ("GET", "HEAD"):
        raise Http404
    idents = [one.manager_id for one in memberships]
    last = request.session.get(LAST_COMPANY)
    return HttpResponseRedirect(company_path(last if last in idents else idents[0], request.get_full_path()))
