"""The fake payment provider's pages: what a payer, a bank and a clerk would decide, one click each. They are not there with another provider."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trunkline.domain.errors import Conflict
from trunkline.providers.payments import fake_desk
from trunkline.providers.payments.chosen import fake_payments
from trunkline.providers.payments.fake import CARDS, FakePayments
from trunkline.runtime.settings import load_settings
from trunkline.web.access import Audience, open_to

Page = Callable[[HttpRequest, FakePayments, str], HttpResponse]
# What is decided, and how often the webhook about it is sent at once.
DECISIONS = {
    "approve": ("approve", 1),
    "approve_twice": ("approve", 2),
    "approve_later": ("approve", 0),
    "pending": ("pending", 1),
    "decline": ("decline", 1),
    "fail": ("fail", 1),
    "cancel": ("cancel", 1),
}


def at_fake(page: Page) -> Callable[..., HttpResponse]:
    """404 unless this instance has the fake provider, looked up anew each time."""

    @wraps(page)
    def guarded(request: HttpRequest, ident: str = "") -> HttpResponse:
        try:
            fake = fake_payments()
        except Conflict as problem:
            raise Http404 from problem
        return page(request, fake, ident)

    return guarded


@open_to(Audience.ANYONE)
@require_safe
@never_cache
@at_fake
def desk(request: HttpRequest, fake: FakePayments, ident: str) -> HttpResponse:
    """Everything the provider knows, and its webhooks: sent, not sent, to be sent again."""
    return render(request, "payments/fake_desk.html", {"known": fake_desk.everything(fake)})


@open_to(Audience.ANYONE)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@at_fake
def payment(request: HttpRequest, fake: FakePayments, ident: str) -> HttpResponse:
    """The payer's page; what is clicked is decided."""
    row = fake_desk.find(fake, "payment", ident)
    step = request.GET.get("step", "")
    if request.method != "POST":
        return render(request, "payments/fake_payment.html", {"payment": row, "authenticate": step == "authenticate"})
    wanted = request.POST.get("decision", "")
    if wanted == "authenticate":
        return redirect(f"{request.path}?step=authenticate")
    if wanted not in DECISIONS:
        raise Conflict("There is no such button.")
    decision, times = DECISIONS[wanted]
    _send(fake, fake_desk.decide(fake, ident, decision), times)
    return redirect(request.path) if decision == "decline" else HttpResponseRedirect(row["return_url"])


@open_to(Audience.ANYONE)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@at_fake
def card(request: HttpRequest, fake: FakePayments, ident: str) -> HttpResponse:
    """The page on which a payer stores a card: it asks how the card shall behave."""
    setup = fake_desk.find(fake, "setup", ident)
    if request.method != "POST":
        return render(request, "payments/fake_card.html", {"setup": setup, "cards": CARDS})
    _send(fake, fake_desk.store_card(fake, ident, request.POST.get("card", "")), 1)
    return HttpResponseRedirect(setup["return_url"] or "/")


@open_to(Audience.ANYONE)
@require_POST
@at_fake
def clerk(request: HttpRequest, fake: FakePayments, ident: str) -> HttpResponse:
    """Refund or dispute a payment, end a dispute, send a webhook (again)."""
    match request.POST.get("do", ""):
        case "refund":
            _send(fake, fake_desk.refund(fake, ident), 1)
        case "dispute":
            _send(fake, fake_desk.open_dispute(fake, ident), 1)
        case ("won" | "lost") as end:
            _send(fake, fake_desk.close_dispute(fake, ident, end), 1)
        case "send":
            _send(fake, ident, 1)
        case "succeed":
            _send(fake, fake_desk.decide(fake, ident, "approve"), 1)
        case _:
            raise Conflict("There is no such button.")
    return redirect("fake_desk")


def _send(fake: FakePayments, event_id: str, times: int) -> None:
    """Over HTTP, to the same address as any provider's."""
    post = fake_desk.post_to(f"http://127.0.0.1:{load_settings().web_port}/webhooks/payments/fake")
    for _ in range(times):
        fake_desk.deliver(fake, event_id, post)


urlpatterns = [
    path("pay/fake", desk, name="fake_desk"),
    path("pay/fake/payment/<slug:ident>", payment, name="fake_payment"),
    path("pay/fake/card/<slug:ident>", card, name="fake_card"),
    path("pay/fake/clerk/<slug:ident>", clerk, name="fake_clerk"),
]
