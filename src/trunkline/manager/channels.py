"""Calling channels of a profile: bought, changed, cancelled, and cancelled not after all (guide 7.1, SPEC R3).

Minute bundles can be bought or changed with them, on the same page and by the same payment.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from trunkline.domain.channels import MOST_CHANNELS
from trunkline.manager import offers, scope
from trunkline.manager.profile import page_of
from trunkline.store.models import BundleProduct, Profile, Term
from trunkline.usecases import profile_orders, subscriptions, terms
from trunkline.usecases.notices import day_of
from trunkline.usecases.profile_orders import CHANNELS, Order
from trunkline.usecases.terms import Bought
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

LABEL = "How many calls at the same time, at most?"


class ChannelsForm(offers.OfferForm):
    """And, if wanted, how many minute bundles of each product on sale."""

    def __init__(self, *args: Any, products: list[BundleProduct], have: dict[int | None, int], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, label=LABEL, most=MOST_CHANNELS, **kwargs)
        self.products, self.have = products, have
        for product in products:
            self.fields[f"{offers.BUNDLE}{product.pk}"] = offers.bundle_field(product, currency, have=have.get(product.pk, 0))

    @property
    def bundles(self) -> list[BoundField]:
        return [self[f"{offers.BUNDLE}{product.pk}"] for product in self.products]

    @property
    def asks_bundles(self) -> bool:
        return any(field.value() or field.errors for field in self.bundles)

    def order(self) -> Order:
        chosen = ((product.pk, self.cleaned_data[f"{offers.BUNDLE}{product.pk}"]) for product in self.products)
        return Order(self.cleaned_data["quantity"], tuple((ident, number) for ident, number in chosen if number))


@open_to(Audience.LOOK)
@require_safe
def channels(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """The subscription as it is, and what can be done with it."""
    profile = scope.profile_of(request, profile_id)
    return page_of(request, profile, "manager/channels/channels.html", {"term": running(profile), "in_use": scope.in_use(profile)})


@open_to(Audience.LOOK, changes=Audience.PAY)
def buy(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.1.1."""
    profile = scope.profile_of(request, profile_id)
    if running(profile):
        return redirect("channels_change", profile_id)
    return _take(request, profile)


@open_to(Audience.LOOK, changes=Audience.PAY)
def change(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.1.2: what is unused comes back, a new 30 days begin."""
    profile = scope.profile_of(request, profile_id)
    if not running(profile):
        return redirect("channels_buy", profile_id)
    return _take(request, profile)


@open_to(Audience.LOOK, changes=Audience.PAY)
def cancel(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.1.3: first until when the channels can be used."""
    profile = scope.profile_of(request, profile_id)
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and (done := form.act(subscriptions.cancel_channels, **acting(request), profile_id=profile.pk)):
        messages.success(
            request, f"The channel subscription is cancelled. Its channels can be used until {day_of(done.ends_at, request.company)}."
        )
        return redirect("channels", profile_id)
    plan = subscriptions.preview_channel_cancellation(now=now(), profile_id=profile.pk)
    return page_of(request, profile, "manager/channels/cancel.html", {"form": form, "plan": plan, "term": running(profile)})


@open_to(Audience.PAY)
@require_POST
def undo(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """The cancellation is taken back."""
    profile = scope.profile_of(request, profile_id)
    done = subscriptions.undo_cancel_channels(**acting(request), profile_id=profile.pk)
    messages.success(request, f"The channel subscription goes on. Next payment: {day_of(done.ends_at, request.company)}.")
    return redirect("channels", profile_id)


def running(profile: Profile) -> Term | None:
    """None as well when a cancelled one has run out, though nobody has noted it yet."""
    open_terms, at = [term for term in scope.open_terms(profile) if term.kind == Term.Kind.CHANNELS], now()
    return next((term for term in open_terms if not terms.running(term).is_over(at)), None)


def _take(request: CompanyRequest, profile: Profile) -> HttpResponse:
    """Ask, show the offer, take it. An offer with problems can't be taken."""
    form = _form(request, profile)
    wanted = {"profile_id": profile.pk, "order": form.order()} if form.is_valid() else {}
    offer = form.act(profile_orders.preview_order, now=now(), **wanted) if wanted else None
    if request.method == "POST" and offer and not offer.problems:
        if not offers.as_shown(request, offer):
            form.add_error(None, offers.PRICE_CHANGED)
        elif bought := form.act(profile_orders.buy_order, **acting(request), **wanted, reference=offers.reference(request)):
            messages.success(request, _said(request, form, bought))
            return redirect("channels", profile.pk)
    names = {product.pk: product.name for product in form.products}
    lines = [("Calling channels" if key == CHANNELS else names[key], each) for key, each in offer.offers.items()] if offer else []
    page = {"term": running(profile), "lines": lines, **offers.shown(request, form, offer)}
    return page_of(request, profile, "manager/channels/take.html", page)


def _form(request: CompanyRequest, profile: Profile) -> ChannelsForm:
    products = BundleProduct.objects.filter(price_list=request.company.price_list_id, sold=True).order_by("name")
    at = now()
    have = {term.product_id: term.quantity for term in scope.open_terms(profile) if not terms.running(term).is_over(at)}
    return ChannelsForm(offers.given(request), products=list(products), have=have, currency=request.company.currency)


def _said(request: CompanyRequest, form: ChannelsForm, bought: dict[int, Bought]) -> str:
    things = [f"{bought[CHANNELS].quantity} calling channels"]
    things += [f"{bought[product.pk].quantity} × {product.name}" for product in form.products if product.pk in bought]
    return f"{' and '.join(things)} are there. Next payment: {day_of(bought[CHANNELS].ends_at, request.company)}."


urlpatterns = [
    path("trunks/<int:profile_id>/channels", channels, name="channels"),
    path("trunks/<int:profile_id>/channels/buy", buy, name="channels_buy"),
    path("trunks/<int:profile_id>/channels/change", change, name="channels_change"),
    path("trunks/<int:profile_id>/channels/cancel", cancel, name="channels_cancel"),
    path("trunks/<int:profile_id>/channels/undo", undo, name="channels_undo"),
]
