"""Companies: the list, and one of them."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.operator.pages import operator_page
from trunkline.store import ledger
from trunkline.store.models import AuditEntry, Manager, Profile
from trunkline.usecases import managers, profiles
from trunkline.usecases.evidence import KEPT, LONGEST
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import PageForm

ON_A_PAGE = 100
ENTRIES = 20


@open_to(Audience.STAFF)
@require_safe
def companies(request: HttpRequest) -> HttpResponse:
    """By name; the search looks into name and administrator account."""
    wanted = request.GET.get("q", "").strip()[:80]
    known = Manager.objects.select_related("account").annotate(
        profile_count=Count("profiles", filter=~Q(profiles__state=Profile.State.DELETED))
    )
    if wanted:
        known = known.filter(Q(company_name__icontains=wanted) | Q(admin_account__icontains=wanted))
    rows = list(known.order_by("company_name", "country")[: ON_A_PAGE + 1])
    return operator_page(request, "operator/companies.html", {"rows": rows[:ON_A_PAGE], "more": len(rows) > ON_A_PAGE, "wanted": wanted})


@open_to(Audience.STAFF)
@require_safe
def company(request: HttpRequest, manager_id: int) -> HttpResponse:
    found = get_object_or_404(Manager.objects.select_related("account", "price_list"), pk=manager_id)
    page = {
        "found": found,
        "free_micros": ledger.free(found.account),
        "others": Manager.objects.filter(company_name=found.company_name).exclude(pk=found.pk).order_by("country"),
        "profiles": found.profiles.exclude(state=Profile.State.DELETED).select_related("account", "channeluse").order_by("name"),
        "evidence": _evidence(found),
        "people": found.memberships.select_related("person").order_by("person__account"),
        "entries": AuditEntry.objects.filter(manager=found).order_by("-id")[:ENTRIES],
    }
    return operator_page(request, "operator/company.html", page)


def _evidence(found: Manager) -> QuerySet[AuditEntry]:
    """Of suspensions, its SIP Profiles' too: what the company does not see."""
    targets = [f"manager {found.pk}", *(f"profile {ident}" for ident in found.profiles.values_list("pk", flat=True))]
    return AuditEntry.objects.filter(action=KEPT, target__in=targets).order_by("-id")[:ENTRIES]


class SuspendForm(PageForm):
    reason = forms.CharField(max_length=200, help_text="The company reads it, and it stays in the log.")
    evidence = forms.CharField(
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was found: calls, letters, a ticket. It stays in the log, and only we read it.",
    )


@open_to(Audience.OPERATOR)
def suspend(request: HttpRequest, manager_id: int) -> HttpResponse:
    """Outgoing calls stop; incoming calls go on (SPEC R12)."""
    found = get_object_or_404(Manager, pk=manager_id)
    form = SuspendForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.act(managers.suspend_manager, **acting(request), manager_id=found.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, f"{found.company_name} can't make calls now.")
            return redirect("operator_company", manager_id)
    return operator_page(request, "operator/suspend.html", {"found": found, "form": form})


@open_to(Audience.OPERATOR)
def profile_state(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Suspends one SIP Profile, with a reason, or resumes it; what that means is shown first."""
    found = get_object_or_404(Profile.objects.select_related("manager").exclude(state=Profile.State.DELETED), pk=profile_id)
    suspended = found.state == Profile.State.SUSPENDED
    form = (PageForm if suspended else SuspendForm)(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        change = profiles.resume_profile if suspended else profiles.suspend_profile
        form.act(change, **acting(request), profile_id=found.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, f"{found.name} can {'make calls again' if suspended else 'not make calls now'}.")
            return redirect("operator_company", found.manager_id)
    return operator_page(request, "operator/profile_state.html", {"found": found, "form": form, "suspended": suspended})


@open_to(Audience.OPERATOR)
def resume(request: HttpRequest, manager_id: int) -> HttpResponse:
    found = get_object_or_404(Manager, pk=manager_id)
    if request.method == "POST":
        managers.resume_manager(**acting(request), manager_id=found.pk)
        messages.success(request, f"{found.company_name} can make calls again.")
    return redirect("operator_company", manager_id)


urlpatterns = [
    path("", companies, name="operator_companies"),
    path("companies/<int:manager_id>", company, name="operator_company"),
    path("companies/<int:manager_id>/suspend", suspend, name="operator_company_suspend"),
    path("profiles/<int:profile_id>/state", profile_state, name="operator_profile_state"),
    path("companies/<int:manager_id>/resume", resume, name="operator_company_resume"),
]
