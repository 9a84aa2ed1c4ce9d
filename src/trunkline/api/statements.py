"""The statement: every movement of a purse in a month, with the balance after it."""

from __future__ import annotations

from typing import Annotated, Any

from django.core import signing
from ninja import Query, Router, Schema

from trunkline.api.calls import MonthText, ProfileId, month_of
from trunkline.api.door import ApiRequest, Right, acting, profile_ever
from trunkline.api.shapes import LARGEST_ID, Cursor, Limit, Money, answers, money
from trunkline.domain.errors import Invalid, NotFound
from trunkline.domain.statements import COLUMNS, SECONDS, Head
from trunkline.store.models import Term
from trunkline.store.statements import Purse
from trunkline.usecases import statements
from trunkline.usecases.statement_pages import Place, statement_page
from trunkline.web.access import Audience

router = Router(tags=["Statement"])
TermId = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="a bundle's minutes instead, in seconds (currency SEC)")]


class RowOut(Schema):
    """As in the file: `hash` continues the chain (docs/reference/statement-format.md)."""

    number: str
    posting: str
    at: str
    what: str
    other_side: str
    amount: str
    balance: str
    reference: str
    hash: str


class StatementOut(Schema):
    """Of bundles, amounts are seconds."""

    month: str
    purse: str
    currency: str
    opening_balance: Money
    is_closed: bool
    items: list[RowOut]
    next_cursor: str | None


@router.get("/statement", auth=Right(Audience.RECORDS), response=answers(StatementOut), summary="A purse's movements in a month")
def get_statement(  # noqa: PLR0917 - ninja names them
    request: ApiRequest, month: MonthText = "", profile_id: ProfileId = None, term_id: TermId = None, cursor: Cursor = "", limit: Limit = 50
) -> dict[str, Any]:
    """The Manager's Credit, or that of a profile, or a bundle's minutes. Oldest first. It names calls: needs a token that may see them."""
    purse, first = _purse(request, profile_id, term_id), month_of(request, month)
    salt = f"api statement {purse.account.pk} {first}"
    found = statement_page(**acting(request), purse=purse, month=first, after=_place(cursor, salt), size=limit)
    return {
        "month": f"{first:%Y-%m}",
        "purse": purse.words,
        "currency": purse.account.currency,
        "opening_balance": _opening(found.opening.balance, purse.account.currency),
        "is_closed": found.is_closed,
        "items": [dict(zip(COLUMNS, row.cells, strict=True)) for row in found.rows],
        "next_cursor": _sealed(found.next, salt) if found.next else None,
    }


def _purse(request: ApiRequest, profile_id: int | None, term_id: int | None) -> Purse:
    if profile_id is not None and term_id is not None:
        raise Invalid("term_id", "Give a profile or a term, not both.")
    if term_id is not None:
        if not Term.objects.filter(manager=request.company, pk=term_id, minutes__isnull=False).exists():
            raise NotFound(f"There is no bundle term {term_id}.")
        return statements.purse_of(term_id=term_id)
    if profile_id is None:
        return statements.purse_of(manager_id=request.company.pk)
    return statements.purse_of(profile_id=profile_ever(request, profile_id).pk)


def _opening(balance: int, currency: str) -> dict[str, str]:
    return {"amount": str(balance), "currency": currency} if currency == SECONDS else money(balance, currency)


def _sealed(place: Place, salt: str) -> str:
    head = place.head
    return signing.dumps([head.number, head.balance, head.digest, place.last_posting], salt=salt)


def _place(cursor: str, salt: str) -> Place | None:
    """Believed because it is ours: signed for this purse and month."""
    if not cursor:
        return None
    try:
        number, balance, digest, last_posting = signing.loads(cursor, salt=salt)
    except signing.BadSignature:
        raise Invalid("cursor", "This is no cursor of this statement: take `next_cursor` of the page before.") from None
    return Place(Head(number, balance, digest), last_posting)
