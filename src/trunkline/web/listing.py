"""Long lists, newest first, a page at a time: `web/parts/older.html` has the links to the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

ON_A_PAGE = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """`query`: what else the address says, for the links to other pages. `older`: the last id shown, when there are more."""

    rows: list[Row]
    older: int | None
    is_first: bool
    query: str


def newest_first(request: HttpRequest, known: QuerySet[Row]) -> Listed[Row]:
    """`before` is the last id of the page before."""
    before = request.GET.get("before", "")
    is_number = before.isascii() and before.isdecimal() and len(before) < 19
    found, older = rows_before(known, int(before) if is_number else None, ON_A_PAGE)
    others = request.GET.copy()
    others.pop("before", None)
    return Listed(found, older, not before, others.urlencode())


def rows_before(known: QuerySet[Row], before: int | None, size: int) -> tuple[list[Row], int | None]:
    """Newest first, by id: a page stays what it is while new rows come. Also the last id, when there are older ones."""
    if before is not None:
        known = known.filter(pk__lt=before)
    found = list(known.order_by("-pk")[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None
