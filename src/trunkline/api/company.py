"""The Manager itself: its Credit, what it can buy, its history."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Query, Router, Schema

from trunkline.api.door import ApiRequest, Right
from trunkline.api.shapes import TEXT, Cursor, Limit, Moment, Money, answers, iso, listed, money
from trunkline.store import ledger
from trunkline.store.models import AuditEntry, BundleProduct
from trunkline.web.access import Audience

router = Router(tags=["Manager"])


class ManagerOut(Schema):
    id: int
    company_name: str
    country: str
    currency: str
    time_zone: str
    state: str
    verification: str
    balance: Money
    held: Money
    free: Money


class ProductOut(Schema):
    id: int
    code: str
    name: str
    minutes: int
    country: str
    price: Money


class ProductsOut(Schema):
    """`channel_price`: of one channel for 30 days; null: none are sold."""

    channel_price: Money | None
    bundles: list[ProductOut]


class EntryOut(Schema):
    id: int
    at: Moment
    actor: str
    source: str
    action: str
    target: str
    before: dict[str, Any]
    after: dict[str, Any]


class EntriesOut(Schema):
    items: list[EntryOut]
    next_cursor: str | None


@router.get("/manager", auth=Right(Audience.LOOK), response=answers(ManagerOut), summary="The Manager and its Credit")
def get_manager(request: ApiRequest) -> dict[str, Any]:
    company = request.company
    purse = company.account
    return {
        "id": company.pk,
        "company_name": company.company_name,
        "country": company.country,
        "currency": company.currency,
        "time_zone": company.time_zone,
        "state": company.state,
        "verification": company.verification,
        "balance": money(purse.balance, purse.currency),
        "held": money(purse.held, purse.currency),
        "free": money(ledger.free(purse), purse.currency),
    }


@router.get("/products", auth=Right(Audience.LOOK), response=answers(ProductsOut), summary="What can be bought, and its prices")
def list_products(request: ApiRequest) -> dict[str, Any]:
    currency, unit = request.company.currency, request.company.price_list.channel_price_micros
    sold = BundleProduct.objects.filter(price_list=request.company.price_list, sold=True).order_by("name")
    return {
        "channel_price": None if unit is None else money(unit, currency),
        "bundles": [
            {
                "id": each.pk,
                "code": each.code,
                "name": each.name,
                "minutes": each.minutes,
                "country": each.country,
                "price": money(each.price_micros, currency),
            }
            for each in sold
        ],
    }


@router.get("/audit-log", auth=Right(Audience.LOOK), response=answers(EntriesOut), summary="Who changed what")
def list_audit_log(
    request: ApiRequest, cursor: Cursor = "", limit: Limit = 50, actor: Annotated[str, Query(max_length=80, pattern=TEXT)] = ""
) -> dict[str, Any]:
    entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(manager=request.company)
    return listed(entries.filter(actor=actor) if actor else entries, _entry, cursor, limit)


def _entry(entry: AuditEntry) -> dict[str, Any]:
    about = {name: getattr(entry, name) for name in ("actor", "source", "action", "target", "before", "after")}
    return {"id": entry.pk, "at": iso(entry.at), **about}
