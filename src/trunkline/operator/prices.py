"""Price lists: what calls, channels and bundles cost (SPEC R6.2). Their sheets: `price_import`."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.domain.recharge import Recommended
from trunkline.operator.pages import form_page, operator_page
from trunkline.store.models import AuditEntry, BundleProduct, Price, PriceList
from trunkline.store.queries import prices_in_force
from trunkline.usecases import prices, products, recharge_rules
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.forms import AmountField, PageForm

MOST_SHOWN = 100
EXAMPLES = 8


class NewListForm(PageForm):
    name = forms.CharField(max_length=80)
    currency = forms.CharField(max_length=3, help_text="Three letters, such as USD.")
    echo_number = forms.CharField(
        max_length=20, required=False, label="Echo test", help_text="A number that is answered free, such as +17606604690."
    )


class ChannelForm(PageForm):
    field_of = {"channel_price": "channel"}  # noqa: RUF012 - as in PageForm
    channel = AmountField(
        label="One calling channel for 30 days", required=False, help_text="Empty: channels are not sold, and not renewed."
    )


class RecommendForm(PageForm):
    threshold = AmountField(label="SIP Profiles: recharge below")
    amount = AmountField(label="SIP Profiles: recharge by")
    manager_threshold = AmountField(label="Managers: recharge below")
    manager_amount = AmountField(label="Managers: recharge by")


class BundleForm(PageForm):
    field_of = {"price": "price_micros"}  # noqa: RUF012 - as in PageForm
    code = forms.CharField(max_length=32, help_text="Such as us-5000. The code of a bundle that is there changes that one.")
    name = forms.CharField(max_length=80, help_text="What customers read, such as 5,000 US minutes.")
    minutes = forms.IntegerField(min_value=1)
    price_micros = AmountField(label="Price for 30 days")
    country = forms.CharField(max_length=2, help_text="Whose numbers it is for: two letters.")
    excluded_prefixes = forms.CharField(
        max_length=32, required=False, label="List of prefixes left out", help_text="Such as us-traffic-exchanges."
    )
    sold = forms.BooleanField(label="Can be bought", required=False, initial=True)


@open_to(Audience.STAFF)
@require_safe
def price_lists(request: HttpRequest) -> HttpResponse:
    at = now()
    in_force = Q(prices__effective_from__lte=at) & (Q(prices__effective_until=None) | Q(prices__effective_until__gt=at))
    rows = PriceList.objects.annotate(prefixes=Count("prices", filter=in_force)).order_by("name")[:MOST_SHOWN]
    return operator_page(request, "operator/prices/lists.html", {"rows": rows})


@open_to(Audience.OPERATOR)
def create(request: HttpRequest) -> HttpResponse:
    form = NewListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ident = form.act(prices.create_price_list, **acting(request), **form.cleaned_data)
        if ident is not None:
            messages.success(request, "The price list is made. Import its prices now.")
            return redirect("operator_price_list", ident)
    return form_page(request, form, "New price list", "Make it", ("Price lists", reverse("operator_price_lists")))


@open_to(Audience.STAFF)
@require_safe
def price_list(request: HttpRequest, price_list_id: int) -> HttpResponse:
    """Its prices (all, or those that could apply to a number), products, and who imported what."""
    found = get_object_or_404(PriceList, pk=price_list_id)
    wanted = "".join(filter(str.isdecimal, request.GET.get("number", "")))[:15]
    rows = prices_in_force(found.pk, now())
    if wanted:
        rows = rows.filter(prefix__in=[wanted[:length] for length in range(1, len(wanted) + 1)]).order_by("-prefix")
    page = {
        "found": found,
        "wanted": wanted,
        "count": prices_in_force(found.pk, now()).count(),
        "prices": rows if wanted else rows.order_by("prefix")[:EXAMPLES],
        "planned": Price.objects.filter(price_list=found, effective_from__gt=now()).count(),
        "bundles": BundleProduct.objects.filter(price_list=found).order_by("code"),
        "entries": AuditEntry.objects.filter(target=f"price list {found.pk}").order_by("-id")[:EXAMPLES],
    }
    return operator_page(request, "operator/prices/list.html", page)


@open_to(Audience.OPERATOR)
def channel_price(request: HttpRequest, price_list_id: int) -> HttpResponse:
    found = get_object_or_404(PriceList, pk=price_list_id)
    form = ChannelForm(request.POST or None, initial={"channel": found.channel_price_micros})
    if request.method == "POST" and form.is_valid():
        form.act(products.set_channel_price, **acting(request), price_list_id=found.pk, price_micros=form.cleaned_data["channel"])
        if not form.errors:
            messages.success(request, "The price of a calling channel is set. What runs keeps its price until it is renewed.")
            return redirect("operator_price_list", found.pk)
    return _form(request, found, form, "calling channels", "Save the price")


@open_to(Audience.OPERATOR)
def recommend(request: HttpRequest, price_list_id: int) -> HttpResponse:
    """Of Auto-recharge: for SIP Profiles, and for Managers."""
    found = get_object_or_404(PriceList, pk=price_list_id)
    initial = {
        "threshold": found.recharge_threshold_micros,
        "amount": found.recharge_amount_micros,
        "manager_threshold": found.manager_recharge_threshold_micros,
        "manager_amount": found.manager_recharge_amount_micros,
    }
    form = RecommendForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        form.act(
            recharge_rules.recommend,
            **acting(request),
            price_list_id=found.pk,
            profile=Recommended(given["threshold"], given["amount"]),
            manager=Recommended(given["manager_threshold"], given["manager_amount"]),
        )
        if not form.errors:
            messages.success(request, "The recommended amounts are set.")
            return redirect("operator_price_list", found.pk)
    return _form(request, found, form, "recommended amounts", "Save the amounts")


@open_to(Audience.OPERATOR)
def bundle(request: HttpRequest, price_list_id: int) -> HttpResponse:
    """A new one, or the one that `code` in the address names."""
    found = get_object_or_404(PriceList, pk=price_list_id)
    known = BundleProduct.objects.filter(price_list=found, code=request.GET.get("code", "")).first()
    form = BundleForm(request.POST or None, initial={name: getattr(known, name) for name in BundleForm.base_fields} if known else None)
    if request.method == "POST" and form.is_valid():
        excluded = tuple(known.excluded_types) if known else ()
        given = form.cleaned_data | {"country": form.cleaned_data["country"].upper(), "excluded_types": excluded}
        form.act(products.set_bundle_product, **acting(request), price_list_id=found.pk, **given)
        if not form.errors:
            messages.success(request, f"{given['name']} is saved. Bundles that run keep their minutes and price until they are renewed.")
            return redirect("operator_price_list", found.pk)
    return _form(request, found, form, known.name if known else "new minute bundle", "Save the bundle")


def _form(request: HttpRequest, found: PriceList, form: PageForm, title: str, verb: str) -> HttpResponse:
    return form_page(request, form, f"{found.name}: {title}", verb, (found.name, reverse("operator_price_list", args=[found.pk])))


urlpatterns = [
    path("prices", price_lists, name="operator_price_lists"),
    path("prices/new", create, name="operator_price_create"),
    path("prices/<int:price_list_id>", price_list, name="operator_price_list"),
    path("prices/<int:price_list_id>/channels", channel_price, name="operator_price_channels"),
    path("prices/<int:price_list_id>/recommend", recommend, name="operator_price_recommend"),
    path("prices/<int:price_list_id>/bundle", bundle, name="operator_price_bundle"),
]
