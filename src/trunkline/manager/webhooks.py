"""Where payment providers tell what happened. Nothing is stored before the signature fits, and 2xx is answered only when it is stored."""

from __future__ import annotations

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from trunkline.domain.errors import Conflict, Problem
from trunkline.providers.payments.chosen import payment_provider
from trunkline.providers.payments.contract import PaymentProvider, WebhookRefused
from trunkline.store.clock import now
from trunkline.store.work import By
from trunkline.usecases.payment_events import apply_event
from trunkline.web.access import Audience, open_to
from trunkline.web.pace import Bucket

LARGEST_BYTES = 256 * 1024
EVENTS_PER_SECOND = 50.0
BURST = 100.0

log = structlog.get_logger()
bucket = Bucket(EVENTS_PER_SECOND, BURST)
"""For each web worker: a provider that catches up must not hold the store's one writer; it sends again."""


@csrf_exempt
@open_to(Audience.ANYONE)
@require_POST
def payments(request: HttpRequest, provider: str) -> JsonResponse:
    """The provider is known by its signature. Forged ones cost us a hash, and take nothing from the true ones' rate."""
    mine = _provider(provider)
    try:
        length = int(request.headers.get("Content-Length") or 0)
        body = request.body if length <= LARGEST_BYTES else None
    except (ValueError, RequestDataTooBig):
        body = None
    if body is None:
        return _answer(413, f"At most {LARGEST_BYTES} bytes.")
    try:
        event = mine.parse_webhook(body, request.headers)
    except WebhookRefused as problem:
        log.warning("a payment webhook was refused", provider=provider, why=str(problem)[:200])
        return _answer(400, "Refused: the signature does not fit, is too old, or the body can't be read.")
    if not bucket.take():
        return _answer(429, "Too many at once: send it again later.", {"Retry-After": "10"})
    try:
        applied = apply_event(now=now(), by=By(f"provider {provider}", "webhook"), provider=mine, event=event)
    except Problem as problem:
        return _answer(409, str(problem))  # it could not be stored: it is to be sent again
    return _answer(200, "waits" if applied.waits else "applied")


def _provider(name: str) -> PaymentProvider:
    """The one that this instance has; every other one is not there."""
    try:
        mine = payment_provider()
    except Conflict as problem:
        raise Http404 from problem
    if mine.name != name:
        raise Http404
    return mine


def _answer(status: int, text: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"result": text}, status=status, headers=headers)


urlpatterns = [path("webhooks/payments/<slug:provider>", payments, name="payment_webhook")]
