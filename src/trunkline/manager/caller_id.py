"""What a profile shows to whom it calls (SPEC R8.1; guide 7.6), and the company's landlines."""

from __future__ import annotations

from typing import Any

from babel import Locale
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST
from phonenumbers import SUPPORTED_REGIONS

from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.store.models import CallerIdRule, Landline, Profile
from trunkline.usecases import caller_id as caller_ids, landlines, profiles
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.navigation import FEATURES, menu
from trunkline.web.templatetags.components import phone

Choices = list[tuple[str, list[tuple[str, str]]]]


class NumberForm(PageForm):
    caller_id = forms.ChoiceField(label="Number that is shown")

    def __init__(self, *args: object, choices: Choices, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["caller_id"].choices = choices  # type: ignore[attr-defined] # a choice field


class CountryForm(NumberForm):
    country = forms.ChoiceField(label="Calls to")
    field_order = ("country", "caller_id")

    def __init__(self, *args: object, choices: Choices, **kwargs: object) -> None:
        super().__init__(*args, choices=choices, **kwargs)
        names = Locale("en").territories
        known = sorted(((code, str(names.get(code, code))) for code in SUPPORTED_REGIONS), key=lambda one: one[1])
        self.fields["country"].choices = [("", "Choose a country"), *known]  # type: ignore[attr-defined] # a choice field


class LandlineForm(PageForm):
    number = forms.CharField(
        label="Landline number",
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text="As you dial it in your country, or like +12025550100.",
    )


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def caller_id(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """As it is; sending the form sets what a country is shown."""
    profile = scope.profile_of(request, profile_id)
    choices = choices_of(request, profile)
    form = CountryForm(request.POST or None, choices=choices)
    if request.method == "POST" and form.is_valid():
        form.act(caller_ids.set_country_caller_id, **acting(request), profile_id=profile.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, f"Calls to {dict(form.fields['country'].choices)[form.cleaned_data['country']]} show that number.")  # type: ignore[attr-defined]
            return redirect("caller_id", profile_id)
    page = {
        "form": form,
        "rules": CallerIdRule.objects.filter(profile=profile).order_by("country"),
        "waiting": Landline.objects.filter(wanted_by=profile, proof=Landline.Proof.WAITING).order_by("e164"),
        **_ways(request, choices),
    }
    return page_of(request, profile, "manager/caller_id/caller_id.html", page)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def change(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.6.2 and 7.6.3: one of the numbers that there are."""
    profile = scope.profile_of(request, profile_id)
    choices = choices_of(request, profile)
    form = NumberForm(request.POST or None, choices=choices, initial={"caller_id": profile.caller_id})
    if request.method == "POST" and form.is_valid():
        form.act(profiles.set_caller_id, **acting(request), profile_id=profile.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, f"Calls show {phone(form.cleaned_data['caller_id'])}.")
            return redirect("caller_id", profile_id)
    return page_of(request, profile, "manager/caller_id/change.html", {"form": form, **_ways(request, choices)})


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def use_landline(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.6.1: a new one is shown as soon as it is proven."""
    profile = scope.profile_of(request, profile_id)
    form = LandlineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        about = {**acting(request), "manager_id": request.company.pk, "profile_id": profile.pk}
        made = form.act(landlines.add_landline, **about, **form.cleaned_data)
        if made is not None:
            messages.success(
                request, f"{phone(made.e164)} waits for proof. {profile.name} shows it as soon as it is proven to be your company's."
            )
            return redirect("caller_id", profile_id)
    return page_of(request, profile, "manager/caller_id/landline.html", {"form": form, **_ways(request, [])})


@open_to(Audience.ADMINISTER)
@require_POST
def disable(request: CompanyRequest, profile_id: int) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    caller_ids.disable_caller_id(**acting(request), profile_id=profile.pk)
    messages.success(request, "Calls show no number now, whichever country they go to.")
    return redirect("caller_id", profile_id)


@open_to(Audience.ADMINISTER)
@require_POST
def remove_country(request: CompanyRequest, profile_id: int, country: str) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    caller_ids.set_country_caller_id(**acting(request), profile_id=profile.pk, country=country, caller_id="")
    messages.success(request, "Calls to that country show what all others do.")
    return redirect("caller_id", profile_id)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def stored_landlines(request: CompanyRequest) -> HttpResponse:
    """The list, with the proof of each; sending the form adds one."""
    form = LandlineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = form.act(landlines.add_landline, **acting(request), manager_id=request.company.pk, **form.cleaned_data)
        if made is not None:
            messages.success(request, f"{phone(made.e164)} waits for proof.")
            return redirect("landlines")
    rows = Landline.objects.filter(manager=request.company).select_related("wanted_by").order_by("e164")
    page = {"form": form, "rows": rows, "menu": menu(request, FEATURES), "menu_label": "Features", **_ways(request, [])}
    return render(request, "manager/caller_id/landlines.html", page)


@open_to(Audience.ADMINISTER)
@require_POST
def remove_landline(request: CompanyRequest, landline_id: int) -> HttpResponse:
    found = get_object_or_404(Landline, manager=request.company, pk=landline_id)
    landlines.remove_landline(**acting(request), manager_id=request.company.pk, landline_id=found.pk)
    messages.success(request, f"{phone(found.e164)} is gone, and shown no more.")
    return redirect("landlines")


def choices_of(request: CompanyRequest, profile: Profile) -> Choices:
    """What the profile may show, Online Numbers apart from landlines."""
    found = [("Online Numbers", caller_ids.numbers_to_show(profile)), ("Landlines", caller_ids.landlines_to_show(request.company))]
    return [(kind, [(e164, phone(e164)) for e164 in e164s]) for kind, e164s in found if e164s]


def _ways(request: CompanyRequest, choices: Choices) -> dict[str, Any]:
    return {"verified": request.company.verification == request.company.Verification.VERIFIED, "choices": choices}


urlpatterns = [
    path("trunks/<int:profile_id>/caller-id", caller_id, name="caller_id"),
    path("trunks/<int:profile_id>/caller-id/number", change, name="caller_id_change"),
    path("trunks/<int:profile_id>/caller-id/landline", use_landline, name="caller_id_landline"),
    path("trunks/<int:profile_id>/caller-id/disable", disable, name="caller_id_disable"),
    path("trunks/<int:profile_id>/caller-id/countries/<str:country>/remove", remove_country, name="caller_id_country_remove"),
    path("landlines", stored_landlines, name="landlines"),
    path("landlines/<int:landline_id>/remove", remove_landline, name="landline_remove"),
]
