"""The company's Online Numbers: bought from the operator's stock, allocated, cancelled (SPEC R7.1; guide 7.5)."""

from __future__ import annotations

import re

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from trunkline.domain.number_rental import rental_terms
from trunkline.manager import offers, scope
from trunkline.store import ledger
from trunkline.store.models import Number, Profile, Term
from trunkline.usecases import number_fees, number_places
from trunkline.usecases.notices import day_of
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.navigation import FEATURES, menu
from trunkline.web.templatetags.components import phone

ON_A_PAGE = 100


class BuyForm(PageForm):
    agreed = forms.BooleanField(label="I agree to these terms", error_messages={"required": "Without agreeing the number can't be rented."})


class PlaceForm(PageForm):
    """A SIP Profile, or the name of a member's account."""

    profile_id = forms.TypedChoiceField(label="SIP Profile", coerce=int, required=False)
    name = forms.CharField(
        label="Or a member's business account", max_length=64, required=False,
        help_text="Calls reach the SIP Profile that the account is on.",
    )  # fmt: skip

    def __init__(self, *args: object, profiles: QuerySet[Profile], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Nobody: keep it for later"), *((profile.pk, profile.name) for profile in profiles)]
        self.fields["profile_id"].choices = choices  # type: ignore[attr-defined] # a choice field

    def clean(self) -> None:
        if self.cleaned_data.get("profile_id") and self.cleaned_data.get("name"):
            self.add_error("name", "Choose a SIP Profile or a member, not both.")


@open_to(Audience.LOOK)
@require_safe
def numbers(request: CompanyRequest) -> HttpResponse:
    """The company's, wherever they are; `q`: digits of the number, its area, or where it is. The search follows the typing."""
    wanted = request.GET.get("q", "").strip()[:80]
    mine = Number.objects.filter(manager=request.company).select_related("profile", "account__profile").order_by("e164")
    found = list((mine.filter(_like(wanted)) if wanted else mine)[: ON_A_PAGE + 1])
    terms = {term.number_id: term for term in _open_terms(request).filter(number__in=found)}
    rows = [(number, terms.get(number.pk)) for number in found[:ON_A_PAGE]]
    return _page(request, "list.html", {"rows": rows, "more": len(found) > ON_A_PAGE, "wanted": wanted})


@open_to(Audience.LOOK)
@require_safe
def shop(request: CompanyRequest) -> HttpResponse:
    """What the operator has in the Manager's country, by area."""
    area = request.GET.get("area", "").strip()[:80]
    stock = _for_sale(request).filter(area__icontains=area) if area else _for_sale(request)
    rows = list(stock.order_by("area", "e164")[: ON_A_PAGE + 1])
    areas = _for_sale(request).exclude(area="").order_by("area").values_list("area", flat=True).distinct()[:500]
    page = {
        "rows": rows[:ON_A_PAGE],
        "more": len(rows) > ON_A_PAGE,
        "area": area,
        "areas": list(areas),
        "profile": scope.profile_asked(request),
    }
    return _page(request, "shop.html", page)


@open_to(Audience.LOOK, changes=Audience.PAY)
def buy(request: CompanyRequest, number_id: int) -> HttpResponse:
    """Price and terms first; what was agreed to is kept."""
    number = get_object_or_404(_for_sale(request), pk=number_id)
    profile = scope.profile_asked(request)
    form = BuyForm(request.POST or None)
    offer = number_fees.preview_number(now=now(), manager_id=request.company.pk, number_id=number.pk)
    if request.method == "POST" and form.is_valid() and not offer.problems:
        if not offers.as_shown(request, offer):
            form.add_error(None, offers.PRICE_CHANGED)
        elif form.act(_rent, request=request, number=number, profile=profile):
            messages.success(request, f"{phone(number.e164)} is yours. Next payment: {day_of(offer.ends_at, request.company)}.")
            return redirect("profile", profile.pk) if profile else redirect("number", number.pk)
    page = {
        "number": number,
        "offer": offer,
        "form": form,
        "profile": profile,
        "terms": rental_terms(number.rental_terms, number.residency),
        "free_micros": ledger.free(request.company.account),
        "reference": offers.reference(request),
    }
    return _page(request, "buy.html", page)


@open_to(Audience.LOOK)
@require_safe
def number(request: CompanyRequest, number_id: int) -> HttpResponse:
    """Guide 7.5.2."""
    found = _number(request, number_id)
    return _page(request, "number.html", {"number": found, "term": _term(request, found)})


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def reallocate(request: CompanyRequest, number_id: int) -> HttpResponse:
    """To another profile or member, or to nobody for now."""
    found = _number(request, number_id)
    form = PlaceForm(request.POST or None, profiles=scope.profiles_of(request), initial={"profile_id": found.profile_id})
    if request.method == "POST" and form.is_valid():
        form.act(_move, request=request, number=found, **form.cleaned_data)
        if not form.errors:
            messages.success(request, f"{phone(found.e164)} is allocated anew.")
            return redirect("number", found.pk)
    return _page(request, "reallocate.html", {"number": found, "form": form})


@open_to(Audience.LOOK, changes=Audience.PAY)
def cancel(request: CompanyRequest, number_id: int) -> HttpResponse:
    """First until when it can be used."""
    found = _number(request, number_id)
    term = _term(request, found)
    if term is None or not term.renews:
        return redirect("number", found.pk)
    if request.method == "POST":
        done = number_fees.cancel_number(**acting(request), manager_id=request.company.pk, number_id=found.pk)
        messages.success(request, f"{phone(found.e164)} is cancelled, and can be used until {day_of(done.ends_at, request.company)}.")
        return redirect("number", found.pk)
    return _page(request, "cancel.html", {"number": found, "term": term})


@open_to(Audience.PAY)
@require_POST
def undo(request: CompanyRequest, number_id: int) -> HttpResponse:
    found = _number(request, number_id)
    done = number_fees.undo_cancel_number(**acting(request), manager_id=request.company.pk, number_id=found.pk)
    messages.success(request, f"{phone(found.e164)} stays yours. Next payment: {day_of(done.ends_at, request.company)}.")
    return redirect("number", found.pk)


def _rent(*, request: CompanyRequest, number: Number, profile: Profile | None) -> bool:
    about = {**acting(request), "manager_id": request.company.pk, "number_id": number.pk}
    number_places.agree(**about)
    number_fees.rent_number(**about, profile_id=profile.pk if profile else None, reference=offers.reference(request))
    return True


def _move(*, request: CompanyRequest, number: Number, profile_id: int, name: str) -> None:
    about = {**acting(request), "manager_id": request.company.pk, "number_id": number.pk}
    if name:
        number_places.put_on_account(**about, name=name)
    elif profile_id:
        number_places.put_on_profile(**about, profile_id=profile_id)
    else:
        number_places.put_in_stock(**about)


def _for_sale(request: CompanyRequest) -> QuerySet[Number]:
    """In the operator's stock, with a price, of the Manager's country."""
    return Number.objects.filter(manager=None, country=request.company.country, monthly_price_micros__gt=0)


def _like(wanted: str) -> Q:
    """Written as a number, or a name of something."""
    if re.fullmatch(r"[0-9+() .-]*[0-9][0-9+() .-]*", wanted):
        return Q(e164__contains=re.sub(r"[^0-9]", "", wanted))
    return Q(area__icontains=wanted) | Q(profile__name__icontains=wanted) | Q(account__name__icontains=wanted)


def _open_terms(request: CompanyRequest) -> QuerySet[Term]:
    return Term.objects.filter(manager=request.company, kind=Term.Kind.NUMBER, ended_at=None)


def _term(request: CompanyRequest, number: Number) -> Term | None:
    return _open_terms(request).filter(number=number).first()


def _number(request: CompanyRequest, number_id: int) -> Number:
    mine = Number.objects.filter(manager=request.company).select_related("profile", "account__profile")
    return get_object_or_404(mine, pk=number_id)


def _page(request: CompanyRequest, template: str, page: dict[str, object]) -> HttpResponse:
    return render(request, f"manager/numbers/{template}", {"menu": menu(request, FEATURES), "menu_label": "Features", **page})


urlpatterns = [
    path("numbers", numbers, name="numbers"),
    path("numbers/buy", shop, name="number_shop"),
    path("numbers/buy/<int:number_id>", buy, name="number_buy"),
    path("numbers/<int:number_id>", number, name="number"),
    path("numbers/<int:number_id>/reallocate", reallocate, name="number_reallocate"),
    path("numbers/<int:number_id>/cancel", cancel, name="number_cancel"),
    path("numbers/<int:number_id>/undo", undo, name="number_undo"),
]
