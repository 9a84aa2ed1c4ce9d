"""Money of companies: payments, refunds, disputes, what providers told that does not fit, and bookings by hand (SPEC R4.1)."""

from __future__ import annotations

from uuid import uuid4

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.operator.pages import operator_page
from trunkline.providers.payments.chosen import payment_provider
from trunkline.store import ledger
from trunkline.store.models import Dispute, Manager, Payment, ProviderEvent, Refund
from trunkline.usecases import credit, payment_events, refunds
from trunkline.usecases.purchase_limits import BOOKED
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.confirmation import confirm_identity
from trunkline.web.forms import AmountField, PageForm
from trunkline.web.listing import newest_first

MOST_WAITING = 100
STATES = {
    Payment.State.CREATED: "Not begun",
    Payment.State.ACTION_NEEDED: "Waits for the payer",
    Payment.State.PROCESSING: "Under way",
    Payment.State.SUCCEEDED: "Paid",
    Payment.State.FAILED: "Failed",
    Payment.State.CANCELLED: "Cancelled",
}
"""As `operator/payments/state.html` shows them."""


class BookingForm(PageForm):
    """`confirmed`: its consequences were shown."""

    amount_micros = AmountField(label="Amount that came in")
    reference = forms.CharField(max_length=40, help_text="Of the bank transfer or the receipt. The same reference is booked once.")
    remark = forms.CharField(max_length=200, required=False, help_text="The company sees it in its statement.")
    field_of = {"amount": "amount_micros", "note": "remark"}  # noqa: RUF012 - as in PageForm


class RefundForm(PageForm):
    amount_micros = AmountField(label="Amount to give back")
    reason = forms.CharField(max_length=200)
    reference = forms.CharField(max_length=40, widget=forms.HiddenInput)
    field_of = {"amount": "amount_micros"}  # noqa: RUF012 - as in PageForm


class DismissForm(PageForm):
    reason = forms.CharField(max_length=180, help_text="What was found at the provider.")


@open_to(Audience.STAFF)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """`q`: company or reference; `state`: one of a payment's."""
    wanted, state = request.GET.get("q", "").strip()[:80], request.GET.get("state", "")
    known = Payment.objects.select_related("manager", "method")
    if wanted:
        known = known.filter(Q(manager__company_name__icontains=wanted) | Q(reference__icontains=wanted) | Q(provider_reference=wanted))
    if state in Payment.State.values:
        known = known.filter(state=state)
    page = {"listed": newest_first(request, known), "wanted": wanted, "state": state, "states": STATES.items(), **_to_look_at()}
    return operator_page(request, "operator/payments/list.html", page)


@open_to(Audience.STAFF)
@require_safe
def payment(request: HttpRequest, payment_id: int) -> HttpResponse:
    found = get_object_or_404(Payment.objects.select_related("manager__account", "method"), pk=payment_id)
    left = found.amount_micros - found.refunded_micros - found.disputed_micros if found.state == Payment.State.SUCCEEDED else 0
    page = {"found": found, "left_micros": left, "refunds": found.refunds.order_by("pk"), "disputes": found.disputes.order_by("pk")}
    return operator_page(request, "operator/payments/payment.html", page)


@open_to(Audience.OPERATOR)
@confirm_identity
def refund(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Money leaves: the amount, then what it does, then it is done. The reference of the first page makes it once."""
    found = get_object_or_404(Payment.objects.select_related("manager__account"), pk=payment_id)
    form = RefundForm(request.POST or None, initial={"reference": uuid4().hex})
    confirming = False
    if request.method == "POST" and form.is_valid():
        confirming = True
        if "confirmed" in request.POST:
            provider = None if found.provider == BOOKED else payment_provider()
            made = form.act(refunds.refund, **acting(request), payment_id=found.pk, provider=provider, **form.cleaned_data)
            if made is not None:
                messages.success(request, f"Refund {made.refund_id} is {made.state}. {made.failure}".strip())
                return redirect("operator_payment", found.pk)
            confirming = False
    left = found.amount_micros - found.refunded_micros - found.disputed_micros
    amount = form.cleaned_data["amount_micros"] if confirming else 0
    page = {"found": found, "form": form, "confirming": confirming, "left_micros": left, "free_micros": ledger.free(found.manager.account)}
    return operator_page(request, "operator/payments/refund.html", page | {"after_micros": ledger.free(found.manager.account) - amount})


@open_to(Audience.OPERATOR)
def book(request: HttpRequest, manager_id: int) -> HttpResponse:
    """A bank transfer or cash becomes the company's Credit: filled in, looked at, booked."""
    found = get_object_or_404(Manager.objects.select_related("account"), pk=manager_id)
    form = BookingForm(request.POST or None)
    confirming = request.method == "POST" and form.is_valid()
    if confirming and "confirmed" in request.POST:
        given = form.cleaned_data
        about = {"amount_micros": given["amount_micros"], "reference": given["reference"], "note": given["remark"]}
        moved = form.act(credit.book_payment, **acting(request), manager_id=found.pk, **about)
        if moved is not None:
            messages.success(request, "It was booked before: nothing happened." if moved.repeated else "The payment is booked.")
            return redirect("operator_company", found.pk)
        confirming = False
    after = ledger.free(found.account) + (form.cleaned_data["amount_micros"] if confirming else 0)
    page = {"found": found, "form": form, "confirming": confirming, "free_micros": ledger.free(found.account), "after_micros": after}
    return operator_page(request, "operator/payments/book.html", page)


@open_to(Audience.STAFF)
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """What a provider told that does not fit, refunds without an answer, open disputes."""
    page = {
        "events": ProviderEvent.objects.filter(applied_at=None).order_by("pk")[:MOST_WAITING],
        "refunds": Refund.objects.filter(state=Refund.State.PENDING).select_related("payment__manager").order_by("pk")[:MOST_WAITING],
        "disputes": Dispute.objects.select_related("payment__manager").order_by("-pk")[:MOST_WAITING],
    }
    return operator_page(request, "operator/payments/waiting.html", page)


@open_to(Audience.OPERATOR)
def dismiss(request: HttpRequest, event_id: int) -> HttpResponse:
    """It was looked at, and waits no longer."""
    found = get_object_or_404(ProviderEvent, pk=event_id, applied_at=None)
    form = DismissForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.act(payment_events.dismiss_event, **acting(request), event_id=found.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, "The event waits no longer.")
            return redirect("operator_payments_waiting")
    return operator_page(request, "operator/payments/dismiss.html", {"found": found, "form": form})


def _to_look_at() -> dict[str, int]:
    return {
        "waiting_events": ProviderEvent.objects.filter(applied_at=None).count(),
        "open_disputes": Dispute.objects.filter(state=Dispute.State.OPEN).count(),
        "pending_refunds": Refund.objects.filter(state=Refund.State.PENDING).count(),
    }


urlpatterns = [
    path("payments", listing, name="operator_payments"),
    path("payments/waiting", waiting, name="operator_payments_waiting"),
    path("payments/waiting/<int:event_id>", dismiss, name="operator_event_dismiss"),
    path("payments/<int:payment_id>", payment, name="operator_payment"),
    path("payments/<int:payment_id>/refund", refund, name="operator_payment_refund"),
    path("companies/<int:manager_id>/book", book, name="operator_company_book"),
]
