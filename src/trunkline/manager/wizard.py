"""A new profile in four steps: name, channels, bundles, review with the exact price (guide 6, SPEC R2.1).

What was answered travels in the address, so every step can be gone back to, and nothing is there before the last one is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trunkline.domain.errors import Problem
from trunkline.domain.recharge import Recommended
from trunkline.manager import offers, scope
from trunkline.manager.profile import page_of
from trunkline.store import ledger
from trunkline.store.models import BundleProduct
from trunkline.usecases import profiles, recharge_rules
from trunkline.usecases.profile_orders import Order, ProfileOffer, preview_profile
from trunkline.usecases.profiles import ProfileCreated
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.navigation import FEATURES, menu

STEPS = {
    "name": ("Name", "profile_create"),
    "channels": ("Calling channels", "profile_create_channels"),
    "bundles": ("Minute bundles", "profile_create_bundles"),
    "review": ("Review", "profile_create_review"),
}


class NameForm(PageForm):
    name = forms.CharField(
        label="Profile name", max_length=80, help_text="Such as the department or the place of its PBX. Only your own people see it."
    )


class ChannelsForm(PageForm):
    channels = forms.IntegerField(
        label="How many calls at the same time, at most?",
        required=False,
        min_value=0,
        max_value=100_000,
        help_text="Room for one call each, outgoing or incoming. 1 to 300; above 100 they are sold by tens. Leave it empty to buy them later.",
    )


class BundlesForm(PageForm):
    """One field for each product on sale."""

    def __init__(self, *args: Any, products: list[BundleProduct], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for product in products:
            self.fields[f"{offers.BUNDLE}{product.pk}"] = offers.bundle_field(product, currency)


@dataclass
class Answers:
    """What was typed so far. `wrong`: the first step with something to put right before `step` can be shown."""

    request: CompanyRequest
    typed: QueryDict

    @cached_property
    def products(self) -> list[BundleProduct]:
        return list(BundleProduct.objects.filter(price_list=self.request.company.price_list_id, sold=True).order_by("name"))

    @cached_property
    def by_step(self) -> dict[str, PageForm]:
        """Those of steps that were answered are bound to their answers."""
        answered = "channels" in self.typed
        return {
            "name": NameForm(self.typed if "name" in self.typed else None),
            "channels": ChannelsForm(self.typed if answered else None),
            "bundles": BundlesForm(self.typed if answered else None, products=self.products, currency=self.request.company.currency),
        }

    def wrong(self, step: str) -> str:
        for earlier in list(STEPS)[: list(STEPS).index(step)]:
            if not self.stands(earlier):
                return earlier
        return ""

    def stands(self, step: str) -> bool:
        """Was it answered, with something that can be? Money is looked at in the end."""
        form = self.by_step[step]
        if form.is_valid() and step == "name" and (problem := self._problem_of_name()):
            form.add_error("name", problem)
        if step == "channels" and self.value("channels", "channels"):
            form.act(preview_profile, now=now(), manager_id=self.request.company.pk, name="new", order=self.order("channels"))
        return form.is_valid()

    def order(self, through: str = "bundles") -> Order:
        """Of what is answered. Without channels there are no bundles."""
        channels = self.value("channels", "channels")
        if not channels or through == "channels":
            return Order(channels)
        chosen = ((product.pk, self.value("bundles", f"{offers.BUNDLE}{product.pk}")) for product in self.products)
        return Order(channels, tuple((ident, number) for ident, number in chosen if number))

    def offer(self, through: str = "bundles") -> ProfileOffer:
        name = self.by_step["name"].cleaned_data["name"]
        return preview_profile(now=now(), manager_id=self.request.company.pk, name=name, order=self.order(through))

    def value(self, step: str, field: str) -> int:
        form = self.by_step[step]
        return (form.cleaned_data.get(field) if form.is_valid() else None) or 0

    def kept(self, *, without: str = "") -> list[tuple[str, str]]:
        """For the next address: all but what the step itself asks."""
        own = self.by_step[without].fields if without in self.by_step else ()
        names = [name for form in self.by_step.values() for name in form.fields if name not in own]
        return [(name, str(self.typed[name])) for name in names if name in self.typed]

    def _problem_of_name(self) -> str:
        try:
            problems = preview_profile(
                now=now(), manager_id=self.request.company.pk, name=self.by_step["name"].cleaned_data["name"]
            ).problems
        except Problem as problem:
            return str(problem)
        return problems[0] if problems else ""


@open_to(Audience.LOOK)
@require_safe
def step(request: CompanyRequest, step: str = "name") -> HttpResponse:
    """One question each; with a wrong answer before, that one again."""
    answers = Answers(request, request.GET)
    if wrong := answers.wrong(step):
        return _ask(answers, wrong)
    if step == "bundles" and not (answers.value("channels", "channels") and answers.products):
        return redirect(f"{reverse('profile_create_review')}?{urlencode(answers.kept())}")
    return _ask(answers, step)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
@never_cache
def review(request: CompanyRequest) -> HttpResponse:
    """What it will cost, then it is made. The registration details follow at once (guide 6, step 8)."""
    answers = Answers(request, request.POST if request.method == "POST" else request.GET)
    if wrong := answers.wrong("review"):
        return _ask(answers, wrong)
    offer, form = answers.offer(), PageForm(answers.typed)
    if request.method == "POST" and not offer.problems:
        if request.POST.get("shown_micros") != str(offer.to_pay_micros):
            form.add_error(None, offers.PRICE_CHANGED)
        elif made := _create(answers, form):
            return _created(answers, made)
    names = [product.name for product in answers.products for ident, _ in answers.order().bundles if ident == product.pk]
    page = {
        "form": form,
        "offer": offer,
        "bundle_offers": list(zip(names, offer.bundles, strict=True)),
        "recommended": _recommended(answers),
        "free_micros": ledger.free(request.company.account),
        "edit": {name: f"{reverse(url)}?{urlencode(answers.kept())}" for name, (_, url) in STEPS.items()},
    }
    return _show(answers, "review", "manager/wizard/review.html", page)


def _ask(answers: Answers, step: str) -> HttpResponse:
    form = answers.by_step[step]
    following = list(STEPS)[list(STEPS).index(step) + 1]
    offer = answers.offer(step) if step != "name" and answers.stands(step) and answers.order(step).channels else None
    page = {"form": form, "next_url": reverse(STEPS[following][1]), "hidden": answers.kept(without=step), "offer": offer}
    return _show(answers, step, f"manager/wizard/{step}.html", page)


def _show(answers: Answers, step: str, template: str, page: dict[str, Any]) -> HttpResponse:
    at = list(STEPS).index(step)
    steps = [
        (text, f"{reverse(url)}?{urlencode(answers.kept())}" if number < at else "") for number, (text, url) in enumerate(STEPS.values())
    ]
    prices = answers.request.company.price_list
    side = {"menu": menu(answers.request, FEATURES), "menu_label": "Features", "channel_price_micros": prices.channel_price_micros}
    about = {"steps": steps, "at": at, "trunks_url": reverse("trunks"), "kept": answers.kept()}
    return render(answers.request, template, side | about | page)


def _create(answers: Answers, form: PageForm) -> ProfileCreated | None:
    request = answers.request
    order = answers.order()
    name = answers.by_step["name"].cleaned_data["name"]
    return form.act(
        profiles.create_profile,
        **acting(request),
        manager_id=request.company.pk,
        name=name,
        sip_domain=scope.instance().sip_domain,
        order=order,
    )


def _created(answers: Answers, made: ProfileCreated) -> HttpResponse:
    """The details, and what to do next. Auto-recharge is on when it was left on (SPEC R4.2)."""
    request, better = answers.request, _recommended(answers)
    request.company.account.refresh_from_db()  # paid from since it was read
    recharged = bool(better and request.POST.get("recharge"))
    if better and recharged:
        amounts: dict[str, Any] = {"threshold_micros": better.threshold_micros, "amount_micros": better.amount_micros}
        recharge_rules.set_recharge(**acting(request), profile_id=made.profile_id, **amounts)
    page = {
        "password": made.password,
        "recharged": recharged,
        "echo_number": request.company.price_list.echo_number,
        "instance": scope.instance(),
        "tab": "registration",
    }
    return page_of(request, scope.profile_of(request, made.profile_id), "manager/wizard/created.html", page)


def _recommended(answers: Answers) -> Recommended | None:
    """For the profile's Auto-recharge; None when the price list recommends nothing."""
    prices = answers.request.company.price_list
    amounts = Recommended(prices.recharge_threshold_micros, prices.recharge_amount_micros)
    return amounts if amounts.amount_micros > 0 else None


urlpatterns = [
    path("trunks/new", step, name="profile_create"),
    path("trunks/new/channels", step, {"step": "channels"}, name="profile_create_channels"),
    path("trunks/new/bundles", step, {"step": "bundles"}, name="profile_create_bundles"),
    path("trunks/new/review", review, name="profile_create_review"),
]
