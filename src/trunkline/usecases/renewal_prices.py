"""What the next term costs, at the prices of now: for the renewal, for its reminder, and to find what can be paid (SPEC R3.2, R3.6)."""

from __future__ import annotations

from django.db.models import BigIntegerField, Case, F, Value, When

from trunkline.store.models import Manager, Term

RENEWAL_PRICE = F("quantity") * Case(
    When(complimentary=True, then=Value(0)),
    When(kind=Term.Kind.BUNDLE, then=F("product__price_micros")),
    When(kind=Term.Kind.NUMBER, then=F("number__monthly_price_micros")),
    default=F("manager__price_list__channel_price_micros"),
    output_field=BigIntegerField(),
)
"""`unit_price_micros` of as many as now, in SQL; NULL: not sold any more."""


def unit_price_micros(term: Term, manager: Manager) -> int | None:
    """Of one channel, bundle or number; `manager` is the term's. None: it is not sold any more."""
    if term.complimentary:
        return 0
    if term.product is not None:
        return term.product.price_micros
    return term.number.monthly_price_micros if term.number is not None else manager.price_list.channel_price_micros
