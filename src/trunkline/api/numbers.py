"""Online Numbers: the Manager's, those that can be rented, and where each one leads."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Query, Router, Schema
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.shapes import (
    TEXT,
    BoughtOut,
    CancelledOut,
    Cursor,
    Ident,
    Input,
    Limit,
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
    page,
)
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.number_rental import agreement
from trunkline.store.clock import now
from trunkline.store.models import Number, Term
from trunkline.usecases import number_fees, number_places
from trunkline.web.access import Audience

router = Router(tags=["Numbers"])
Area = Annotated[str, Query(max_length=80, pattern=TEXT, description="part of its name")]
Country = Annotated[str, Query(pattern=r"^([A-Z]{2})?$", description="ISO 3166-1 alpha-2")]


class NumberOut(Schema):
    """Of the Manager's own: where calls to it go; until when it is paid, if it is rented."""

    id: int
    number: str
    country: str
    area: str
    monthly_price: Money
    profile_id: int | None
    account_id: int | None
    paid_until: Moment | None
    renews: bool


class NumbersOut(Schema):
    items: list[NumberOut]
    next_cursor: str | None


class StockOut(Schema):
    """`agreement`: what whoever rents it agrees to."""

    id: int
    number: str
    country: str
    area: str
    monthly_price: Money
    residency: str
    agreement: str


class StocksOut(Schema):
    items: list[StockOut]
    next_cursor: str | None


class RentIn(Input):
    """`agreed`: to the text `agreement` of the number; it is kept word for word."""

    agreed: bool
    profile_id: Ident | None = None


class PlaceIn(Input):
    """On a SIP Profile, or of a business account. Both null: in the Manager's stock, and calls to it reach nobody."""

    profile_id: Ident | None
    account_name: Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)] | None = None


@router.get("/numbers", auth=Right(Audience.LOOK), response=answers(NumbersOut), summary="List the Manager's numbers")
def list_numbers(request: ApiRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    mine: QuerySet[Number] = Number.objects.filter(manager=request.company)
    rows, following = page(mine, cursor, limit)
    paid = {term.number_id: term for term in Term.objects.filter(number__in=rows, ended_at=None)}
    return {"items": [_shown(each, paid.get(each.pk), request.company.currency) for each in rows], "next_cursor": following}


@router.get("/numbers/available", auth=Right(Audience.LOOK), response=answers(StocksOut), summary="Numbers that can be rented")
def list_available(request: ApiRequest, country: Country = "", area: Area = "", cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    """In the Manager's country, unless another is asked for."""
    stock: QuerySet[Number] = Number.objects.filter(manager=None, country=country or request.company.country)
    rows, following = page(stock.filter(area__icontains=area) if area else stock, cursor, limit)
    return {"items": [_stock(each, request.company.currency) for each in rows], "next_cursor": following}


@router.post("/numbers/{number_id}/preview", auth=Right(Audience.LOOK), response=answers(OfferOut), summary="What renting it costs")
def preview_number(request: ApiRequest, number_id: PathId) -> dict[str, Any]:
    _rentable(request, number_id)
    return offered(number_fees.preview_number(now=now(), manager_id=request.company.pk, number_id=number_id))


@router.post("/numbers/{number_id}/rent", auth=Right(Audience.PAY), response=answers(BoughtOut), summary="Rent a number")
def rent_number(request: ApiRequest, number_id: PathId, wanted: RentIn) -> dict[str, Any]:
    """By the month, renewed on the same day. Paid from the Manager's Credit."""
    number = _rentable(request, number_id)
    if not wanted.agreed:
        raise Conflict("Renting it needs an agreement to its terms: read `agreement`, then send `agreed` as true.")
    profile_id = profile_of(request, wanted.profile_id).pk if wanted.profile_id is not None else None
    about = {**acting(request), "manager_id": request.company.pk, "number_id": number_id}
    if number.manager_id is None:
        number_places.agree(**about)
    done = number_fees.rent_number(**about, profile_id=profile_id, reference=request.reference)
    return bought(done, request.company.currency)


@router.post("/numbers/{number_id}/assign", auth=Right(Audience.ADMINISTER), response=answers(NumberOut), summary="Where calls to it go")
def assign_number(request: ApiRequest, number_id: PathId, wanted: PlaceIn) -> dict[str, Any]:
    _own(request, number_id)
    about = {**acting(request), "manager_id": request.company.pk, "number_id": number_id}
    if wanted.profile_id is not None and wanted.account_name is not None:
        raise Invalid("account_name", "Give a profile or a business account, not both.")
    if wanted.account_name is not None:
        number_places.put_on_account(**about, name=wanted.account_name)
    elif wanted.profile_id is not None:
        number_places.put_on_profile(**about, profile_id=profile_of(request, wanted.profile_id).pk)
    else:
        number_places.put_in_stock(**about)
    paid = Term.objects.filter(number_id=number_id, ended_at=None).first()
    return _shown(_own(request, number_id), paid, request.company.currency)


@router.post("/numbers/{number_id}/cancel", auth=Right(Audience.PAY), response=answers(CancelledOut), summary="Cancel a number")
def cancel_number(request: ApiRequest, number_id: PathId) -> dict[str, Any]:
    """Usable until the end of the month that is paid."""
    _own(request, number_id)
    done = number_fees.cancel_number(**acting(request), manager_id=request.company.pk, number_id=number_id)
    return cancelled(done, request.company.currency)


@router.post("/numbers/{number_id}/undo", auth=Right(Audience.PAY), response=answers(CancelledOut), summary="Renew it after all")
def undo_cancel_number(request: ApiRequest, number_id: PathId) -> dict[str, Any]:
    _own(request, number_id)
    done = number_fees.undo_cancel_number(**acting(request), manager_id=request.company.pk, number_id=number_id)
    return cancelled(done, request.company.currency)


def _own(request: ApiRequest, number_id: int) -> Number:
    found = Number.objects.filter(manager=request.company, pk=number_id).first()
    if found is None:
        raise NotFound(f"There is no number {number_id} of this company.")
    return found


def _rentable(request: ApiRequest, number_id: int) -> Number:
    """In the operator's stock, or the company's own by now: a request that is repeated."""
    found = Number.objects.filter(pk=number_id).first()
    if found is None or found.manager_id not in (None, request.company.pk):
        raise NotFound(f"There is no number {number_id} to rent.")
    return found


def _shown(number: Number, term: Term | None, currency: str) -> dict[str, Any]:
    return {
        "id": number.pk,
        "number": f"+{number.e164}",
        "country": number.country,
        "area": number.area,
        "monthly_price": money(number.monthly_price_micros, currency),
        "profile_id": number.profile_id,
        "account_id": number.account_id,
        "paid_until": iso(term.ends_at) if term else None,
        "renews": bool(term and term.renews),
    }


def _stock(number: Number, currency: str) -> dict[str, Any]:
    return {
        "id": number.pk,
        "number": f"+{number.e164}",
        "country": number.country,
        "area": number.area,
        "monthly_price": money(number.monthly_price_micros, currency),
        "residency": number.residency,
        "agreement": agreement(number.e164, number.rental_terms, number.residency),
    }
