"""Disputed payments: the money is gone until the dispute is won (SPEC R4.1). Steps on locked rows, as in `payment_steps`."""

from __future__ import annotations

from trunkline.domain.money import for_people
from trunkline.store.models import Dispute, Manager, Payment
from trunkline.usecases import managers, notices
from trunkline.usecases.payment_accounts import give_back, take, words_of
from trunkline.usecases.payment_steps import NotYet, Scene


def disputed(scene: Scene) -> str:
    known = _known(scene)
    if known is not None:
        return f"this dispute is {known.state} already"
    _open(scene)
    return "the money has left"


def dispute_won(scene: Scene) -> str:
    """The money is back where it was taken from. Whether the company may call again, the operator decides."""
    dispute = _known(scene) or _open(scene)
    if dispute.state == Dispute.State.WON:
        return "it was won before"
    payment = scene.payment
    amounts = {"amount_micros": dispute.amount_micros, "taken_micros": dispute.taken_micros}
    give_back(
        scene.doing, scene.accounts, key=f"dispute/{dispute.pk}/won", kind="dispute_won", note=words_of(payment, scene.manager), **amounts
    )
    payment.disputed_micros -= dispute.counted_micros
    payment.save(update_fields=["disputed_micros"])
    _close(scene, dispute, Dispute.State.WON)
    return "the money is back"


def dispute_lost(scene: Scene) -> str:
    dispute = _known(scene) or _open(scene)
    if dispute.state != Dispute.State.OPEN:
        return f"it was {dispute.state} before"
    _close(scene, dispute, Dispute.State.LOST)
    return "the money stays away"


def _known(scene: Scene) -> Dispute | None:
    if scene.payment.state != Payment.State.SUCCEEDED:
        raise NotYet("The payment has not succeeded yet.")
    if not scene.event.about or scene.event.amount_micros <= 0 or scene.event.currency != scene.payment.currency:
        raise NotYet("It does not say what is disputed in which currency: look at it at the provider.")
    return Dispute.objects.filter(payment=scene.payment, provider_reference=scene.event.about).first()


def _open(scene: Scene) -> Dispute:
    """Takes the money, as far as it is free from the Manager's Credit, and suspends the Manager."""
    payment, event, doing = scene.payment, scene.event, scene.doing
    left = payment.amount_micros - payment.refunded_micros - payment.disputed_micros
    dispute = Dispute.objects.create(
        payment=payment,
        provider_reference=event.about,
        amount_micros=event.amount_micros,
        taken_micros=0,
        counted_micros=min(event.amount_micros, left),
        reason=event.reason[:200],
        opened_at=doing.now,
    )
    key, note = f"dispute/{dispute.pk}", words_of(payment, scene.manager)
    dispute.taken_micros = take(doing, scene.accounts, key=key, amount_micros=event.amount_micros, kind="dispute", note=note)
    dispute.save(update_fields=["taken_micros"])
    payment.disputed_micros += dispute.counted_micros
    payment.save(update_fields=["disputed_micros"])
    amount = for_people(event.amount_micros, payment.currency)
    if not scene.manager.is_suspended:
        why = f"Payment {payment.reference} of {amount} is disputed" + (f": {event.reason}" if event.reason else "")
        managers.set_state(doing, scene.manager, Manager.State.SUSPENDED, why)
    after = {"amount_micros": event.amount_micros, "taken_micros": dispute.taken_micros, "reason": dispute.reason}
    doing.audit("dispute.open", f"payment {payment.pk}", manager_id=payment.manager_id, after=after)
    notices.payment_disputed(doing, scene.manager, dispute)
    return dispute


def _close(scene: Scene, dispute: Dispute, state: Dispute.State) -> None:
    before = dispute.state
    dispute.state, dispute.closed_at = state, scene.doing.now
    dispute.save(update_fields=["state", "closed_at"])
    payment, after = scene.payment, {"state": state}
    scene.doing.audit(f"dispute.{state}", f"payment {payment.pk}", manager_id=payment.manager_id, before={"state": before}, after=after)
