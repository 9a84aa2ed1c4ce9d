"""Buying by offer: the price is shown first, and what is bought is what was shown (SPEC R2.1, R3.1)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django import forms

from trunkline.domain.channels import MOST_CHANNELS
from trunkline.domain.money import for_people
from trunkline.domain.terms import Basket, Offer
from trunkline.store import ledger
from trunkline.store.models import BundleProduct
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

PRICE_CHANGED = "The price has changed since you looked: see the new one below, then buy."

BUNDLE = "bundle_"
"""Begins the names of the fields of bundles; the product's id ends them."""


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


def bundle_field(product: BundleProduct, currency: str, *, have: int = 0) -> forms.IntegerField:
    """How many of a product beside other things; empty: as it is. `have`: so many run."""
    each = f"{product.minutes:,} minutes each, {for_people(product.price_micros, currency)} for 30 days."
    return forms.IntegerField(
        label=product.name,
        help_text=f"{each} Now there are {have}: leave it empty to keep them." if have else each,
        required=False,
        min_value=1 if have else 0,
        max_value=MOST_CHANNELS,
        error_messages={"min_value": "To have none, cancel them under Minute bundles."} if have else None,
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )


def given(request: CompanyRequest) -> Any:
    """What was typed: shown with GET, bought with POST. None: nothing yet."""
    typed = request.POST if request.method == "POST" else request.GET
    return typed if "quantity" in typed else None


def as_shown(request: CompanyRequest, offer: Offer | Basket) -> bool:
    """Is the price still that of the page? A refund is counted to the second when it is bought, and can't be."""
    return request.POST.get("shown_micros", "") == str(offer.price_micros)


def shown(request: CompanyRequest, form: OfferForm, offer: Offer | Basket | None) -> dict[str, Any]:
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
