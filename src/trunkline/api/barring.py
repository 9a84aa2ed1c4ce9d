"""What a SIP Profile calls, how dear and how fast."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.shapes import Amount, Input, Money, PathId, answers, money
from trunkline.domain.barring import MOST_DESTINATIONS
from trunkline.domain.money import parse_micros
from trunkline.usecases import barring
from trunkline.web.access import Audience

router = Router(tags=["SIP Profiles"])
NumberType = Annotated[str, Field(max_length=24, examples=["premium"])]
Destination = Annotated[str, Field(max_length=40, examples=["CU", "+4470"], description="a country (ISO 3166-1 alpha-2), or + and digits")]


class BarringIn(Input):
    """All of it: what is left away is not limited. Types: premium, satellite, international_network, shared_cost, toll_free,
    mobile, other."""

    barred_types: Annotated[list[NumberType], Field(max_length=20, default_factory=list)]
    barred_destinations: Annotated[list[Destination], Field(max_length=MOST_DESTINATIONS, default_factory=list)]
    calls_abroad: Annotated[bool, Field(description="to other countries than the company's")] = True
    max_rate_per_minute: Annotated[Amount | None, Field(description="null: no limit")] = None
    calls_per_second: Annotated[int | None, Field(ge=1, le=1000, description="null: what the operator allows")] = None


class BarringOut(Schema):
    """`most_calls_per_second`: what the operator allows."""

    barred_types: list[str]
    barred_destinations: list[str]
    calls_abroad: bool
    max_rate_per_minute: Money | None
    calls_per_second: int
    most_calls_per_second: int


@router.get("/profiles/{profile_id}/barring", auth=Right(Audience.LOOK), response=answers(BarringOut), summary="What it does not call")
def get_barring(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    limit = profile.max_rate_per_minute_micros
    return {
        "barred_types": profile.barred_types,
        "barred_destinations": profile.barred_destinations,
        "calls_abroad": profile.calls_abroad,
        "max_rate_per_minute": None if limit is None else money(limit, request.company.currency),
        "calls_per_second": profile.pace,
        "most_calls_per_second": profile.calls_per_second,
    }


@router.put(
    "/profiles/{profile_id}/barring", auth=Right(Audience.ADMINISTER), response=answers(BarringOut), summary="Set what it does not call"
)
def set_barring(request: ApiRequest, profile_id: PathId, wanted: BarringIn) -> dict[str, Any]:
    """It holds for the next call; calls in progress go on."""
    price = wanted.max_rate_per_minute
    barring.set_barring(
        **acting(request),
        profile_id=profile_of(request, profile_id).pk,
        barred_types=wanted.barred_types,
        barred_destinations=wanted.barred_destinations,
        calls_abroad=wanted.calls_abroad,
        max_rate_per_minute_micros=None if price is None else parse_micros(price),
        own_calls_per_second=wanted.calls_per_second,
    )
    return get_barring(request, profile_id)
