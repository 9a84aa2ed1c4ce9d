"""The schematic of the whole Manager: a picture, a list of the same, a file (SPEC R11; guide 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.domain.errors import Invalid, NotFound
from trunkline.manager import scope
from trunkline.manager.schematic import drawing
from trunkline.manager.schematic.layout import Strand
from trunkline.manager.schematic.strands import Look, strands_of
from trunkline.store.models import Profile
from trunkline.usecases.wiring import MOST_LOOSE, Wiring, wiring_of
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now
from trunkline.web.company import CompanyRequest
from trunkline.web.navigation import FEATURES, menu

MOST_OF_ONE = 24
"""Drawn one by one when a single profile is looked at: so many fill a sheet of paper."""
MOST_IN_LIST = 100
KEPT = ("profile", "q", "attention", "as")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as it stands in the address."""

    profile_id: int | None
    search: str
    attention: bool
    as_list: bool

    @property
    def narrowed(self) -> bool:
        return bool(self.profile_id or self.search or self.attention)


@open_to(Audience.LOOK)
@require_safe
def schematic(request: CompanyRequest) -> HttpResponse:
    wanted, wiring = _wanted(request), wiring_of(request.company.pk)
    look = _look(request, wanted)
    strands = _chosen(wiring, wanted, look)
    if file_format := request.GET.get("format"):
        return _file(request, strands, file_format, look)
    page = {
        "wanted": wanted,
        "profiles": wiring.profiles,
        "is_empty": not strands and not wanted.narrowed,
        "most_loose": MOST_LOOSE if wiring.is_cut else None,
        "query": _query(request),
        "as_picture": _query(request, "as"),
        "menu": menu(request, FEATURES),
        "menu_label": "Features",
        **_live(wiring, strands, wanted, look),
    }
    return render(request, "manager/schematic/page.html", page)


@open_to(Audience.LOOK)
@require_safe
def live(request: CompanyRequest) -> HttpResponse:
    """What the page asks for every five seconds. 204 when nothing has changed: then nothing moves under anybody's hand."""
    wanted, wiring = _wanted(request), wiring_of(request.company.pk)
    look = _look(request, wanted)
    state = _live(wiring, _chosen(wiring, wanted, look), wanted, look)
    if request.GET.get("seen") == state["seen"]:
        return HttpResponse(status=204)
    return render(request, "manager/schematic/live.html", {"wanted": wanted, **state})


def _wanted(request: CompanyRequest) -> Wanted:
    asked = request.GET
    profile = asked.get("profile", "")
    if profile and not (profile.isascii() and profile.isdecimal() and len(profile) < 19):
        raise NotFound(f"There is no SIP Profile {profile[:20]!r}: choose one from the list.")
    return Wanted(int(profile) if profile else None, asked.get("q", "").strip()[:64], "attention" in asked, asked.get("as") == "list")


def _look(request: CompanyRequest, wanted: Wanted) -> Look:
    look = Look(request.company, engines_now(), wanted.search)
    if wanted.as_list:
        return replace(look, most=MOST_IN_LIST)
    return replace(look, most=MOST_OF_ONE) if wanted.profile_id else look


def _chosen(wiring: Wiring, wanted: Wanted, look: Look) -> list[Strand]:
    """Raises `NotFound` for a profile that is not the company's."""
    if wanted.profile_id:
        only = [profile for profile in wiring.profiles if profile.pk == wanted.profile_id]
        if not only:
            raise NotFound("There is no such SIP Profile, or it belongs to somebody else.")
        wiring = Wiring(only, [], [], [one for one in wiring.landlines if one.e164 in _shown_by(only[0])])
    strands = strands_of(wiring, look)
    return [strand for strand in strands if strand.needs_attention] if wanted.attention else strands


def _shown_by(profile: Profile) -> set[str]:
    return {profile.caller_id, *(rule.e164 for rule in profile.caller_id_rules.all())}


def _live(wiring: Wiring, strands: list[Strand], wanted: Wanted, look: Look) -> dict[str, Any]:
    """`seen` is another when anything that is shown has become another."""
    state = {"figures": _figures(wiring, look), "strands": strands if wanted.as_list else [drawing.strand_svg(each) for each in strands]}
    return {
        **state,
        "heads": drawing.HEADS,
        "heads_svg": drawing.heads_svg(),
        "seen": blake2b(repr(state).encode(), digest_size=8).hexdigest(),
    }


def _figures(wiring: Wiring, look: Look) -> tuple[tuple[str, str, str], ...]:
    """Of the whole Manager, whatever is chosen."""
    profiles = wiring.profiles
    reached = sum(scope.presence(profile, look.at).tone in ("good", "info") for profile in profiles)
    in_use, channels = sum(map(scope.in_use, profiles)), sum(profile.channels for profile in profiles)
    numbers = sum(len(profile.numbers.all()) for profile in profiles)
    return (
        ("SIP Profiles", str(len(profiles)), f"{numbers} Online Number{'' if numbers == 1 else 's'} on them"),
        ("PBXs reached", f"{reached} of {len(profiles)}", "registered, or known by address"),
        ("Calls now", str(in_use), f"of {channels} calling channels"),
    )


def _query(request: CompanyRequest, *without: str) -> str:
    """The filters, for a link that keeps them."""
    kept = request.GET.copy()
    for name in {*kept} - {*KEPT} | {*without}:
        kept.pop(name, None)
    return kept.urlencode()


def _file(request: CompanyRequest, strands: list[Strand], file_format: str, look: Look) -> HttpResponse:
    if file_format != "svg":
        raise Invalid("format", f"{file_format[:20]!r} is no kind of picture: use svg.")
    company = request.company
    said = f"{company.country}, {look.moment(int(look.at.timestamp()) * scope.MICROSECONDS)} ({company.time_zone})"
    drawn = drawing.whole_svg(strands, title=f"Schematic of {company.company_name}", said=said, root=request.build_absolute_uri("/")[:-1])
    headers = {"Content-Disposition": 'attachment; filename="schematic.svg"', "Cache-Control": "no-store"}
    return HttpResponse(drawn, content_type="image/svg+xml; charset=utf-8", headers=headers)


urlpatterns = [
    path("schematic", schematic, name="schematic"),
    path("schematic/live", live, name="schematic_live"),
]
