"""Money back to the payer (SPEC R4.1): never more than the Manager's Credit has free. First booked, then asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from trunkline.domain.errors import Conflict, NotEnoughCredit, NotFound
from trunkline.domain.money import check_amount, for_people
from trunkline.domain.names import check_name
from trunkline.domain.payments import check_reference
from trunkline.providers.payments.contract import REPEATABLE, Declined, Event, PaymentProvider, ProviderUnreachable, Told
from trunkline.store import ledger
from trunkline.store.models import Manager, Payment, Refund
from trunkline.store.work import By, Work, work
from trunkline.usecases.payment_accounts import PaymentAccounts, give_back, lock_payment_accounts, take, words_of
from trunkline.usecases.payment_steps import NotYet, Scene
from trunkline.usecases.purchase_limits import BOOKED


@dataclass(frozen=True, slots=True)
class RefundMade:
    """`pending`: the provider has not said that it is done; it is asked again for a day."""

    refund_id: int
    state: str
    failure: str
    repeated: bool


def refund(
    *, now: datetime, by: By, payment_id: int, amount_micros: int, reference: str, reason: str, provider: PaymentProvider | None
) -> RefundMade:
    """By the operator. `provider`: the one that the payment was made by; None for one that was booked by hand, and is paid back by hand.

    The Credit leaves first, so that it can't be spent meanwhile; it comes back when the provider refuses.
    """
    check_amount(amount_micros)
    reference = check_reference(reference)
    reason = check_name(reason, "reason", longest=200)
    payment = find_payment(payment_id)
    _check_provider(payment, provider)
    if provider is not None:
        provider.check_amount(amount_micros, payment.currency)
    made, repeated = _book(payment, now=now, by=by, amount_micros=amount_micros, reference=f"p{payment_id}.{reference}", reason=reason)
    if made.state == Refund.State.PENDING:
        made = ask_for_refund(now=now, by=by, refund_id=made.pk, provider=provider)
    return RefundMade(made.pk, made.state, made.failure, repeated)


def ask_for_refund(*, now: datetime, by: By, refund_id: int, provider: PaymentProvider | None) -> Refund:
    """Of the provider: made once, however often it is asked. While nobody knows, it stays pending; after a day only an event ends that."""
    made = Refund.objects.select_related("payment__manager").get(pk=refund_id)
    if provider is not None and made.created_at <= now - REPEATABLE:
        return made
    event, under_way = _answer(made, provider)
    if event is not None:
        with work(now=now, by=by) as doing:
            scene = lock_scene(doing, made.payment, event)
            (refunded if event.told is Told.REFUNDED else refund_failed)(scene)
    elif under_way:
        Refund.objects.filter(pk=made.pk, provider_reference="").update(provider_reference=under_way)
    return Refund.objects.get(pk=refund_id)


def _answer(made: Refund, provider: PaymentProvider | None) -> tuple[Event | None, str]:
    """What came of it; or None, and the provider's name for it if it is under way there."""
    payment = made.payment
    said = partial(Event, event_id="", amount_micros=made.amount_micros, currency=payment.currency, about_reference=made.reference)
    if provider is None:
        return said(told=Told.REFUNDED), ""
    try:
        answer = provider.refund(
            reference=made.reference,
            provider_reference=payment.provider_reference,
            amount_micros=made.amount_micros,
            currency=payment.currency,
        )
    except ProviderUnreachable:
        return None, ""
    except Declined as problem:
        return said(told=Told.REFUND_FAILED, reason=str(problem)), ""
    if answer.pending:
        return None, answer.provider_reference
    return said(told=Told.REFUNDED, about=answer.provider_reference), ""


def refunded(scene: Scene) -> str:
    """Told by the provider: one of ours is done, or somebody made one there."""
    known = _known(scene)
    if known is None:
        _book_foreign(scene)
        return "made at the provider: booked"
    if known.state == Refund.State.FAILED:
        raise NotYet("This refund had failed, and its Credit is back: look at it at the provider.")
    known.state = Refund.State.DONE
    known.provider_reference = scene.event.about or known.provider_reference
    known.save(update_fields=["state", "provider_reference"])
    return "done"


def refund_failed(scene: Scene) -> str:
    """The Credit comes back."""
    known = _known(scene)
    if known is None:
        return "a refund that is not ours failed: nothing to do"
    if known.state == Refund.State.FAILED:
        return "it had failed before"
    payment, doing = scene.payment, scene.doing
    amounts = {"amount_micros": known.amount_micros, "taken_micros": known.taken_micros}
    note = words_of(payment, scene.manager)
    give_back(doing, scene.accounts, key=f"refund/{known.pk}/back", kind="refund_back", note=note, **amounts)
    payment.refunded_micros -= known.amount_micros
    payment.save(update_fields=["refunded_micros"])
    known.state, known.failure = Refund.State.FAILED, scene.event.reason[:200]
    known.save(update_fields=["state", "failure"])
    doing.audit("refund.failed", f"payment {payment.pk}", manager_id=payment.manager_id, after={"failure": known.failure})
    return "it failed: the Credit is back"


