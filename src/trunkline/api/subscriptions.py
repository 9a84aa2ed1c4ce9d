"""Calling channels and minute bundles of a SIP Profile: each with its price first."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.shapes import (
    BoughtOut,
    CancelledOut,
    Input,
    Moment,
    Money,
    OfferOut,
    PathId,
    answers,
    bought,
    cancelled,
    iso,
    money,
    offered,
)
from trunkline.domain.errors import NotFound
from trunkline.store.clock import now
from trunkline.store.models import BundleProduct, Profile, Term
from trunkline.usecases import bundles, subscriptions
from trunkline.web.access import Audience

router = Router(tags=["Channels and bundles"])


class TermOut(Schema):
    """A paid period. `free_seconds`: minutes of a bundle that are left, in seconds."""

    id: int
    kind: str
    product_id: int | None
    quantity: int
    price: Money
    starts_at: Moment
    ends_at: Moment
    renews: bool
    free_seconds: int | None


class TermsOut(Schema):
    items: list[TermOut]


class ChannelsIn(Input):
    """1 to 300; above 100 rounded to the nearest 10."""

    channels: Annotated[int, Field(ge=1, le=300)]


class QuantityIn(Input):
    quantity: Annotated[int, Field(ge=1, le=300)]


class CancelBundlesIn(Input):
    at_once: Annotated[bool, Field(description="ended now, and refunded by the smaller unused share of time and minutes")] = False


@router.get("/profiles/{profile_id}/subscriptions", auth=Right(Audience.LOOK), response=answers(TermsOut), summary="What runs on it")
def list_subscriptions(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    running = Term.objects.filter(profile=profile, ended_at=None).select_related("minutes").order_by("kind", "pk")
    return {"items": [term_shown(term, request.company.currency) for term in running if term.kind != Term.Kind.NUMBER]}


@router.post("/profiles/{profile_id}/channels/preview", auth=Right(Audience.LOOK), response=answers(OfferOut), summary="What channels cost")
def preview_channels(request: ApiRequest, profile_id: PathId, wanted: ChannelsIn) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    return offered(subscriptions.preview_channels(now=now(), profile_id=profile.pk, channels=wanted.channels))


@router.post("/profiles/{profile_id}/channels/buy", auth=Right(Audience.PAY), response=answers(BoughtOut), summary="Buy channels")
def buy_channels(request: ApiRequest, profile_id: PathId, wanted: ChannelsIn) -> dict[str, Any]:
    """A first subscription of 30 days, or one after the last has ended."""
    about = _purchase(request, profile_id)
    return bought(subscriptions.buy_channels(**about, channels=wanted.channels), request.company.currency)


@router.post("/profiles/{profile_id}/channels/change", auth=Right(Audience.PAY), response=answers(BoughtOut), summary="Change channels")
def change_channels(request: ApiRequest, profile_id: PathId, wanted: ChannelsIn) -> dict[str, Any]:
    """What is unused is refunded, a new term of 30 days begins; once a day."""
    about = _purchase(request, profile_id)
    return bought(subscriptions.change_channels(**about, channels=wanted.channels), request.company.currency)


@router.get(
    "/profiles/{profile_id}/channels/cancellation",
    auth=Right(Audience.LOOK),
    response=answers(CancelledOut),
    summary="Until when they last",
)
def preview_channel_cancellation(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    plan = subscriptions.preview_channel_cancellation(now=now(), profile_id=profile.pk)
    return cancelled(plan, request.company.currency)


@router.post("/profiles/{profile_id}/channels/cancel", auth=Right(Audience.PAY), response=answers(CancelledOut), summary="Cancel channels")
def cancel_channels(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    """Not renewed: usable until the end of what is paid."""
    profile = profile_of(request, profile_id)
    return cancelled(subscriptions.cancel_channels(**acting(request), profile_id=profile.pk), request.company.currency)


@router.post(
    "/profiles/{profile_id}/channels/undo", auth=Right(Audience.PAY), response=answers(CancelledOut), summary="Renew them after all"
)
def undo_cancel_channels(request: ApiRequest, profile_id: PathId) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    return cancelled(subscriptions.undo_cancel_channels(**acting(request), profile_id=profile.pk), request.company.currency)


@router.post(
    "/profiles/{profile_id}/bundles/{product_id}/preview",
    auth=Right(Audience.LOOK),
    response=answers(OfferOut),
    summary="What bundles cost",
)
def preview_bundles(request: ApiRequest, profile_id: PathId, product_id: PathId, wanted: QuantityIn) -> dict[str, Any]:
    profile, product = _both(request, profile_id, product_id)
    about: dict[str, Any] = {"profile_id": profile.pk, "product_id": product.pk, "quantity": wanted.quantity}
    return offered(bundles.preview_bundles(now=now(), **about))


@router.post(
    "/profiles/{profile_id}/bundles/{product_id}/buy", auth=Right(Audience.PAY), response=answers(BoughtOut), summary="Buy bundles"
)
def buy_bundles(request: ApiRequest, profile_id: PathId, product_id: PathId, wanted: QuantityIn) -> dict[str, Any]:
    _both(request, profile_id, product_id)
    about = _purchase(request, profile_id)
    return bought(bundles.buy_bundles(**about, product_id=product_id, quantity=wanted.quantity), request.company.currency)


@router.post(
    "/profiles/{profile_id}/bundles/{product_id}/change", auth=Right(Audience.PAY), response=answers(BoughtOut), summary="Change bundles"
)
def change_bundles(request: ApiRequest, profile_id: PathId, product_id: PathId, wanted: QuantityIn) -> dict[str, Any]:
    """What is unused is refunded by the smaller share of time and minutes."""
    _both(request, profile_id, product_id)
    about = _purchase(request, profile_id)
    return bought(bundles.change_bundles(**about, product_id=product_id, quantity=wanted.quantity), request.company.currency)


@router.post(
    "/profiles/{profile_id}/bundles/{product_id}/cancel", auth=Right(Audience.PAY), response=answers(CancelledOut), summary="Cancel bundles"
)
def cancel_bundles(request: ApiRequest, profile_id: PathId, product_id: PathId, wanted: CancelBundlesIn) -> dict[str, Any]:
    profile, product = _both(request, profile_id, product_id)
    about: dict[str, Any] = {"profile_id": profile.pk, "product_id": product.pk, "at_once": wanted.at_once}
    return cancelled(bundles.cancel_bundles(**acting(request), **about), request.company.currency)


@router.post(
    "/profiles/{profile_id}/bundles/{product_id}/extend", auth=Right(Audience.PAY), response=answers(CancelledOut), summary="Extend bundles"
)
def extend_bundles(request: ApiRequest, profile_id: PathId, product_id: PathId) -> dict[str, Any]:
    """Bundles that were cancelled get their renewal back."""
    profile, product = _both(request, profile_id, product_id)
    return cancelled(bundles.extend_bundles(**acting(request), profile_id=profile.pk, product_id=product.pk), request.company.currency)


def _purchase(request: ApiRequest, profile_id: int) -> dict[str, Any]:
    """The same Idempotency-Key buys once, whatever dies in between."""
    return {**acting(request), "profile_id": profile_of(request, profile_id).pk, "reference": request.reference}


def _both(request: ApiRequest, profile_id: int, product_id: int) -> tuple[Profile, BundleProduct]:
    profile = profile_of(request, profile_id)
    product = BundleProduct.objects.filter(pk=product_id, price_list=request.company.price_list).first()
    if product is None:
        raise NotFound(f"There are no minute bundles {product_id} on your price list.")
    return profile, product


def term_shown(term: Term, currency: str) -> dict[str, Any]:
    return {
        "id": term.pk,
        "kind": term.kind,
        "product_id": term.product_id,
        "quantity": term.quantity,
        "price": money(term.price_micros, currency),
        "starts_at": iso(term.starts_at),
        "ends_at": iso(term.ends_at),
        "renews": term.renews,
        "free_seconds": term.minutes.balance - term.minutes.held if term.minutes else None,
    }
