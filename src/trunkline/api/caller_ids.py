"""Caller ID: what a SIP Profile shows to whom it calls, and the company's landlines that it may show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Path, Router, Schema, Status
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.shapes import TEXT, Cursor, Done, Ident, Input, Limit, Moment, PathId, answers, iso, iso_or_none, listed
from trunkline.store.models import CallerIdRule, Landline
from trunkline.usecases import caller_id as caller_ids, landlines, profiles
from trunkline.web.access import Audience

router = Router(tags=["Caller ID"])
Country = Annotated[str, Path(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]


class ShownIn(Input):
    """One of `may_show`."""

    number: Annotated[str, Field(pattern=r"^\+?[0-9]{7,15}$", examples=["+12025550100"])]


class CountryShownOut(Schema):
    country: str
    number: str


class CallerIdOut(Schema):
    """`number`: empty, calls are anonymous. `countries`: calls there show another one. `may_show`: numbers on the profile, proven landlines."""

    number: str
    countries: list[CountryShownOut]
    may_show: list[str]


class LandlineIn(Input):
    """As it is dialled in the company's country, or with + and the country code. `profile_id`: shows it as soon as it is proven."""

    number: Annotated[str, Field(min_length=1, max_length=40, pattern=TEXT, examples=["+12025550100"])]
    profile_id: Ident | None = None


class LandlineOut(Schema):
    """`proof`: waiting (the operator looks at it), operator, call."""

    id: int
    number: str
    proof: str
    proven_at: Moment | None
    waiting_profile_id: int | None
    created_at: Moment


class LandlinesOut(Schema):
    items: list[LandlineOut]
    next_cursor: str | None


@router.get("/profiles/{profile_id}/caller-id", auth=Right(Audience.LOOK), response=answers(CallerIdOut), summary="What its calls show")
def get_caller_id(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    rules = CallerIdRule.objects.filter(profile=profile).order_by("country")
    may_show = [*caller_ids.numbers_to_show(profile), *caller_ids.landlines_to_show(request.company)]
    return {
        "number": f"+{profile.caller_id}" if profile.caller_id else "",
        "countries": countries_shown(rules),
        "may_show": [f"+{e164}" for e164 in may_show],
    }


@router.put("/profiles/{profile_id}/caller-id", auth=Right(Audience.ADMINISTER), response=answers(CallerIdOut), summary="Show a number")
def set_caller_id(request: ApiRequest, profile_id: PathId, wanted: ShownIn) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    profiles.set_caller_id(**acting(request), profile_id=profile.pk, caller_id=wanted.number)
    return get_caller_id(request, profile_id)


@router.delete("/profiles/{profile_id}/caller-id", auth=Right(Audience.ADMINISTER), response=answers(CallerIdOut), summary="Show none")
def disable_caller_id(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    """Calls are anonymous; what was set for countries is forgotten."""
    caller_ids.disable_caller_id(**acting(request), profile_id=profile_of(request, profile_id).pk)
    return get_caller_id(request, profile_id)


@router.put(
    "/profiles/{profile_id}/caller-id/countries/{country}",
    auth=Right(Audience.ADMINISTER),
    response=answers(CallerIdOut),
    summary="Show a country another number",
)
def set_country_caller_id(request: ApiRequest, profile_id: PathId, country: Country, wanted: ShownIn) -> dict[str, Any]:
    return _set_country(request, profile_id, country, wanted.number)


@router.delete(
    "/profiles/{profile_id}/caller-id/countries/{country}",
    auth=Right(Audience.ADMINISTER),
    response=answers(CallerIdOut),
    summary="Show a country what all others see",
)
def remove_country_caller_id(request: ApiRequest, profile_id: PathId, country: Country) -> dict[str, Any]:
    return _set_country(request, profile_id, country, "")


@router.get("/landlines", auth=Right(Audience.LOOK), response=answers(LandlinesOut), summary="List landlines")
def list_landlines(request: ApiRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    mine: QuerySet[Landline] = Landline.objects.filter(manager=request.company)
    return listed(mine, landline_shown, cursor, limit)


@router.post("/landlines", auth=Right(Audience.ADMINISTER), response=answers(LandlineOut, 201), summary="Add a landline")
def add_landline(request: ApiRequest, wanted: LandlineIn) -> Status[Any]:
    """For verified companies. It can be shown once the operator has seen proof that it is the company's."""
    profile_id = profile_of(request, wanted.profile_id).pk if wanted.profile_id is not None else None
    about: dict[str, Any] = {"manager_id": request.company.pk, "number": wanted.number, "profile_id": profile_id}
    return Status(201, landline_shown(landlines.add_landline(**acting(request), **about)))


@router.delete("/landlines/{landline_id}", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Remove a landline")
def remove_landline(request: ApiRequest, landline_id: PathId) -> dict[str, Any]:
    """No SIP Profile shows it any more."""
    landlines.remove_landline(**acting(request), manager_id=request.company.pk, landline_id=landline_id)
    return {"done": True}


def _set_country(request: ApiRequest, profile_id: int, country: str, number: str) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    caller_ids.set_country_caller_id(**acting(request), profile_id=profile.pk, country=country, caller_id=number)
    return get_caller_id(request, profile_id)


def countries_shown(rules: Iterable[CallerIdRule]) -> list[dict[str, str]]:
    return [{"country": rule.country, "number": f"+{rule.e164}"} for rule in rules]


def landline_shown(landline: Landline) -> dict[str, Any]:
    return {
        "id": landline.pk,
        "number": f"+{landline.e164}",
        "proof": landline.proof,
        "proven_at": iso_or_none(landline.proven_at),
        "waiting_profile_id": landline.wanted_by_id,
        "created_at": iso(landline.created_at),
    }
