"""The real Stripe library against a stand-in on this machine: what is sent, what is made of the answers, and whose webhooks are believed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.providers.stripe_stand_in import DROP, Answer, Form, StandIn, stand_in
from trunkline.domain.errors import Invalid
from trunkline.domain.money import MICROS
from trunkline.providers.payments.contract import (
    Asked,
    AuthenticationNeeded,
    Charged,
    Declined,
    Event,
    PaymentProvider,
    ProviderUnreachable,
    Refunded,
    Started,
    StoredMethod,
    Told,
    WebhookRefused,
)
from trunkline.providers.payments.stripe_cards import StripeCards

SECRET = "whsec_test"
ASKED = Asked(reference="m1.abc", amount_micros=12_340_000, currency="USD", description="Credit")
INTENT: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 1234,
    "amount_received": 1234,
    "currency": "usd",
    "status": "succeeded",
    "metadata": {"reference": "m1.abc", "payer": "away"},
}
SESSION: dict[str, Any] = {
    "id": "cs_1",
    "object": "checkout.session",
    "mode": "payment",
    "status": "open",
    "payment_status": "unpaid",
    "payment_intent": None,
    "amount_total": 1234,
    "currency": "usd",
    "url": "https://checkout.example/cs_1",
    "metadata": {"reference": "m1.abc"},
}
REFUND = {"id": "re_1", "object": "refund", "amount": 500, "currency": "usd", "payment_intent": "pi_1", "status": "succeeded"}
DISPUTE = {"id": "dp_1", "amount": 1234, "currency": "usd", "payment_intent": "pi_1", "status": "needs_response", "reason": "fraudulent"}


@pytest.fixture
def at_stripe() -> Iterator[StandIn]:
    with stand_in() as server:
        yield server


@pytest.fixture
def cards(at_stripe: StandIn) -> StripeCards:
    return StripeCards(secret_key="sk_test_1", webhook_secret=SECRET, home_url="https://here.example/", api_base=at_stripe.url)


def always(status: int, body: dict[str, Any]) -> Any:
    return lambda form: (status, body)


def card_error(code: str, decline: str = "") -> dict[str, Any]:
    error = {"type": "card_error", "code": code, "message": "Your card was declined.", "decline_code": decline}
    return {"error": error}


def test_it_is_a_payment_provider(cards: StripeCards) -> None:
    provider: PaymentProvider = cards
    assert provider.name == "stripe"


def test_a_payer_goes_to_a_hosted_page(at_stripe: StandIn, cards: StripeCards) -> None:
    at_stripe.answers["POST /v1/checkout/sessions"] = always(200, SESSION)
    assert cards.create_payment(ASKED, return_url="https://here.example/paid") == Started("cs_1", "https://checkout.example/cs_1")
    _, form, key = at_stripe.asked[0]
    assert key.startswith("page/m1.abc/")
    wanted: dict[str, Any] = {
        "mode": "payment",
        "line_items[0][price_data][unit_amount]": "1234",
        "line_items[0][price_data][currency]": "usd",
        "payment_intent_data[metadata][reference]": "m1.abc",
        "success_url": "https://here.example/paid",
        "cancel_url": "https://here.example/paid",
    }
    assert {name: form[name] for name in wanted} == wanted


def test_a_stored_card_is_charged_once_for_a_reference(at_stripe: StandIn, cards: StripeCards) -> None:
    at_stripe.answers["POST /v1/payment_intents"] = always(200, INTENT)
    made = [cards.charge(ASKED, token="cus_1/pm_1", payer_present=False) for _ in range(2)]
    assert made == [Charged("pi_1"), Charged("pi_1")]
    _, form, key = at_stripe.asked[0]
    assert key == "charge/m1.abc"
    wanted: dict[str, Any] = {"amount": "1234", "customer": "cus_1", "payment_method": "pm_1", "off_session": "true", "confirm": "true"}
    assert {name: form[name] for name in wanted} == wanted


def test_an_amount_that_is_not_a_whole_cent_is_never_sent(at_stripe: StandIn, cards: StripeCards) -> None:
    with pytest.raises(Invalid):
        cards.check_amount(12_345_000, "USD")
    with pytest.raises(Invalid):
        cards.charge(Asked(reference="r", amount_micros=1, currency="USD", description=""), token="c/p", payer_present=False)
    assert at_stripe.asked == []


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (402, card_error("card_declined", "insufficient_funds"), Declined),
        (402, card_error("authentication_required"), AuthenticationNeeded),
        (400, {"error": {"type": "invalid_request_error", "message": "No such customer"}}, Declined),
        (401, {"error": {"type": "invalid_request_error", "message": "Invalid key"}}, Declined),
        (429, {"error": {"type": "invalid_request_error", "message": "Slow down"}}, ProviderUnreachable),
        (409, {"error": {"type": "api_error", "message": "In progress"}}, ProviderUnreachable),
        (500, {"error": {"type": "api_error", "message": "Oops"}}, ProviderUnreachable),
    ],
)
def test_only_a_clear_no_is_a_no(at_stripe: StandIn, cards: StripeCards, status: int, body: dict[str, Any], problem: type) -> None:
    at_stripe.answers["POST /v1/payment_intents"] = always(status, body)
    with pytest.raises(problem):
        cards.charge(ASKED, token="cus_1/pm_1", payer_present=False)


@pytest.mark.parametrize(("code", "for_good"), [("insufficient_funds", False), ("stolen_card", True)])
def test_a_card_that_is_gone_is_not_tried_for_ever(at_stripe: StandIn, cards: StripeCards, code: str, for_good: bool) -> None:
    at_stripe.answers["POST /v1/payment_intents"] = always(402, card_error("card_declined", code))
    with pytest.raises(Declined, match="declined") as declined:
        cards.charge(ASKED, token="cus_1/pm_1", payer_present=False)
    assert declined.value.for_good is for_good


def test_a_lost_answer_is_asked_for_again_with_the_same_key(at_stripe: StandIn, cards: StripeCards) -> None:
    answers: list[Answer] = [DROP, (200, INTENT)]
    at_stripe.answers["POST /v1/payment_intents"] = lambda form: answers.pop(0)
    assert cards.charge(ASKED, token="cus_1/pm_1", payer_present=False) == Charged("pi_1")
    assert [key for _, _, key in at_stripe.asked] == ["charge/m1.abc"] * 2


def test_nobody_there_means_nobody_knows() -> None:
    gone = StripeCards(secret_key="sk", webhook_secret=SECRET, home_url="/", api_base="http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable):
        gone.charge(ASKED, token="cus_1/pm_1", payer_present=False)


def test_a_card_is_stored_on_a_hosted_page_and_known_by_its_last_digits(at_stripe: StandIn, cards: StripeCards) -> None:
    at_stripe.answers["POST /v1/checkout/sessions"] = always(200, SESSION | {"mode": "setup"})
    card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030}
    method = {"id": "pm_1", "object": "payment_method", "card": card}
    setup = {"id": "seti_1", "object": "setup_intent", "customer": "cus_1", "payment_method": method}
    at_stripe.answers["GET /v1/setup_intents/seti_1"] = always(200, setup)
    cards.set_up_method(manager_id=7, reference="m7.x", currency="USD", return_url="")
    form = at_stripe.asked[0][1]
    assert (form["customer_creation"], form["metadata[manager]"], form["success_url"]) == ("always", "7", "https://here.example/")
    stored = cards.method("seti_1")
    assert (stored.token, stored.label) == ("cus_1/pm_1", "Visa ending in 4242")
    assert isinstance(stored, StoredMethod)


def test_forgetting_twice_is_fine(at_stripe: StandIn, cards: StripeCards) -> None:
    answers: list[Answer] = [
        (200, {"id": "pm_1", "object": "payment_method"}),
        (400, {"error": {"type": "invalid_request_error", "message": "gone"}}),
    ]
    at_stripe.answers["POST /v1/payment_methods/pm_1/detach"] = lambda form: answers.pop(0)
    cards.forget_method("cus_1/pm_1")
    cards.forget_method("cus_1/pm_1")
    assert answers == []


def test_refunds(at_stripe: StandIn, cards: StripeCards) -> None:
    about: dict[str, Any] = {"reference": "p1.r", "provider_reference": "pi_1", "amount_micros": 5 * MICROS, "currency": "USD"}
    at_stripe.answers["POST /v1/refunds"] = always(200, REFUND)
    assert cards.refund(**about) == Refunded("re_1")
    at_stripe.remembered.clear()
    at_stripe.answers["POST /v1/refunds"] = always(200, REFUND | {"status": "pending"})
    assert cards.refund(**about).pending
    at_stripe.remembered.clear()
    at_stripe.answers["POST /v1/refunds"] = always(200, REFUND | {"status": "failed", "failure_reason": "lost_or_stolen_card"})
    with pytest.raises(Declined, match="lost_or_stolen"):
        cards.refund(**about)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("succeeded", Told.SUCCEEDED),
        ("processing", Told.PROCESSING),
        ("requires_payment_method", Told.FAILED),
        ("canceled", Told.CANCELLED),
    ],
)
def test_how_a_charge_stands(at_stripe: StandIn, cards: StripeCards, status: str, told: Told) -> None:
    at_stripe.answers["GET /v1/payment_intents/pi_1"] = always(200, INTENT | {"status": status})
    found = cards.fetch(reference="m1.abc", provider_reference="pi_1")
    assert found is not None
    assert (found.told, found.reference, found.amount_micros) == (told, "m1.abc", 12_340_000)


def test_how_a_page_stands(at_stripe: StandIn, cards: StripeCards) -> None:
    def stands(**more: Any) -> Event:
        at_stripe.answers["GET /v1/checkout/sessions/cs_1"] = always(200, SESSION | more)
        found = cards.fetch(reference="m1.abc", provider_reference="cs_1")
        assert found is not None
        return found

    assert stands().told is Told.ACTION_NEEDED
    assert stands().action_url == "https://checkout.example/cs_1"
    assert stands(status="expired").told is Told.CANCELLED
    paid = stands(status="complete", payment_status="paid", payment_intent=INTENT)
    assert (paid.told, paid.provider_reference, paid.amount_micros) == (Told.SUCCEEDED, "pi_1", 12_340_000)


def test_what_was_never_named_is_searched_for(at_stripe: StandIn, cards: StripeCards) -> None:
    def search(form: Form) -> Answer:
        found = [INTENT] if form["query"] == "metadata['reference']:'m1.abc'" else []
        return 200, {"object": "search_result", "data": found, "has_more": False, "url": "/v1/payment_intents/search"}

    at_stripe.answers["GET /v1/payment_intents/search"] = search
    found = cards.fetch(reference="m1.abc", provider_reference="")
    assert found is not None
    assert found.told is Told.SUCCEEDED
    assert cards.fetch(reference="m1.other", provider_reference="") is None


def message(name: str, thing: dict[str, Any]) -> bytes:
    return json.dumps({"id": "evt_1", "object": "event", "type": name, "data": {"object": thing}}).encode()


def signed(body: bytes, *, secret: str = SECRET, age_seconds: int = 0) -> dict[str, str]:
    at = int(time.time()) - age_seconds
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)}


@pytest.mark.parametrize(
    ("name", "thing", "told", "micros"),
    [
        ("payment_intent.succeeded", INTENT, Told.SUCCEEDED, 12_340_000),
        ("payment_intent.payment_failed", INTENT, Told.FAILED, 12_340_000),
        ("payment_intent.payment_failed", INTENT | {"metadata": {"payer": "present"}}, Told.TRY_FAILED, 12_340_000),
        ("checkout.session.completed", SESSION | {"payment_status": "paid"}, Told.SUCCEEDED, 12_340_000),
        ("checkout.session.completed", SESSION, Told.PROCESSING, 12_340_000),
        ("checkout.session.expired", SESSION, Told.CANCELLED, 12_340_000),
        ("refund.created", REFUND, Told.REFUNDED, 5_000_000),
        ("refund.created", REFUND | {"status": "pending"}, Told.NOTHING, 5_000_000),
        ("refund.failed", REFUND | {"status": "failed"}, Told.REFUND_FAILED, 5_000_000),
        ("charge.dispute.created", DISPUTE, Told.DISPUTED, 12_340_000),
        ("charge.dispute.created", DISPUTE | {"status": "warning_needs_response"}, Told.NOTHING, 12_340_000),
        ("charge.dispute.closed", DISPUTE | {"status": "won"}, Told.DISPUTE_WON, 12_340_000),
        ("charge.dispute.closed", DISPUTE | {"status": "lost"}, Told.DISPUTE_LOST, 12_340_000),
        ("customer.created", {"id": "cus_1"}, Told.NOTHING, 0),
    ],
)
def test_what_webhooks_say(cards: StripeCards, name: str, thing: dict[str, Any], told: Told, micros: int) -> None:
    body = message(name, thing)
    event = cards.parse_webhook(body, signed(body))
    assert (event.event_id, event.name, event.told, event.amount_micros) == ("evt_1", name, told, micros)


def test_a_stored_card_is_told_with_whose_it_is(cards: StripeCards) -> None:
    thing = SESSION | {"mode": "setup", "setup_intent": "seti_1", "metadata": {"manager": "7"}}
    body = message("checkout.session.completed", thing)
    event = cards.parse_webhook(body, signed(body))
    assert (event.told, event.about, event.manager_id) == (Told.METHOD_SET_UP, "seti_1", 7)


def test_forged_old_and_unreadable_webhooks_are_refused(cards: StripeCards) -> None:
    body = message("payment_intent.succeeded", INTENT)
    bad: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
        (body, {"Stripe-Signature": "t=1,v1=00"}),
        (body, {"Stripe-Signature": "nonsense"}),
        (body, signed(body, secret="whsec_other")),
        (body, signed(body, age_seconds=301)),
        (body.replace(b"1234", b"9999"), signed(body)),
        (b"\xff\xfe", signed(b"x")),
        *(
            (junk, signed(junk))
            for junk in (b"", b"[]", b"{}", b"null", b'{"id":"e","type":"payment_intent.succeeded","data":{"object":{}}}')
        ),
    ]
    for sent, headers in bad:
        with pytest.raises(WebhookRefused):
            cards.parse_webhook(sent, headers)