def find_payment(payment_id: int) -> Payment:
    payment = Payment.objects.select_related("manager").filter(pk=payment_id).first()
    if payment is None:
        raise NotFound(f"There is no payment {payment_id}.")
    return payment


def lock_scene(doing: Work, payment: Payment, event: Event) -> Scene:
    """Everything that an event about a payment may touch, in the one order."""
    accounts = lock_payment_accounts(doing, payment.manager)
    manager = doing.locks.one(Manager, payment.manager_id)
    return Scene(doing, accounts, manager, doing.locks.one(Payment, payment.pk), event)


def _book(payment: Payment, *, now: datetime, by: By, amount_micros: int, reference: str, reason: str) -> tuple[Refund, bool]:
    with work(now=now, by=by) as doing:
        scene = lock_scene(doing, payment, Event(event_id="", told=Told.REFUNDED))
        if known := Refund.objects.filter(reference=reference).first():
            if known.amount_micros != amount_micros:
                raise Conflict("This reference was used for another refund: take another one.")
            return known, True
        _check_can_go_back(scene.payment, scene.accounts, amount_micros)
        made = _write(scene, amount_micros, reference, reason, Refund.State.PENDING)
    return made, False


def _write(scene: Scene, amount_micros: int, reference: str, reason: str, state: Refund.State) -> Refund:
    payment, doing = scene.payment, scene.doing
    made = Refund.objects.create(
        payment=payment,
        reference=reference,
        provider_reference=scene.event.about,
        amount_micros=amount_micros,
        taken_micros=0,
        state=state,
        reason=reason[:200],
        created_at=doing.now,
    )
    key, note = f"refund/{made.pk}", words_of(payment, scene.manager)
    made.taken_micros = take(doing, scene.accounts, key=key, amount_micros=amount_micros, kind="refund", note=note)
    made.save(update_fields=["taken_micros"])
    payment.refunded_micros += amount_micros
    payment.save(update_fields=["refunded_micros"])
    after = {"amount_micros": amount_micros, "taken_micros": made.taken_micros, "reason": reason}
    doing.audit("refund.booked", f"payment {payment.pk}", manager_id=payment.manager_id, after=after)
    return made


def _book_foreign(scene: Scene) -> None:
    """Whatever the Manager's Credit can't give is the operator's loss: the money has left."""
    payment, event = scene.payment, scene.event
    left = payment.amount_micros - payment.refunded_micros - payment.disputed_micros
    if not event.about or not 0 < event.amount_micros <= left or event.currency != payment.currency:
        raise NotYet("More was refunded than is left of the payment, or in another currency: look at it at the provider.")
    _write(scene, event.amount_micros, f"{payment.provider}.{event.about}"[:120], event.reason or "made at the provider", Refund.State.DONE)


def _known(scene: Scene) -> Refund | None:
    if scene.payment.state != Payment.State.SUCCEEDED:
        raise NotYet("The payment has not succeeded yet.")
    refunds = Refund.objects.filter(payment=scene.payment)
    event = scene.event
    found = refunds.filter(reference=event.about_reference).first() if event.about_reference else None
    return found or (refunds.filter(provider_reference=event.about).first() if event.about else None)


def _check_provider(payment: Payment, provider: PaymentProvider | None) -> None:
    wanted = BOOKED if provider is None else provider.name
    if payment.provider != wanted:
        raise Conflict(f"This payment was made by {payment.provider}: it can only be refunded while that is set up.")


def _check_can_go_back(payment: Payment, accounts: PaymentAccounts, amount_micros: int) -> None:
    currency = payment.currency
    if payment.state != Payment.State.SUCCEEDED:
        raise Conflict(f"Payment {payment.pk} is {payment.state}: only one that succeeded can be refunded.")
    left = payment.amount_micros - payment.refunded_micros - payment.disputed_micros
    if amount_micros > left:
        raise Conflict(
            f"{for_people(left, currency)} of payment {payment.pk} is left to refund: {for_people(amount_micros, currency)} is too much."
        )
    if amount_micros > ledger.free(accounts.credit):
        free = for_people(ledger.free(accounts.credit), currency)
        raise NotEnoughCredit(f"The Manager's Credit has {free} free: take Credit back from its SIP Profiles, or refund less.")
