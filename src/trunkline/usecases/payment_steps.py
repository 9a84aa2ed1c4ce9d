"""What an event does to a payment: pure steps on locked rows, whatever order events come in (SPEC R4.1).

A payment goes from created, action_needed or processing to succeeded, failed or cancelled. Money is money: one that had failed and then
succeeds is booked. One that succeeded never fails; it is refunded or disputed.
"""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.domain.money import for_people
from trunkline.providers.payments.contract import Event, Told
from trunkline.store import ledger
from trunkline.store.models import Manager, Payment
from trunkline.store.work import Work
from trunkline.usecases import notices
from trunkline.usecases.payment_accounts import PaymentAccounts

UNSETTLED = (Payment.State.CREATED, Payment.State.ACTION_NEEDED, Payment.State.PROCESSING)
NOTES = {Payment.Why.TOP_UP: "Payment by card", Payment.Why.AUTO_RECHARGE: "Auto-recharge by card"}
ENDS = {Told.FAILED: Payment.State.FAILED, Told.CANCELLED: Payment.State.CANCELLED}


class NotYet(Exception):  # noqa: N818 - it is no error
    """The event is kept: it may find its place later, or the operator must look. The text says why."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is locked while an event is applied."""

    doing: Work
    accounts: PaymentAccounts
    manager: Manager
    payment: Payment
    event: Event


def succeeded(scene: Scene) -> str:
    """Book it, once. Raises NotYet when it is not what was asked for."""
    payment, event = scene.payment, scene.event
    if payment.state == Payment.State.SUCCEEDED:
        if event.provider_reference != payment.provider_reference:
            raise NotYet(f"Paid a second time, as {event.provider_reference}: refund that at the provider.")
        return "booked before"
    if (event.amount_micros, event.currency) != (payment.amount_micros, payment.currency):
        paid = f"{event.amount_micros} micros of {event.currency or 'no currency'}"
        raise NotYet(f"{paid} were paid in place of {for_people(payment.amount_micros, payment.currency)}: look at it at the provider.")
    key = f"payment/{payment.pk}"
    note = NOTES[Payment.Why(payment.why)]
    accounts, now = scene.accounts, scene.doing.now
    ledger.post(key=key, debit=accounts.funding, credit=accounts.credit, amount=payment.amount_micros, kind="payment", now=now, note=note)
    payment.settled_at, payment.action_url = now, ""
    _move_to(scene, Payment.State.SUCCEEDED)
    return "booked"


def ended(scene: Scene) -> str:
    """Failed or cancelled. Of a failed top-up its Manager is told; Auto-recharge tells by itself."""
    payment = scene.payment
    if payment.state not in UNSETTLED:
        return f"it is {payment.state} already"
    payment.action_url = ""
    _move_to(scene, ENDS[scene.event.told], failure=scene.event.reason)
    if payment.state == Payment.State.FAILED and payment.why == Payment.Why.TOP_UP:
        notices.top_up_failed(scene.doing, scene.manager, payment)
    return str(payment.state)


def under_way(scene: Scene) -> str:
    if scene.payment.state not in UNSETTLED:
        return f"it is {scene.payment.state} already"
    _move_to(scene, Payment.State.PROCESSING, failure=scene.event.reason)
    return "under way"


def action_needed(scene: Scene) -> str:
    if scene.payment.state not in UNSETTLED:
        return f"it is {scene.payment.state} already"
    scene.payment.action_url = scene.event.action_url or scene.payment.action_url
    _move_to(scene, Payment.State.ACTION_NEEDED)
    return "the payer is asked"


def try_failed(scene: Scene) -> str:
    """The payer may try another card on the same page."""
    if scene.payment.state not in UNSETTLED:
        return f"it is {scene.payment.state} already"
    scene.payment.failure = scene.event.reason[:200]
    scene.payment.save(update_fields=["failure"])
    return "a try failed"


def _move_to(scene: Scene, state: Payment.State, *, failure: str = "") -> None:
    payment, before = scene.payment, scene.payment.state
    payment.state, payment.failure = state, failure[:200]
    payment.provider_reference = scene.event.provider_reference or payment.provider_reference
    payment.save()
    if before == state:
        return
    after = {"state": state, "failure": payment.failure, "amount_micros": payment.amount_micros, "currency": payment.currency}
    scene.doing.audit(f"payment.{state}", f"payment {payment.pk}", manager_id=payment.manager_id, before={"state": before}, after=after)
