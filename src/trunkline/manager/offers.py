"""Buying by offer: the price is shown first, and what is bought is what was shown (SPEC R2.1, R3.1)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django import forms

from trunkline.domain.terms import Offer
from trunkline.store import ledger
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

PRICE_CHANGED = "The price has changed since you looked: see the new one below, then buy."


class OfferForm(PageForm):
    """How many; the rest comes back from the page on which the offer was shown. `quantity_name`: of the field, for a use case's errors."""

    field_of: ClassVar[dict[str, str]] = {"channels": "quantity", "bundles": "quantity"}
    quantity = forms.IntegerField(min_value=0, max_value=100_000, widget=forms.NumberInput(attrs={"min": 1, "autocomplete": "off"}))

    def __init__(self, *args: Any, label: str, most: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        quantity = self.fields["quantity"]
        quantity.label = label
        if most is not None:
            quantity.widget.attrs["max"] = most


def given(request: CompanyRequest) -> Any:
    """What was typed: shown with GET, bought with POST. None: nothing yet."""
    typed = request.POST if request.method == "POST" else request.GET
    return typed if "quantity" in typed else None


def as_shown(request: CompanyRequest, offer: Offer) -> bool:
    """Is the price still that of the page? A refund is counted to the second when it is bought, and can't be."""
    return request.POST.get("shown_micros", "") == str(offer.price_micros)


def shown(request: CompanyRequest, form: OfferForm, offer: Offer | None) -> dict[str, Any]:
    """What the page of an offer needs. `due_micros`: to pay, or to get back."""
    return {
        "form": form,
        "offer": offer,
        "due_micros": abs(offer.to_pay_micros) if offer else 0,
        "free_micros": ledger.free(request.company.account),
        "reference": reference(request),
    }


def reference(request: CompanyRequest) -> str:
    """Of the purchase: the same form, sent twice, buys once."""
    return request.POST.get("reference", "")[:40] or uuid4().hex
