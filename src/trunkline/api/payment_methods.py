"""Stored payment methods of a Manager, and where letters about its Credit go."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting
from trunkline.api.shapes import TEXT, Amount, Done, Input, Money, PathId, answers, money, the_one
from trunkline.domain.money import parse_micros
from trunkline.providers.payments.chosen import payment_provider
from trunkline.store.models import PaymentMethod
from trunkline.usecases import payment_methods, reminders
from trunkline.web.access import Audience

router = Router(tags=["Credit"])


class MethodOut(Schema):
    id: int
    label: str
    is_default: bool


class MethodsOut(Schema):
    items: list[MethodOut]


class NoticesIn(Input):
    """`low_balance`: a letter goes out when less Credit is free, in the Manager's currency; null: none."""

    email: Annotated[str, Field(min_length=3, max_length=254, pattern=TEXT)]
    low_balance: Amount | None = None


class NoticesOut(Schema):
    """`email` empty: letters go nowhere."""

    email: str
    low_balance: Money | None


@router.get("/payment-methods", auth=Right(Audience.LOOK), response=answers(MethodsOut), summary="List payment methods")
def list_methods(request: ApiRequest) -> dict[str, Any]:
    """A new one is added in the Manager: its owner must be there."""
    kept = PaymentMethod.objects.filter(manager=request.company, removed_at=None).order_by("-is_default", "pk")
    return {"items": [{"id": each.pk, "label": each.label, "is_default": each.is_default} for each in kept]}


@router.post(
    "/payment-methods/{method_id}/default", auth=Right(Audience.PAY), response=answers(Done), summary="Pay with this one by default"
)
def make_default(request: ApiRequest, method_id: PathId) -> dict[str, Any]:
    payment_methods.make_default(**acting(request), manager_id=request.company.pk, method_id=_method(request, method_id).pk)
    return {"done": True}


@router.delete("/payment-methods/{method_id}", auth=Right(Audience.PAY), response=answers(Done), summary="Remove a payment method")
def remove_method(request: ApiRequest, method_id: PathId) -> dict[str, Any]:
    """Never charged again. Not while Auto-recharge pays with it."""
    about: dict[str, Any] = {"manager_id": request.company.pk, "method_id": _method(request, method_id).pk}
    payment_methods.remove_method(**acting(request), **about, provider=payment_provider())
    return {"done": True}


@router.get("/notices", auth=Right(Audience.LOOK), response=answers(NoticesOut), summary="Where letters about Credit go")
def get_notices(request: ApiRequest) -> dict[str, Any]:
    request.company.refresh_from_db(fields=["email", "low_balance_micros"])
    limit = request.company.low_balance_micros
    return {"email": request.company.email, "low_balance": None if limit is None else money(limit, request.company.currency)}


@router.put("/notices", auth=Right(Audience.PAY), response=answers(NoticesOut), summary="Set where letters about Credit go")
def set_notices(request: ApiRequest, wanted: NoticesIn) -> dict[str, Any]:
    limit = None if wanted.low_balance is None else parse_micros(wanted.low_balance, "low_balance")
    reminders.set_notices(**acting(request), manager_id=request.company.pk, email=wanted.email, low_balance_micros=limit)
    return get_notices(request)


def _method(request: ApiRequest, method_id: int) -> PaymentMethod:
    return the_one(PaymentMethod.objects.filter(manager=request.company, removed_at=None), method_id, "payment method")
