"""The Manager's Credit: topped up by payment, reviewed first, followed until the money is there (SPEC R4.1, R4.3)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from trunkline.domain.errors import Conflict, Problem
from trunkline.domain.payments import check_limits
from trunkline.manager import scope
from trunkline.providers.payments.chosen import payment_provider
from trunkline.providers.payments.contract import PaymentProvider
from trunkline.store import ledger
from trunkline.store.models import Manager, Payment, PaymentMethod
from trunkline.usecases import payments, purchase_limits
from trunkline.usecases.payment_steps import UNSETTLED
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import AmountField, PageForm
from trunkline.web.navigation import CREDIT, menu

ON_A_PAGE = 50
TONES = {
    Payment.State.CREATED: ("Not begun", "neutral"),
    Payment.State.ACTION_NEEDED: ("Waits for you", "warn"),
    Payment.State.PROCESSING: ("Under way", "info"),
    Payment.State.SUCCEEDED: ("Paid", "good"),
    Payment.State.FAILED: ("Failed", "bad"),
    Payment.State.CANCELLED: ("Cancelled", "neutral"),
}
WHY = {Payment.Why.TOP_UP: "Top-up", Payment.Why.AUTO_RECHARGE: "Auto-recharge", Payment.Why.BOOKED: "Booked by the operator"}


class TopUpForm(PageForm):
    amount = AmountField(label="Amount")
    method = forms.TypedChoiceField(label="Pay with", coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, company: Manager, provider: PaymentProvider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.company, self.provider = company, provider
        stored = [(str(ident), label) for ident, label in stored_methods(company)]
        self.fields["method"].choices = [*stored, ("", "A card, on the payment page")]  # type: ignore[attr-defined] # a choice field
        self.initial.setdefault("method", stored[0][0] if stored else "")

    def clean_amount(self) -> int:
        """What the provider can't write, or what is over the limit, is said before anything is asked for."""
        amount: int = self.cleaned_data["amount"]
        room = purchase_limits.room(now=now(), manager=self.company)
        verified = self.company.verification == Manager.Verification.VERIFIED
        about: dict[str, Any] = {"bought_micros": room.bought_micros, "currency": self.company.currency, "verified": verified}
        try:
            self.provider.check_amount(amount, self.company.currency)
            check_limits(room.limits, amount_micros=amount, **about)
        except Problem as problem:
            raise forms.ValidationError(str(problem)) from problem
        return amount


@open_to(Audience.LOOK)
@require_safe
def credit(request: CompanyRequest) -> HttpResponse:
    """What there is, and how much can be added."""
    provider = provider_or_none()
    form = TopUpForm(request.GET if "amount" in request.GET else None, company=request.company, provider=provider) if provider else None
    allocated = scope.profiles_of(request).aggregate(sum=Sum("account__balance"))["sum"] or 0
    room = purchase_limits.room(now=now(), manager=request.company)
    return credit_page(request, "manager/credit/credit.html", {"form": form, "allocated_micros": allocated, "room": room})


@open_to(Audience.LOOK, changes=Audience.PAY)
def review(request: CompanyRequest) -> HttpResponse:
    """The amount, what it is paid with, and the Credit afterwards; then the payment is asked for."""
    provider = payment_provider()
    sent = request.POST if request.method == "POST" else request.GET
    form = TopUpForm(sent, company=request.company, provider=provider)
    if not form.is_valid():
        room = purchase_limits.room(now=now(), manager=request.company)
        return credit_page(request, "manager/credit/credit.html", {"form": form, "room": room, "wrong": True})
    reference = sent.get("reference", "")[:40] or uuid4().hex
    if request.method == "POST" and (payment_id := _start(request, form, reference)):
        return redirect("payment", payment_id)
    amount, method_id = form.cleaned_data["amount"], form.cleaned_data["method"]
    method = PaymentMethod.objects.filter(manager=request.company, pk=method_id).first()
    after = ledger.free(request.company.account) + amount
    return credit_page(
        request,
        "manager/credit/review.html",
        {"form": form, "amount_micros": amount, "method": method, "after_micros": after, "reference": reference},
    )


@open_to(Audience.LOOK)
@require_safe
def returned(request: CompanyRequest, reference: str) -> HttpResponse:
    """Where the provider sends the payer afterwards."""
    payment = get_object_or_404(Payment, manager=request.company, reference=f"m{request.company.pk}.{reference}")
    return redirect("payment", payment.pk)


@open_to(Audience.LOOK)
@require_safe
def payment(request: CompanyRequest, payment_id: int) -> HttpResponse:
    """How it stands; asked again every two seconds until it is settled."""
    one = get_object_or_404(Payment.objects.select_related("method"), manager=request.company, pk=payment_id)
    page = {
        "payment": one,
        "state": TONES[Payment.State(one.state)],
        "settled": one.state not in UNSETTLED,
        "why": WHY[Payment.Why(one.why)],
    }
    return credit_page(request, "manager/credit/payment.html", page)


@open_to(Audience.LOOK)
@require_safe
def history(request: CompanyRequest) -> HttpResponse:
    """Newest first; `before` is the last id of the page before."""
    made = Payment.objects.filter(manager=request.company).select_related("method").order_by("-id")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        made = made.filter(pk__lt=int(before))
    page = list(made[: ON_A_PAGE + 1])
    rows = [(one, TONES[Payment.State(one.state)], WHY[Payment.Why(one.why)]) for one in page[:ON_A_PAGE]]
    older = page[ON_A_PAGE - 1].pk if len(page) > ON_A_PAGE else None
    return credit_page(request, "manager/credit/payments.html", {"rows": rows, "older": older, "is_first": not before})


def credit_page(request: CompanyRequest, template: str, page: dict[str, Any]) -> HttpResponse:
    """Any page about the Manager's Credit, with its left menu."""
    common = {"menu": menu(request, CREDIT), "menu_label": "Credit", "free_micros": ledger.free(request.company.account)}
    return render(request, template, common | page)


def stored_methods(company: Manager) -> list[tuple[int, str]]:
    """The default one first."""
    kept = PaymentMethod.objects.filter(manager=company, removed_at=None).order_by("-is_default", "pk")
    return list(kept.values_list("pk", "label"))


def provider_or_none() -> PaymentProvider | None:
    """None: this instance takes no payments online."""
    try:
        return payment_provider()
    except Conflict:
        return None


def _start(request: CompanyRequest, form: TopUpForm, reference: str) -> int | None:
    """The payment's id; None when it was refused, which the form shows."""
    made = form.act(
        payments.start_top_up,
        **acting(request),
        manager_id=request.company.pk,
        amount_micros=form.cleaned_data["amount"],
        method_id=form.cleaned_data["method"],
        reference=reference,
        return_url=request.build_absolute_uri(reverse("payment_returned", args=[reference])),
        provider=form.provider,
    )
    return made.payment_id if made else None


urlpatterns = [
    path("credit", credit, name="credit"),
    path("credit/review", review, name="credit_review"),
    path("credit/returned/<slug:reference>", returned, name="payment_returned"),
    path("credit/payments", history, name="payments"),
    path("credit/payments/<int:payment_id>", payment, name="payment"),
]
