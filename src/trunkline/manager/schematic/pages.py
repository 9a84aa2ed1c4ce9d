"""The schematic of the whole Manager: a picture, a list of the same, a file (SPEC R11; guide 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.domain.errors import Invalid, NotFound
from trunkline.manager import scope
from trunkline.manager.schematic import drawing
from trunkline.manager.schematic.layout import Strand
from trunkline.manager.schematic.strands import Look, needs_attention, strands_of
from trunkline.store.models import Profile
from trunkline.usecases.wiring import MOST_LOOSE, Wiring, wiring_of
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import engines_now
from trunkline.web.company import CompanyRequest
from trunkline.web.navigation import FEATURES, menu

MOST_OF_ONE = 12
"""Of each kind, drawn one by one when a single profile is looked at: so many can still be read on a sheet of paper. The list has them all."""
MOST_IN_LIST = 100
MANY = 20
"""More profiles than this are drawn briefly: then an overview is what is wanted."""
MOST_OF_MANY = 2
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
    look = _look(request, wanted, wiring)
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
    look = _look(request, wanted, wiring)
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


def _look(request: CompanyRequest, wanted: Wanted, wiring: Wiring) -> Look:
    look = Look(request.company, engines_now(), wanted.search)
    if wanted.as_list:
        return replace(look, most=MOST_IN_LIST)
    if wanted.profile_id:
        return replace(look, most=MOST_OF_ONE)
    return replace(look, most=MOST_OF_MANY, is_brief=True) if len(wiring.profiles) > MANY and not wanted.search else look


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
    shown = drawing.strand_cells if wanted.as_list else drawing.strand_svg
    state = {"figures": _figures(wiring, look), "is_brief": look.is_brief, "strands": [shown(strand) for strand in strands]}
    seen = blake2b(repr(state).encode(), digest_size=8).hexdigest()
    return {**state, "heads": drawing.HEADS, "heads_svg": drawing.heads_svg(), "seen": seen}


def _figures(wiring: Wiring, look: Look) -> tuple[tuple[str, str, str], ...]:
    """Of the whole Manager, whatever is chosen."""
    profiles = wiring.profiles
    reached = sum(scope.presence(profile, look.at).tone in ("good", "info") for profile in profiles)
    wrong = sum(needs_attention(profile, look) for profile in profiles)
    in_use, channels = sum(map(scope.in_use, profiles)), sum(profile.channels for profile in profiles)
    numbers = sum(len(profile.numbers.all()) for profile in profiles)
    numbers += sum(len(account.numbers.all()) for profile in profiles for account in profile.business_accounts.all())
    return (
        ("SIP Profiles", f"{len(profiles)}", f"with {numbers} Online Number{'' if numbers == 1 else 's'}"),
        ("PBXs reached", f"{reached} of {len(profiles)}", "by registration or address"),
        ("Need attention", f"{wrong}", "can't call, or be called"),
        ("Calls now", f"{in_use}", f"on {channels:,} calling channels"),
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
    said = f"{company.country}, {look.at.astimezone(ZoneInfo(company.time_zone)):%-d %b %Y, %H:%M} ({company.time_zone})"
    drawn = drawing.whole_svg(strands, title=f"Schematic of {company.company_name}", said=said, root=request.build_absolute_uri("/")[:-1])
    headers = {"Content-Disposition": 'attachment; filename="schematic.svg"', "Cache-Control": "no-store"}
    return HttpResponse(drawn, content_type="image/svg+xml; charset=utf-8", headers=headers)


urlpatterns = [
    path("schematic", schematic, name="schematic"),
    path("schematic/live", live, name="schematic_live"),
]
