"""SIP Profiles: made, looked at, renamed, authenticated, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db.models import QuerySet
from ninja import Query, Router, Schema, Status
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.shapes import (
    Cursor,
    Done,
    Ident,
    Input,
    Limit,
    Moment,
    Money,
    OfferOut,
    PathId,
    answers,
    iso,
    iso_or_none,
    listed,
    moment_us,
    money,
    offered,
)
from trunkline.domain.media_encryption import towards_pbx
from trunkline.store import ledger
from trunkline.store.clock import now
from trunkline.store.directory import Registered
from trunkline.store.models import Profile
from trunkline.usecases import credentials, profile_deletion, profile_orders, profiles
from trunkline.usecases.profile_orders import Order
from trunkline.web.access import Audience

router = Router(tags=["SIP Profiles"])
MICROSECONDS = 1_000_000
LONGEST_OVERLAP_SECONDS = 24 * 3600
Which = Annotated[Literal["", "active", "suspended", "deleted"], Query(description="only these; empty: all but deleted ones")]


class RegistrationOut(Schema):
    """Where the PBX is now. `displaced`: another device was registered with the same credentials until then. `media_by`: SRTP or RTP for calls to it,
    and why."""

    contact: str
    source: str
    user_agent: str
    since: Moment
    expires_at: Moment
    displaced: str
    media_by: str


class ProfileOut(Schema):
    id: int
    name: str
    state: str
    sip_user: str
    sip_domain: str
    channels: int
    calls_now: int
    credit: Money
    credit_free: Money
    caller_id: str
    ip_address: str | None
    ip_port: int | None
    registration: RegistrationOut | None
    created_at: Moment


class ProfilesOut(Schema):
    items: list[ProfileOut]
    next_cursor: str | None


class BundleOrder(Input):
    product_id: Ident
    quantity: Annotated[int, Field(ge=1, le=300)]


class ProfileIn(Input):
    """Without channels it is inactive until some are bought."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    channels: Annotated[int, Field(ge=0, le=300)] = 0
    bundles: Annotated[list[BundleOrder], Field(max_length=20, default_factory=list)]

    def order(self) -> Order:
        return Order(self.channels, tuple((each.product_id, each.quantity) for each in self.bundles))


class ProfileOfferOut(Schema):
    name: str
    channels: OfferOut | None
    bundles: list[OfferOut]
    to_pay: Money
    balance_after: Money
    problems: list[str]


class CreatedOut(Schema):
    """The password is told now; a new one can be made any time."""

    profile: ProfileOut
    sip_user: str
    password: str


class RenameIn(Input):
    name: Annotated[str, Field(min_length=1, max_length=80)]


class PasswordIn(Input):
    keep_old_for_seconds: Annotated[
        int, Field(ge=0, le=LONGEST_OVERLAP_SECONDS, description="so long the old password works alongside; 0: it stops at once")
    ] = 0


class PasswordOut(Schema):
    sip_user: str
    password: str
    old_valid_until: Moment | None


class SourceIn(Input):
    address: Annotated[str, Field(max_length=60, examples=["198.51.100.7"])]
    port: Annotated[int, Field(ge=1, le=65535)] = 5060


class DeletionOut(Schema):
    """What goes back to the Manager, and what is given up. It can be deleted when there are no `problems`."""

    name: str
    credit: Money
    refund: Money
    numbers: list[str]
    accounts: list[str]
    channels: int
    channels_until: Moment | None
    problems: list[str]


