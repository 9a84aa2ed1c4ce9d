"""What Stripe tells, in our words. Pure: dictionaries in, events out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trunkline.providers.payments.contract import Event, Told
from trunkline.providers.payments.stripe_amounts import from_stripe

Thing = dict[str, Any]

INTENT_STATES = {
    "succeeded": Told.SUCCEEDED,
    "processing": Told.PROCESSING,
    "canceled": Told.CANCELLED,
    "requires_payment_method": Told.FAILED,
    "requires_action": Told.FAILED,  # its owner is away
}
SESSION_STATES = {"open": Told.ACTION_NEEDED, "expired": Told.CANCELLED}
INTENT_EVENTS = {
    "payment_intent.succeeded": Told.SUCCEEDED,
    "payment_intent.processing": Told.PROCESSING,
    "payment_intent.payment_failed": Told.FAILED,
    "payment_intent.canceled": Told.CANCELLED,
}
SESSION_EVENTS = {
    "checkout.session.completed": Told.SUCCEEDED,
    "checkout.session.async_payment_succeeded": Told.SUCCEEDED,
    "checkout.session.async_payment_failed": Told.FAILED,
    "checkout.session.expired": Told.CANCELLED,
}
REFUND_EVENTS = ("refund.created", "refund.updated", "refund.failed")
REFUND_STATES = {"succeeded": Told.REFUNDED, "failed": Told.REFUND_FAILED, "canceled": Told.REFUND_FAILED}
DISPUTE_EVENTS = {
    "charge.dispute.created": Told.DISPUTED,
    "charge.dispute.funds_withdrawn": Told.DISPUTED,
    "charge.dispute.funds_reinstated": Told.DISPUTE_WON,
}
CLOSED_DISPUTES = {"won": Told.DISPUTE_WON, "lost": Told.DISPUTE_LOST}


def event_from(message: Thing) -> Event:
    """A whole webhook message. Raises KeyError, TypeError or ValueError when it is not one."""
    ident, name, thing = str(message["id"]), str(message["type"]), message["data"]["object"]
    readers: tuple[tuple[bool, Callable[[str, str, Thing], Event]], ...] = (
        (name in INTENT_EVENTS, _intent_event),
        (name in SESSION_EVENTS, _session_event),
        (name in REFUND_EVENTS, _refund_event),
        (name in DISPUTE_EVENTS or name == "charge.dispute.closed", _dispute_event),
    )
    for fits, read in readers:
        if fits:
            return read(ident, name, thing)
    return Event(event_id=ident, told=Told.NOTHING, name=name)


def standing_of_intent(intent: Thing) -> Event:
    told = INTENT_STATES.get(intent["status"], Told.PROCESSING)
    return _about_intent("", str(intent["status"]), intent, told)


def standing_of_session(session: Thing) -> Event:
    """A complete one is told by its intent: see `standing_of_intent`."""
    return _about_session("", str(session["status"]), session, SESSION_STATES[session["status"]])


def _intent_event(ident: str, name: str, intent: Thing) -> Event:
    told = INTENT_EVENTS[name]
    if told is Told.FAILED and _metadata(intent).get("payer") == "present":
        told = Told.TRY_FAILED
    return _about_intent(ident, name, intent, told)


def _about_intent(ident: str, name: str, intent: Thing, told: Told) -> Event:
    currency = str(intent["currency"]).upper()
    paid = intent.get("amount_received") if told is Told.SUCCEEDED else intent["amount"]
    error = intent.get("last_payment_error") or {}
    return Event(
        event_id=ident,
        told=told,
        name=name,
        reference=_metadata(intent).get("reference", ""),
        provider_reference=str(intent["id"]),
        amount_micros=from_stripe(int(paid or 0), currency),
        currency=currency,
        reason=str(error.get("message") or ""),
    )


def _session_event(ident: str, name: str, session: Thing) -> Event:
    if session["mode"] == "setup":
        return _set_up(ident, name, session)
    told = SESSION_EVENTS[name]
    if name == "checkout.session.completed" and session["payment_status"] != "paid":
        told = Told.PROCESSING
    return _about_session(ident, name, session, told)


def _about_session(ident: str, name: str, session: Thing, told: Told) -> Event:
    currency = str(session["currency"]).upper()
    return Event(
        event_id=ident,
        told=told,
        name=name,
        reference=_metadata(session).get("reference", ""),
        provider_reference=str(session.get("payment_intent") or session["id"]),
        amount_micros=from_stripe(int(session["amount_total"]), currency),
        currency=currency,
        action_url=str(session.get("url") or "") if told is Told.ACTION_NEEDED else "",
    )


def _set_up(ident: str, name: str, session: Thing) -> Event:
    if name != "checkout.session.completed":
        return Event(event_id=ident, told=Told.NOTHING, name=name)
    manager = _metadata(session)["manager"]
    return Event(event_id=ident, told=Told.METHOD_SET_UP, name=name, about=str(session["setup_intent"]), manager_id=int(manager))


def _refund_event(ident: str, name: str, refund: Thing) -> Event:
    """One that is pending is told again when it is done."""
    currency = str(refund["currency"]).upper()
    return Event(
        event_id=ident,
        told=REFUND_STATES.get(refund["status"], Told.NOTHING),
        name=name,
        provider_reference=str(refund.get("payment_intent") or ""),
        amount_micros=from_stripe(int(refund["amount"]), currency),
        currency=currency,
        about=str(refund["id"]),
        about_reference=_metadata(refund).get("reference", ""),
        reason=str(refund.get("failure_reason") or refund.get("reason") or ""),
    )


def _dispute_event(ident: str, name: str, dispute: Thing) -> Event:
    """Inquiries (`warning_...`) take no money yet."""
    status, currency = str(dispute["status"]), str(dispute["currency"]).upper()
    told = CLOSED_DISPUTES.get(status, Told.NOTHING) if name == "charge.dispute.closed" else DISPUTE_EVENTS[name]
    if status.startswith("warning_") and name == "charge.dispute.created":
        told = Told.NOTHING
    return Event(
        event_id=ident,
        told=told,
        name=name,
        provider_reference=str(dispute.get("payment_intent") or ""),
        amount_micros=from_stripe(int(dispute["amount"]), currency),
        currency=currency,
        about=str(dispute["id"]),
        reason=str(dispute.get("reason") or ""),
    )


def _metadata(thing: Thing) -> dict[str, str]:
    return thing.get("metadata") or {}
