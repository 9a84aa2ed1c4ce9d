"""The first look at call records: what they are is said before any is shown, and that it was said is kept (SPEC R9.2)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from trunkline.usecases import call_records
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest


def notice_first(request: CompanyRequest, *, then: str = "") -> HttpResponse | None:
    """Whoever may see call records reads what they are first; None: has read it, or sees none. Asked when it is known that there is something.

    `then`: the page that follows, when what was asked for is no page.
    """
    membership = request.membership
    if membership.role not in Audience.RECORDS.roles or membership.records_acknowledged_at is not None:
        return None
    return redirect(f"{reverse('reports_acknowledge')}?{urlencode({'next': then or request.get_full_path()})}")


@open_to(Audience.RECORDS)
def acknowledge(request: CompanyRequest) -> HttpResponse:
    wanted = request.POST.get("next", request.GET.get("next", ""))
    further = wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else reverse("reports")
    if request.method == "POST":
        call_records.acknowledge_records(**acting(request), membership_id=request.membership.pk)
        return redirect(further)
    return render(request, "manager/reports/acknowledge.html", {"next": further})


urlpatterns = [path("reports/acknowledge", acknowledge, name="reports_acknowledge")]
