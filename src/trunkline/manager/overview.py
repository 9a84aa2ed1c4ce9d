"""The first page after sign-in: Credit, profiles, and what needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.manager import scope
from trunkline.store.models import Manager, Profile, Role, Term
from trunkline.usecases.notices import day_of
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now, now
from trunkline.web.company import CompanyRequest

SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that a person should look at. `href` leads to where it is put right."""

    text: str
    href: str = ""
    action: str = ""


@open_to(Audience.LOOK)
@require_safe
def overview(request: CompanyRequest) -> HttpResponse:
    profiles = list(scope.profiles_of(request))
    at = engines_now()
    rows = [(profile, scope.standing(profile), scope.presence(profile, at), scope.in_use(profile)) for profile in profiles]
    page = {
        "rows": rows[:10],
        "profile_count": len(profiles),
        "calls_now": sum(in_use for *_, in_use in rows),
        "channels": sum(profile.channels for profile in profiles),
        "allocated_micros": sum(profile.account.balance for profile in profiles),
        "attention": attention(request, profiles),
    }
    return render(request, "manager/overview.html", page)


@open_to(Audience.LOOK)
@require_safe
def features(request: CompanyRequest) -> HttpResponse:
    """The toolbar's Features: its first entry."""
    return redirect("trunks")


def attention(request: CompanyRequest, profiles: list[Profile]) -> list[Attention]:
    """In the order of how much it hurts. A fixed number of queries."""
    return [*_about_credit(request.company), *_about_terms(request.company), *_about_profiles(profiles), *_about_company(request)]


def _about_credit(company: Manager) -> list[Attention]:
    if company.account.balance - company.account.held <= 0:
        return [
            Attention("There is no Credit: subscriptions can't be renewed, and nothing can be bought.", reverse("credit"), "Add Credit")
        ]
    if company.low_balance_since:
        return [Attention("Credit is low.", reverse("credit"), "Add Credit")]
    return []


def _about_terms(company: Manager) -> list[Attention]:
    ending = Term.objects.filter(manager=company, ended_at=None, renews=False, ends_at__lt=now() + SOON).select_related("profile", "number")
    return [_about_end(term, day_of(term.ends_at, company)) for term in ending.order_by("ends_at")[:10]]


def _about_end(term: Term, day: str) -> Attention:
    """With the way to the page on which it is undone."""
    if term.number is not None:
        return Attention(f"The number +{term.number.e164} ends on {day}.", reverse("number", args=[term.number.pk]), "Keep it")
    profile = term.profile
    assert profile is not None, "what runs is on a profile, or a number"
    if term.kind == Term.Kind.CHANNELS:
        return Attention(f"The channels of {profile.name} end on {day}.", reverse("channels", args=[profile.pk]), "Keep them")
    return Attention(f"Minute bundles of {profile.name} end on {day}.", reverse("bundles", args=[profile.pk]), "Extend them")


def _about_profiles(profiles: list[Profile]) -> list[Attention]:
    found = []
    at = engines_now()
    for profile in profiles:
        here = reverse("profile", args=[profile.pk])
        where = scope.presence(profile, at)
        if profile.state == Profile.State.SUSPENDED:
            found.append(Attention(f"{profile.name} is suspended: it takes calls, but can't make any.", here, "See why"))
        elif profile.channels == 0:
            found.append(Attention(f"{profile.name} has no calling channels, so no calls.", here, "View profile"))
        elif where.displaced:
            found.append(
                Attention(f"Two devices use the credentials of {profile.name}: only the last one is reached.", here, "View profile")
            )
        elif where.tone in ("neutral", "bad"):
            setup = reverse("profile_setup", args=[profile.pk])
            found.append(Attention(f"The PBX of {profile.name} is not registered.", setup, "Set up the PBX"))
    return found[:20]


def _about_company(request: CompanyRequest) -> list[Attention]:
    if request.membership.role != Role.ADMINISTRATOR or is_mfa_enabled(request.user):
        return []
    return [Attention("Your account has no second factor.", reverse("mfa_index"), "Set one up")]


urlpatterns = [
    path("overview", overview, name="overview"),
    path("features", features, name="features"),
]
