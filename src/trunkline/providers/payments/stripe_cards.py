"""Cards by Stripe: a hosted page (Checkout) when the payer is there, PaymentIntents when they are away. See docs/adr on hosted pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

import stripe

from trunkline.domain.errors import Invalid
from trunkline.providers.payments import stripe_amounts
from trunkline.providers.payments.contract import (
    Asked,
    AuthenticationNeeded,
    Charged,
    Declined,
    Event,
    ProviderUnreachable,
    Refunded,
    Started,
    StoredMethod,
    WebhookRefused,
)
from trunkline.providers.payments.stripe_words import event_from, standing_of_intent, standing_of_session

Answer = TypeVar("Answer")

CONNECT_TIMEOUT_SECONDS = 5.0
ANSWER_TIMEOUT_SECONDS = 25.0  # a bank may take its time; a web worker waits
RETRIES = 1  # with the same idempotency key
WEBHOOK_TOLERANCE_SECONDS = 300
LOST_CARDS = frozenset({"expired_card", "lost_card", "stolen_card", "pickup_card", "invalid_account", "restricted_card"})


class StripeCards:
    name = "stripe"
    signature_header = "Stripe-Signature"

    def __init__(self, *, secret_key: str, webhook_secret: str, home_url: str, api_base: str | None = None) -> None:
        """`home_url`: where a payer comes back to when nobody says where. `api_base`: a stand-in for tests."""
        self._home_url = home_url
        self._webhook_secret = webhook_secret
        http = stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, ANSWER_TIMEOUT_SECONDS))
        bases: Any = {"api": api_base} if api_base else None
        self._stripe = stripe.StripeClient(secret_key, base_addresses=bases, http_client=http, max_network_retries=RETRIES)

    def check_amount(self, amount_micros: int, currency: str) -> None:
        stripe_amounts.to_stripe(amount_micros, currency)

    def create_payment(self, asked: Asked, *, return_url: str) -> Started:
        about = {"reference": asked.reference, "payer": "present"}
        price = {
            "currency": asked.currency.lower(),
            "unit_amount": stripe_amounts.to_stripe(asked.amount_micros, asked.currency),
            "product_data": {"name": asked.description},
        }
        params: Any = {
            "mode": "payment",
            "payment_method_types": ["card"],
            "line_items": [{"price_data": price, "quantity": 1}],
            "client_reference_id": asked.reference,
            "metadata": about,
            "payment_intent_data": {"metadata": about},
        }
        return self._page(params, return_url, key=f"page/{asked.reference}")

    def charge(self, asked: Asked, *, token: str, payer_present: bool) -> Charged:
        customer, _, method = token.partition("/")
        params: Any = {
            "amount": stripe_amounts.to_stripe(asked.amount_micros, asked.currency),
            "currency": asked.currency.lower(),
            "customer": customer,
            "payment_method": method,
            "payment_method_types": ["card"],
            "description": asked.description,
            "metadata": {"reference": asked.reference, "payer": "present" if payer_present else "away"},
            "confirm": True,
            "off_session": True,
        }
        made = _answered(lambda: self._stripe.v1.payment_intents.create(params, {"idempotency_key": f"charge/{asked.reference}"}))
        return Charged(made.id, pending=made.status != "succeeded")

    def set_up_method(self, *, manager_id: int, reference: str, currency: str, return_url: str) -> Started:
        about = {"reference": reference, "manager": str(manager_id)}
        params: Any = {
            "mode": "setup",
            "payment_method_types": ["card"],
            "currency": currency.lower(),
            "customer_creation": "always",
            "metadata": about,
            "setup_intent_data": {"metadata": about},
        }
        return self._page(params, return_url, key=f"setup/{reference}")

    def method(self, about: str) -> StoredMethod:
        """Each has a customer of its own at Stripe: `token` names both."""
        found = _answered(lambda: self._stripe.v1.setup_intents.retrieve(about, {"expand": ["payment_method"]}))
        made = found.to_dict()
        method, customer = made["payment_method"], made["customer"]
        card = method["card"]
        label = f"{str(card['brand']).title()} ending in {card['last4']}"
        return StoredMethod(f"{customer}/{method['id']}", label, date(card["exp_year"], card["exp_month"], 1))

    def forget_method(self, token: str) -> None:
        method = token.partition("/")[2]
        try:
            self._stripe.v1.payment_methods.detach(method)
        except stripe.InvalidRequestError:
            return  # it is not attached (any more)
        except stripe.StripeError as problem:
            raise _problem(problem) from problem

    def refund(self, *, reference: str, provider_reference: str, amount_micros: int, currency: str) -> Refunded:
        params: Any = {
            "payment_intent": provider_reference,
            "amount": stripe_amounts.to_stripe(amount_micros, currency),
            "metadata": {"reference": reference},
        }
        made = _answered(lambda: self._stripe.v1.refunds.create(params, {"idempotency_key": f"refund/{reference}"}))
        if made.status in {"failed", "canceled"}:
            raise Declined(f"The refund failed: {made.failure_reason or made.status}.")
        return Refunded(made.id, pending=made.status != "succeeded")

    def fetch(self, *, reference: str, provider_reference: str) -> Event | None:
        if provider_reference.startswith("cs_"):
            return self._fetch_session(provider_reference)
        if provider_reference:
            found = _answered(lambda: self._stripe.v1.payment_intents.retrieve(provider_reference))
            return standing_of_intent(found.to_dict())
        query = f"metadata['reference']:'{reference}'"
        matches = _answered(lambda: self._stripe.v1.payment_intents.search({"query": query, "limit": 1})).data
        return standing_of_intent(matches[0].to_dict()) if matches else None

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Event:
        try:
            stripe.WebhookSignature.verify_header(body, headers.get(self.signature_header), self._webhook_secret, WEBHOOK_TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as problem:
            raise WebhookRefused("The signature does not fit, or is too old.") from problem
        try:
            return event_from(json.loads(body))
        except (KeyError, TypeError, ValueError, AttributeError, Invalid) as problem:
            raise WebhookRefused(f"It can't be read: {problem!r}") from problem

    def _page(self, params: Any, return_url: str, *, key: str) -> Started:
        """Another way back is another page: Stripe refuses one key for two different requests."""
        back = return_url or self._home_url
        key = f"{key}/{hashlib.sha256(back.encode()).hexdigest()[:16]}"
        asked = params | {"success_url": back, "cancel_url": back}
        made = _answered(lambda: self._stripe.v1.checkout.sessions.create(asked, {"idempotency_key": key}))
        return Started(made.id, made.url or "")

    def _fetch_session(self, ident: str) -> Event:
        session = _answered(lambda: self._stripe.v1.checkout.sessions.retrieve(ident, {"expand": ["payment_intent"]})).to_dict()
        if session["status"] == "complete":
            return standing_of_intent(session["payment_intent"])
        return standing_of_session(session | {"payment_intent": None})


def _answered(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except stripe.StripeError as problem:
        raise _problem(problem) from problem


def _problem(problem: stripe.StripeError) -> Exception:
    """Only what Stripe refuses for certain is a refusal; everything else may have happened."""
    if isinstance(problem, stripe.CardError):
        if problem.code == "authentication_required":
            return AuthenticationNeeded("The bank wants the card's owner to confirm this payment: pay by card on the payment page.")
        decline = str(getattr(problem.error, "decline_code", "") or problem.code)
        return Declined(problem.user_message or "The card was declined.", for_good=decline in LOST_CARDS)
    if isinstance(problem, stripe.IdempotencyError):
        return Declined("This reference was used for another payment: take another one.")
    if isinstance(problem, (stripe.AuthenticationError, stripe.PermissionError)):
        return Declined("The payment provider does not accept this service's key. The operator must set it right.")
    if isinstance(problem, stripe.InvalidRequestError):
        return Declined(f"The payment provider refuses this: {problem.user_message}")
    return ProviderUnreachable(f"The payment provider does not answer as it should ({type(problem).__name__}).")
