"""Purchase limits: how much companies may pay at once and in 30 days (SPEC R4.3)."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.domain.payments import Limits, Means, default_limits
from trunkline.operator.pages import form_page, operator_page
from trunkline.store.models import PriceList, PurchaseLimit
from trunkline.usecases.purchase_limits import set_limits
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.forms import AmountField, PageForm

MEANS = {Means.CARD: "Card", Means.BOOKED: "Booked by the operator"}


@dataclass(frozen=True, slots=True)
class Line:
    """`is_default`: the operator has set nothing else."""

    currency: str
    means: Means
    verified: bool
    limits: Limits
    is_default: bool

    @property
    def text(self) -> str:
        return MEANS[self.means]

    @property
    def slug(self) -> str:
        return f"{self.currency}.{self.means}.{'verified' if self.verified else 'unverified'}"


class LimitForm(PageForm):
    each = AmountField(label="In one payment", required=False, help_text="Empty: no limit.")
    month = AmountField(label="In any 30 days", required=False, help_text="Empty: no limit.")


@open_to(Audience.STAFF)
@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    return operator_page(request, "operator/limits.html", {"rows": _lines()})


@open_to(Audience.OPERATOR)
def change(request: HttpRequest, slug: str) -> HttpResponse:
    line = next((line for line in _lines() if line.slug == slug), None)
    if line is None:
        return redirect("operator_limits")
    form = LimitForm(request.POST or None, initial={"each": line.limits.each_micros, "month": line.limits.month_micros})
    if request.method == "POST" and form.is_valid():
        wanted = Limits(form.cleaned_data["each"], form.cleaned_data["month"])
        about = {"currency": line.currency, "means": line.means, "verified": line.verified}
        form.act(set_limits, **acting(request), limits=wanted, **about)
        if not form.errors:
            messages.success(request, "The limits are set. They count from the next payment on.")
            return redirect("operator_limits")
    state = "verified" if line.verified else "unverified"
    title = f"{line.text}, {state} companies, {line.currency}"
    return form_page(request, form, title, "Save the limits", ("Purchase limits", reverse("operator_limits")))


def _lines() -> list[Line]:
    """All currencies that something is sold in."""
    known = {(row.currency, row.kind, row.verified): Limits(row.each_micros, row.month_micros) for row in PurchaseLimit.objects.all()}
    currencies = {*PriceList.objects.values_list("currency", flat=True), *(currency for currency, _, _ in known)}
    keys = [(currency, means, verified) for currency in sorted(currencies) for means in Means for verified in (False, True)]
    return [
        Line(
            currency,
            means,
            verified,
            known.get((currency, means, verified)) or default_limits(currency, means, verified=verified),
            (currency, means, verified) not in known,
        )
        for currency, means, verified in keys
    ]


urlpatterns = [
    path("limits", limits, name="operator_limits"),
    path("limits/<str:slug>", change, name="operator_limit"),
]