@router.get("/profiles", auth=Right(Audience.LOOK), response=answers(ProfilesOut), summary="List SIP Profiles")
def list_profiles(request: ApiRequest, state: Which = "", cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    """Of deleted ones call records, totals and statements can still be asked for."""
    mine: QuerySet[Profile] = Profile.objects.filter(manager=request.company)
    mine = mine.filter(state=state) if state else mine.exclude(state=Profile.State.DELETED)
    return listed(mine.select_related("account", "channeluse", "registration"), shown, cursor, limit)


@router.post("/profiles/preview", auth=Right(Audience.LOOK), response=answers(ProfileOfferOut), summary="What a new SIP Profile would cost")
def preview_profile(request: ApiRequest, wanted: ProfileIn) -> dict[str, Any]:
    about: dict[str, Any] = {"manager_id": request.company.pk, "name": wanted.name, "order": wanted.order()}
    offer = profile_orders.preview_profile(now=now(), **about)
    return {
        "name": offer.name,
        "channels": offered(offer.channels) if offer.channels else None,
        "bundles": [offered(each) for each in offer.bundles],
        "to_pay": money(offer.to_pay_micros, offer.currency),
        "balance_after": money(offer.balance_after_micros, offer.currency),
        "problems": list(offer.problems),
    }


@router.post("/profiles", auth=Right(Audience.ADMINISTER), response=answers(CreatedOut, 201), summary="Create a SIP Profile")
def create_profile(request: ApiRequest, wanted: ProfileIn) -> Status[Any]:
    about: dict[str, Any] = {"manager_id": request.company.pk, "name": wanted.name, "order": wanted.order()}
    made = profiles.create_profile(**acting(request), **about, sip_domain=settings.INSTANCE.sip_domain)
    profile = profile_of(request, made.profile_id)
    return Status(201, {"profile": shown(profile), "sip_user": made.sip_user, "password": made.password})


@router.get("/profiles/{profile_id}", auth=Right(Audience.LOOK), response=answers(ProfileOut), summary="A SIP Profile")
def get_profile(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    return shown(profile_of(request, profile_id))


@router.patch("/profiles/{profile_id}", auth=Right(Audience.ADMINISTER), response=answers(ProfileOut), summary="Rename a SIP Profile")
def rename_profile(request: ApiRequest, profile_id: PathId, wanted: RenameIn) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    profiles.rename_profile(**acting(request), profile_id=profile.pk, name=wanted.name)
    return shown(profile_of(request, profile_id))


@router.get(
    "/profiles/{profile_id}/deletion", auth=Right(Audience.LOOK), response=answers(DeletionOut), summary="What deleting it would do"
)
def preview_deletion(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    return _deletion(profile_deletion.preview_profile_deletion(now=now(), profile_id=profile.pk))


@router.delete("/profiles/{profile_id}", auth=Right(Audience.ADMINISTER), response=answers(DeletionOut), summary="Delete a SIP Profile")
def delete_profile(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    """Its Credit and the refund of its bundles go to the Manager, its numbers to the Manager's stock. Its call records stay."""
    profile = profile_of(request, profile_id)
    return _deletion(profile_deletion.delete_profile(**acting(request), profile_id=profile.pk))


@router.post(
    "/profiles/{profile_id}/password", auth=Right(Audience.ADMINISTER), response=answers(PasswordOut), summary="A new SIP password"
)
def rotate_password(request: ApiRequest, profile_id: PathId, wanted: PasswordIn) -> dict[str, Any]:
    """A registered PBX stays registered; the new password is needed at its next registration."""
    profile = profile_of(request, profile_id)
    keep = timedelta(seconds=wanted.keep_old_for_seconds)
    domain = settings.INSTANCE.sip_domain
    made = credentials.rotate_password(**acting(request), profile_id=profile.pk, sip_domain=domain, keep_old_for=keep)
    return {"sip_user": made.sip_user, "password": made.password, "old_valid_until": iso_or_none(made.old_valid_until)}


@router.put(
    "/profiles/{profile_id}/ip-authentication",
    auth=Right(Audience.ADMINISTER),
    response=answers(ProfileOut),
    summary="Authenticate by address",
)
def set_source(request: ApiRequest, profile_id: PathId, wanted: SourceIn) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    private = settings.INSTANCE.allow_private_sources
    about: dict[str, Any] = {"address": wanted.address, "port": wanted.port, "allow_private": private}
    credentials.set_ip_authentication(**acting(request), profile_id=profile.pk, **about)
    return shown(profile_of(request, profile_id))


@router.delete(
    "/profiles/{profile_id}/ip-authentication", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Authenticate by password"
)
def remove_source(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    credentials.remove_ip_authentication(**acting(request), profile_id=profile.pk)
    return {"done": True}


def shown(profile: Profile) -> dict[str, Any]:
    purse, use = profile.account, getattr(profile, "channeluse", None)
    return {
        "id": profile.pk,
        "name": profile.name,
        "state": profile.state,
        "sip_user": profile.sip_user,
        "sip_domain": settings.INSTANCE.sip_domain,
        "channels": profile.channels,
        "calls_now": use.in_use if use else 0,
        "credit": money(purse.balance, purse.currency),
        "credit_free": money(ledger.free(purse), purse.currency),
        "caller_id": profile.caller_id,
        "ip_address": profile.ip_auth_address,
        "ip_port": profile.ip_auth_port,
        "registration": _registration(profile),
        "created_at": iso(profile.created_at),
    }


def _registration(profile: Profile) -> dict[str, Any] | None:
    """By the real clock, which registrations go by."""
    found = getattr(profile, "registration", None)
    if found is None or found.expires_us <= datetime.now(UTC).timestamp() * MICROSECONDS:
        return None
    return {
        "contact": found.contact,
        "source": found.source,
        "user_agent": found.user_agent,
        "since": moment_us(found.since_us),
        "expires_at": moment_us(found.expires_us),
        "displaced": found.displaced_contact,
        "media_by": str(towards_pbx(profile.srtp, Registered.of(found).binding())),
    }


def _deletion(plan: profile_deletion.ProfileDeletion) -> dict[str, Any]:
    return {
        "name": plan.name,
        "credit": money(plan.credit_micros, plan.currency),
        "refund": money(plan.refund_micros, plan.currency),
        "numbers": [f"+{e164}" for e164 in plan.numbers],
        "accounts": list(plan.accounts),
        "channels": plan.channels,
        "channels_until": iso_or_none(plan.channels_until),
        "problems": list(plan.problems),
    }
