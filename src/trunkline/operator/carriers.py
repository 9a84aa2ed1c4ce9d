"""Carriers: where they are, how they feel, and which numbers they take (SPEC R6.1)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.operator.pages import form_page, operator_page
from trunkline.store import sealing
from trunkline.store.models import AuditEntry, Carrier
from trunkline.usecases import carriers
from trunkline.usecases.carriers import Gateway
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import AmountField, PageForm

NEWEST = 10


class GatewayForm(PageForm):
    field_of = {"address": "host"}  # noqa: RUF012 - as in PageForm
    host = forms.CharField(max_length=120, label="Address", help_text="Its calls come from there, too.")
    port = forms.IntegerField(min_value=1, max_value=65535, initial=5060)
    transport = forms.ChoiceField(choices=[("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS")])
    auth_user = forms.CharField(max_length=80, required=False, label="User", help_text="Empty: it knows us by our address.")
    auth_password = forms.CharField(
        max_length=200, required=False, label="Password", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    probe = forms.BooleanField(
        required=False,
        initial=True,
        label="Ask for its health",
        help_text="By OPTIONS. While it does not answer, other carriers are tried first.",
    )
    allow_private = forms.BooleanField(required=False, label="The address may be a private one", help_text="Of a network of our own.")

    def gateway(self, *, known: Carrier | None = None) -> Gateway:
        """A password that is left empty stays as it is."""
        given = {name: value for name, value in self.cleaned_data.items() if name not in ("allow_private", "name")}
        if known is not None and given["auth_user"] and not given["auth_password"] and known.auth_password_sealed:
            given["auth_password"] = sealing.unseal(known.auth_password_sealed)
        return Gateway(**given)


class NewCarrierForm(GatewayForm):
    name = forms.CharField(max_length=80)
    field_order = ("name",)


class RouteForm(PageForm):
    field_of = {"prefix": "beginning", "cost_per_minute": "cost"}  # noqa: RUF012 - as in PageForm
    beginning = forms.CharField(max_length=16, required=False, label="Numbers that begin with", help_text="Empty: all numbers.")
    priority = forms.IntegerField(min_value=0, max_value=carriers.MOST_PRIORITY, initial=10, help_text="The smallest is tried first.")
    cost = AmountField(label="Cost per minute", initial=0)


@open_to(Audience.STAFF)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    rows = Carrier.objects.annotate(route_count=Count("routes")).order_by("name")
    return operator_page(request, "operator/carriers/list.html", {"rows": rows})


@open_to(Audience.STAFF, changes=Audience.OPERATOR)
def carrier(request: HttpRequest, carrier_id: int) -> HttpResponse:
    """With its routes; a route that is sent is set, or replaces the one of the same prefix."""
    found = get_object_or_404(Carrier, pk=carrier_id)
    form = RouteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        route = {"prefix": given["beginning"], "priority": given["priority"], "cost_per_minute_micros": given["cost"]}
        form.act(carriers.set_route, **acting(request), carrier_id=found.pk, **route)
        if not form.errors:
            messages.success(request, "The route is set.")
            return redirect("operator_carrier", found.pk)
    page = {
        "found": found,
        "form": form,
        "routes": found.routes.order_by("prefix"),
        "entries": AuditEntry.objects.filter(target=f"carrier {found.pk}").order_by("-id")[:NEWEST],
    }
    return operator_page(request, "operator/carriers/carrier.html", page)


@open_to(Audience.OPERATOR)
def create(request: HttpRequest) -> HttpResponse:
    form = NewCarrierForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        private = form.cleaned_data["allow_private"]
        about = {"name": form.cleaned_data["name"], "gateway": form.gateway(), "allow_private": private}
        ident = form.act(carriers.create_carrier, **acting(request), **about)
        if ident is not None:
            messages.success(request, "The carrier is there. Say which numbers it takes: it gets none before.")
            return redirect("operator_carrier", ident)
    return form_page(request, form, "New carrier", "Add it", ("Carriers", reverse("operator_carriers")))


@open_to(Audience.OPERATOR)
def change(request: HttpRequest, carrier_id: int) -> HttpResponse:
    found = get_object_or_404(Carrier, pk=carrier_id)
    names = ("host", "port", "transport", "auth_user", "probe")
    form = GatewayForm(request.POST or None, initial={name: getattr(found, name) for name in names})
    form.fields["auth_password"].help_text = "Empty: it stays as it is."
    if request.method == "POST" and form.is_valid():
        private = form.cleaned_data["allow_private"]
        form.act(carriers.update_carrier, **acting(request), carrier_id=found.pk, gateway=form.gateway(known=found), allow_private=private)
        if not form.errors:
            messages.success(request, "The carrier is changed. Calls in progress go on.")
            return redirect("operator_carrier", found.pk)
    return form_page(request, form, f"{found.name}: gateway", "Save", (found.name, reverse("operator_carrier", args=[found.pk])))


@open_to(Audience.OPERATOR)
def switch(request: HttpRequest, carrier_id: int) -> HttpResponse:
    """Off: no calls to it and none from it. What that means is shown first."""
    found = get_object_or_404(Carrier, pk=carrier_id)
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        form.is_valid()
        form.act(carriers.set_carrier_enabled, **acting(request), carrier_id=found.pk, enabled=request.POST.get("to") == "on")
        if not form.errors:
            messages.success(request, f"{found.name} is {'on' if request.POST.get('to') == 'on' else 'off'}.")
            return redirect("operator_carrier", found.pk)
    return operator_page(request, "operator/carriers/switch.html", {"found": found, "form": form})


@open_to(Audience.OPERATOR)
def remove_route(request: HttpRequest, carrier_id: int) -> HttpResponse:
    """Of the `prefix` in the address, or in the form: asked first."""
    found = get_object_or_404(Carrier, pk=carrier_id)
    sent = request.POST if request.method == "POST" else request.GET
    prefix = sent.get("prefix", "")[:16]
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.act(carriers.remove_route, **acting(request), carrier_id=found.pk, prefix=prefix)
        if not form.errors:
            messages.success(request, "The route is gone.")
            return redirect("operator_carrier", found.pk)
    return operator_page(request, "operator/carriers/remove_route.html", {"found": found, "form": form, "prefix": prefix})


urlpatterns = [
    path("carriers", listing, name="operator_carriers"),
    path("carriers/new", create, name="operator_carrier_create"),
    path("carriers/<int:carrier_id>", carrier, name="operator_carrier"),
    path("carriers/<int:carrier_id>/change", change, name="operator_carrier_change"),
    path("carriers/<int:carrier_id>/switch", switch, name="operator_carrier_switch"),
    path("carriers/<int:carrier_id>/remove-route", remove_route, name="operator_carrier_remove_route"),
]
