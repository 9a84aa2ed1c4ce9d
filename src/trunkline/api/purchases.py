"""Channels and minute bundles of a SIP Profile by one payment: one price before, all or nothing."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.profiles import BundleOrder
from trunkline.api.shapes import BoughtOut, Money, OfferOut, PathId, answers, bought, money, offered
from trunkline.api.subscriptions import ChannelsIn
from trunkline.store.clock import now
from trunkline.usecases import profile_orders
from trunkline.usecases.profile_orders import CHANNELS, LONGEST_REFERENCE, Order
from trunkline.web.access import Audience

router = Router(tags=["Channels and bundles"])


class PurchaseIn(ChannelsIn):
    """`channels` from 1 to 300; above 100 rounded to the nearest 10. Bundles that are not named stay as they are."""

    bundles: Annotated[list[BundleOrder], Field(max_length=20, default_factory=list)]

    def order(self) -> Order:
        return Order(self.channels, tuple((each.product_id, each.quantity) for each in self.bundles))


class PurchaseOfferOut(Schema):
    """Each goes by how things will be when all are taken. It can be bought when there are no `problems`."""

    channels: OfferOut
    bundles: list[OfferOut]
    to_pay: Money
    balance_after: Money
    problems: list[str]
    warnings: list[str]


class PurchaseOut(Schema):
    channels: BoughtOut
    bundles: list[BoughtOut]


@router.post(
    "/profiles/{profile_id}/purchase/preview",
    auth=Right(Audience.LOOK),
    response=answers(PurchaseOfferOut),
    summary="What channels and bundles cost together",
)
def preview_purchase(request: ApiRequest, profile_id: PathId, wanted: PurchaseIn) -> dict[str, Any]:
    profile, order = profile_of(request, profile_id), wanted.order()
    found = profile_orders.preview_order(now=now(), profile_id=profile.pk, order=order)
    return {
        "channels": offered(found.offers[CHANNELS]),
        "bundles": [offered(found.offers[product_id]) for product_id, _ in order.bundles],
        "to_pay": money(found.to_pay_micros, found.currency),
        "balance_after": money(found.balance_after_micros, found.currency),
        "problems": list(found.problems),
        "warnings": list(found.warnings),
    }


@router.post(
    "/profiles/{profile_id}/purchase",
    auth=Right(Audience.PAY),
    response=answers(PurchaseOut),
    summary="Buy or change channels and bundles together",
)
def purchase(request: ApiRequest, profile_id: PathId, wanted: PurchaseIn) -> dict[str, Any]:
    """All or nothing; what is there already is changed. Fewer of one may pay for more of the other."""
    profile, order, currency = profile_of(request, profile_id), wanted.order(), request.company.currency
    reference = request.reference[:LONGEST_REFERENCE]
    done = profile_orders.buy_order(**acting(request), profile_id=profile.pk, order=order, reference=reference)
    return {
        "channels": bought(done[CHANNELS], currency),
        "bundles": [bought(done[product_id], currency) for product_id, _ in order.bundles],
    }
