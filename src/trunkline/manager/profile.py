"""A SIP Profile's page: the guide's rows, live state, and its name (SPEC R2.2, R2.7; guide 7.7)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.manager import scope
from trunkline.store.models import Profile, Term
from trunkline.usecases import profiles
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, engines_now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.navigation import PROFILE, menu


@open_to(Audience.LOOK)
@require_safe
def profile_page(request: CompanyRequest, profile_id: int) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    terms = scope.open_terms(profile)
    page = {
        "channel_term": next((term for term in terms if term.kind == Term.Kind.CHANNELS), None),
        "bundles": [term for term in terms if term.kind == Term.Kind.BUNDLE],
        "numbers": list(profile.numbers.order_by("e164")),
        "accounts": list(profile.business_accounts.prefetch_related("numbers").order_by("name")),
        "caller_id_rules": profile.caller_id_rules.count(),
        **live_state(profile),
    }
    return page_of(request, profile, "manager/profile.html", page)


@open_to(Audience.LOOK)
@require_safe
def live(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """The part of the page that is asked for again every five seconds."""
    profile = scope.profile_of(request, profile_id)
    return render(request, "manager/parts/live.html", {"profile": profile, **live_state(profile)})


class NameForm(PageForm):
    name = forms.CharField(label="Profile name", max_length=80, help_text="Only your own people see it.")


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def rename(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.7."""
    profile = scope.profile_of(request, profile_id)
    form = NameForm(request.POST or None, initial={"name": profile.name})
    if request.method == "POST" and form.is_valid():
        form.act(profiles.rename_profile, **acting(request), profile_id=profile.pk, name=form.cleaned_data["name"])
        if not form.errors:
            messages.success(request, f"The profile is called {form.cleaned_data['name']} now.")
            return redirect("profile", profile_id)
    return page_of(request, profile, "manager/rename.html", {"form": form})


def page_of(request: CompanyRequest, profile: Profile, template: str, page: dict[str, Any]) -> HttpResponse:
    """Any page of a profile: with its name, its state and its left menu."""
    common = {
        "profile": profile,
        "standing": scope.standing(profile),
        "menu": menu(request, PROFILE, profile.pk),
        "menu_label": profile.name,
        "trunks_url": reverse("trunks"),
        "profile_url": reverse("profile", args=[profile.pk]),
    }
    return render(request, template, common | page)


def live_state(profile: Profile) -> dict[str, Any]:
    at = engines_now()
    in_use = scope.in_use(profile)
    presence = scope.presence(profile, at)
    return {
        "presence": presence,
        "agreed": scope.agreed(profile, presence),
        "in_use": in_use,
        "free_micros": profile.account.balance - profile.account.held,
        "last_refused": scope.last_refused(profile),
        "live_at": at,
    }


urlpatterns = [
    path("trunks/<int:profile_id>", profile_page, name="profile"),
    path("trunks/<int:profile_id>/live", live, name="profile_live"),
    path("trunks/<int:profile_id>/name", rename, name="profile_rename"),
]
