"""Credit of a profile, for its outgoing calls: added from the Manager's, taken back (guide 7.2, SPEC R4.1)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from trunkline.domain.errors import Invalid
from trunkline.domain.money import for_people, parse_micros
from trunkline.manager import recharge, scope
from trunkline.manager.profile import page_of
from trunkline.store import ledger
from trunkline.store.models import Profile
from trunkline.usecases import credit
from trunkline.usecases.credit import MovePreview
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import AmountField, PageForm


class MoveForm(PageForm):
    """`reference`: sent twice, it is moved once."""

    amount = AmountField(label="Amount")
    reference = forms.CharField(max_length=40, widget=forms.HiddenInput, initial=lambda: uuid4().hex)


class TakeBackForm(MoveForm):
    amount = AmountField(label="Amount", required=False, help_text="Leave it empty to take back everything that calls don't hold.")


@open_to(Audience.LOOK, changes=Audience.PAY)
def add(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.2.1, the first tab."""
    profile = scope.profile_of(request, profile_id)
    form = MoveForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        amount = form.cleaned_data["amount"]
        given = {"profile_id": profile.pk, "amount_micros": amount, "reference": form.cleaned_data["reference"]}
        if moved := form.act(credit.allocate_credit, **acting(request), **given):
            messages.success(
                request, f"Added. {profile.name} has {for_people(moved.balance_micros, request.company.currency)} of Credit now."
            )
            return redirect("profile_credit", profile_id)
    shown = {"form": form, "tab": "add", "after": _after(request, profile, credit.preview_allocation), **_purses(request, profile)}
    return page_of(request, profile, "manager/profile_credit/add.html", shown)


@open_to(Audience.LOOK, changes=Audience.PAY)
def take_back(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.2.2: asked first, then it returns to the Manager."""
    profile = scope.profile_of(request, profile_id)
    form = TakeBackForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        amount = form.cleaned_data["amount"]
        which = {"profile_id": profile.pk, "reference": form.cleaned_data["reference"]}
        if amount is None:
            moved = form.act(credit.take_back_everything, **acting(request), **which)
        else:
            moved = form.act(credit.take_back_credit, **acting(request), **which, amount_micros=amount)
        if moved:
            messages.success(
                request, f"Taken back. The Manager has {for_people(moved.balance_micros, request.company.currency)} of Credit now."
            )
            return redirect("profile_credit", profile_id)
    shown = {"form": form, "tab": "add", "after": _after(request, profile, credit.preview_take_back), **_purses(request, profile)}
    return page_of(request, profile, "manager/profile_credit/take_back.html", shown)


@open_to(Audience.LOOK, changes=Audience.PAY)
def settings(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.2.1, the second tab: Auto-recharge."""
    profile = scope.profile_of(request, profile_id)
    answer = recharge.settings(request, {"profile_id": profile.pk}, "profile_recharge", profile_id)
    if isinstance(answer, HttpResponse):
        return answer
    return page_of(request, profile, "manager/profile_credit/recharge.html", {"tab": "recharge", **answer, **_purses(request, profile)})


def _after(request: CompanyRequest, profile: Profile, preview: Callable[..., MovePreview]) -> MovePreview | None:
    """While an amount is typed: what both would have. None: it is no amount yet; sending it says why."""
    try:
        return preview(profile_id=profile.pk, amount_micros=parse_micros(request.GET.get("amount", "")))
    except Invalid:
        return None


def _purses(request: CompanyRequest, profile: Profile) -> dict[str, int]:
    return {"manager_free_micros": ledger.free(request.company.account), "profile_free_micros": ledger.free(profile.account)}


urlpatterns = [
    path("trunks/<int:profile_id>/credit", add, name="profile_credit"),
    path("trunks/<int:profile_id>/credit/take-back", take_back, name="profile_credit_back"),
    path("trunks/<int:profile_id>/credit/recharge", settings, name="profile_recharge"),
]
