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
    if before.isascii() and before.isdecimal() and len(before) < 19:
        known = known.filter(pk__lt=int(before))
    found = list(known.order_by("-pk")[: ON_A_PAGE + 1])
    others = request.GET.copy()
    others.pop("before", None)
    older = found[ON_A_PAGE - 1].pk if len(found) > ON_A_PAGE else None
    return Listed(found[:ON_A_PAGE], older, not before, others.urlencode())
