"""What a Manager pays with by itself: stored payment methods, Auto-recharge, and the mail when Credit is low (SPEC R4.2, R4.3)."""

from __future__ import annotations

from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from trunkline.manager import recharge
from trunkline.manager.top_up import credit_page, provider_or_none, stored_methods
from trunkline.providers.payments.chosen import payment_provider
from trunkline.store.models import PaymentMethod, RechargeRule
from trunkline.usecases import payment_methods as use_cases, reminders
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import AmountField, PageForm


@open_to(Audience.LOOK, changes=Audience.PAY)
def methods(request: CompanyRequest) -> HttpResponse:
    """Those that are stored. Sending the form begins to store another, on the provider's page."""
    form = PageForm(request.POST if request.method == "POST" else None)
    provider = provider_or_none()
    if request.method == "POST":
        started = form.act(
            use_cases.add_method,
            **acting(request),
            manager_id=request.company.pk,
            reference=uuid4().hex,
            return_url=request.build_absolute_uri(reverse("payment_methods")),
            provider=payment_provider(),
        )
        if started:
            return credit_page(request, "manager/credit/add_method.html", {"action_url": started.action_url})
    kept = PaymentMethod.objects.filter(manager=request.company, removed_at=None).order_by("-is_default", "pk")
    return credit_page(request, "manager/credit/methods.html", {"form": form, "methods": list(kept), "takes_cards": provider is not None})


@open_to(Audience.PAY)
@require_POST
def make_default(request: CompanyRequest, method_id: int) -> HttpResponse:
    method = _method(request, method_id)
    use_cases.make_default(**acting(request), manager_id=request.company.pk, method_id=method.pk)
    messages.success(request, f"{method.label} is the default payment method now.")
    return redirect("payment_methods")


@open_to(Audience.LOOK, changes=Audience.PAY)
def remove(request: CompanyRequest, method_id: int) -> HttpResponse:
    """Asked first."""
    method = _method(request, method_id)
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        which = {"manager_id": request.company.pk, "method_id": method.pk}
        form.act(use_cases.remove_method, **acting(request), **which, provider=payment_provider())
        if not form.errors:
            messages.success(request, f"{method.label} is removed, and never charged again.")
            return redirect("payment_methods")
    in_use = RechargeRule.objects.filter(account=request.company.account_id, enabled=True).exists()
    return credit_page(request, "manager/credit/remove_method.html", {"form": form, "method": method, "recharges": in_use})


@open_to(Audience.LOOK, changes=Audience.PAY)
def auto_recharge(request: CompanyRequest) -> HttpResponse:
    """Of the Manager's own Credit."""
    stored = stored_methods(request.company)
    answer = recharge.settings(request, {"manager_id": request.company.pk}, "recharge", methods=stored)
    if isinstance(answer, HttpResponse):
        return answer
    return credit_page(request, "manager/credit/recharge.html", {"has_method": bool(stored), **answer})


class NoticesForm(PageForm):
    email = forms.EmailField(label="Where letters about Credit and renewals go", max_length=254)
    low_balance = AmountField(
        label="Write when less than this is left",
        required=False,
        help_text="Once, until there is more again. Leave it empty for no such letter.",
    )


@open_to(Audience.LOOK, changes=Audience.PAY)
def notices(request: CompanyRequest) -> HttpResponse:
    """The address for letters, and the limit of low Credit."""
    company = request.company
    shown = {"email": company.email, "low_balance": company.low_balance_micros}
    form = NoticesForm(request.POST if request.method == "POST" else None, initial=shown)
    if form.is_valid():
        given = {"email": form.cleaned_data["email"], "low_balance_micros": form.cleaned_data["low_balance"]}
        form.act(reminders.set_notices, **acting(request), manager_id=company.pk, **given)
        if not form.errors:
            messages.success(request, "Saved.")
            return redirect("credit_notices")
    return credit_page(request, "manager/credit/notices.html", {"form": form})


def _method(request: CompanyRequest, method_id: int) -> PaymentMethod:
    return get_object_or_404(PaymentMethod, manager=request.company, pk=method_id, removed_at=None)


urlpatterns = [
    path("credit/methods", methods, name="payment_methods"),
    path("credit/methods/<int:method_id>/default", make_default, name="payment_method_default"),
    path("credit/methods/<int:method_id>/remove", remove, name="payment_method_remove"),
    path("credit/recharge", auto_recharge, name="recharge"),
    path("credit/notices", notices, name="credit_notices"),
]
