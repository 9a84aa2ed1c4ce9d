"""Minute bundles of a profile: added, changed, cancelled, extended (guide 7.3, SPEC R5)."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.manager import offers, scope
from trunkline.manager.profile import page_of
from trunkline.store.models import BundleProduct, Profile, Term
from trunkline.usecases import bundles as use_cases, terms
from trunkline.usecases.notices import day_of
from trunkline.usecases.terms import Bought
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm

KEEP, AT_ONCE = "keep", "at_once"


class CancelForm(PageForm):
    when = forms.ChoiceField(label="When?", choices=[(KEEP, ""), (AT_ONCE, "")], initial=KEEP)


@open_to(Audience.LOOK)
@require_safe
def bundles(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Those that run, and those that can be bought."""
    profile = scope.profile_of(request, profile_id)
    have = _running(profile)
    known = [term.product_id for term in have if term.product_id is not None]
    on_sale = BundleProduct.objects.filter(price_list=request.company.price_list_id, sold=True).exclude(pk__in=known).order_by("name")
    return page_of(request, profile, "manager/bundles/bundles.html", {"terms": have, "on_sale": on_sale})


@open_to(Audience.LOOK, changes=Audience.PAY)
def buy(request: CompanyRequest, profile_id: int, product_id: int) -> HttpResponse:
    """Guide 7.3.1."""
    profile, product, term = _found(request, profile_id, product_id)
    if term:
        return redirect("bundles_change", profile_id, product_id)
    return _take(request, profile, product, None, use_cases.buy_bundles)


@open_to(Audience.LOOK, changes=Audience.PAY)
def change(request: CompanyRequest, profile_id: int, product_id: int) -> HttpResponse:
    """Guide 7.3.2."""
    profile, product, term = _found(request, profile_id, product_id)
    if not term:
        return redirect("bundles_buy", profile_id, product_id)
    return _take(request, profile, product, term, use_cases.change_bundles)


@open_to(Audience.LOOK, changes=Audience.PAY)
def cancel(request: CompanyRequest, profile_id: int, product_id: int) -> HttpResponse:
    """Guide 7.3.3: kept until they expire, or ended at once for what is unused."""
    profile, product, term = _found(request, profile_id, product_id)
    if not term:
        raise Http404
    which = {"profile_id": profile.pk, "product_id": product.pk}
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        at_once = form.cleaned_data["when"] == AT_ONCE
        if done := form.act(use_cases.cancel_bundles, **acting(request), **which, at_once=at_once):
            said = "They have ended." if at_once else f"Their minutes can be used until {day_of(done.ends_at, request.company)}."
            messages.success(request, f"{product.name}: cancelled. {said}")
            return redirect("bundles", profile_id)
    plan = use_cases.preview_bundle_cancellation(now=now(), **which)
    return page_of(request, profile, "manager/bundles/cancel.html", {"form": form, "plan": plan, "term": term, "product": product})


@open_to(Audience.LOOK, changes=Audience.PAY)
def extend(request: CompanyRequest, profile_id: int, product_id: int) -> HttpResponse:
    """Guide 7.3.4: they are renewed again."""
    profile, product, term = _found(request, profile_id, product_id)
    if not term:
        raise Http404
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        done = form.act(use_cases.extend_bundles, **acting(request), profile_id=profile.pk, product_id=product.pk)
        if done:
            messages.success(request, f"{product.name}: extended. Next payment: {day_of(done.ends_at, request.company)}.")
            return redirect("bundles", profile_id)
    price_micros = product.price_micros * term.quantity
    return page_of(
        request, profile, "manager/bundles/extend.html", {"form": form, "term": term, "product": product, "price_micros": price_micros}
    )


def _take(
    request: CompanyRequest, profile: Profile, product: BundleProduct, term: Term | None, use_case: Callable[..., Bought]
) -> HttpResponse:
    """Ask, show the offer, take it. An offer with problems can't be taken."""
    form = offers.OfferForm(offers.given(request), label=f"How many of {product.name}?", most=profile.channels or None)
    ordered = {"profile_id": profile.pk, "product_id": product.pk, "quantity": form.cleaned_data["quantity"]} if form.is_valid() else {}
    offer = form.act(use_cases.preview_bundles, now=now(), **ordered) if ordered else None
    if request.method == "POST" and offer and not offer.problems:
        if not offers.as_shown(request, offer):
            form.add_error(None, offers.PRICE_CHANGED)
        elif bought := form.act(use_case, **acting(request), **ordered, reference=offers.reference(request)):
            messages.success(
                request, f"{bought.quantity} × {product.name}: added. Next payment: {day_of(bought.ends_at, request.company)}."
            )
            return redirect("bundles", profile.pk)
    page = {"product": product, "term": term, **offers.shown(request, form, offer)}
    return page_of(request, profile, "manager/bundles/take.html", page)


def _found(request: CompanyRequest, profile_id: int, product_id: int) -> tuple[Profile, BundleProduct, Term | None]:
    """A product of the company's price list, and the profile's term of it."""
    profile = scope.profile_of(request, profile_id)
    product = get_object_or_404(BundleProduct, pk=product_id, price_list=request.company.price_list_id)
    return profile, product, next((term for term in _running(profile) if term.product_id == product_id), None)


def _running(profile: Profile) -> list[Term]:
    """Without a cancelled one that has run out, though nobody has noted it yet."""
    open_terms, at = [term for term in scope.open_terms(profile) if term.kind == Term.Kind.BUNDLE], now()
    return [term for term in open_terms if not terms.running(term).is_over(at)]


urlpatterns = [
    path("trunks/<int:profile_id>/bundles", bundles, name="bundles"),
    path("trunks/<int:profile_id>/bundles/<int:product_id>/buy", buy, name="bundles_buy"),
    path("trunks/<int:profile_id>/bundles/<int:product_id>/change", change, name="bundles_change"),
    path("trunks/<int:profile_id>/bundles/<int:product_id>/cancel", cancel, name="bundles_cancel"),
    path("trunks/<int:profile_id>/bundles/<int:product_id>/extend", extend, name="bundles_extend"),
]
