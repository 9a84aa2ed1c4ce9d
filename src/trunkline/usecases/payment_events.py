"""What providers tell: kept once, applied in whatever order it comes (SPEC R4.1).

An event is stored in a transaction of its own before anything else, so that a webhook can be answered and nothing is lost. One that does
not fit yet (a refund before its payment, a payment that nobody knows) waits, and the operator sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from django.db.models import Q

from trunkline.domain.errors import Invalid, NotFound, Problem
from trunkline.domain.names import check_name
from trunkline.providers.payments.contract import Event, PaymentError, PaymentProvider, Told
from trunkline.store.models import Payment, ProviderEvent
from trunkline.store.work import By, work
from trunkline.usecases import disputes, payment_methods, payment_steps, refunds
from trunkline.usecases.payment_steps import NotYet, Scene
from trunkline.usecases.refunds import find_payment, lock_scene

LONGEST_ID = 120
TRIED_FOR = timedelta(days=30)
STEPS: dict[Told, Callable[[Scene], str]] = {
    Told.SUCCEEDED: payment_steps.succeeded,
    Told.PROCESSING: payment_steps.under_way,
    Told.ACTION_NEEDED: payment_steps.action_needed,
    Told.TRY_FAILED: payment_steps.try_failed,
    Told.FAILED: payment_steps.ended,
    Told.CANCELLED: payment_steps.ended,
    Told.REFUNDED: refunds.refunded,
    Told.REFUND_FAILED: refunds.refund_failed,
    Told.DISPUTED: disputes.disputed,
    Told.DISPUTE_WON: disputes.dispute_won,
    Told.DISPUTE_LOST: disputes.dispute_lost,
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Applied:
    """`waits`: it is kept, but could not be applied; `outcome` says why. `repeated`: it was applied before, nothing happened."""

    outcome: str
    waits: bool = False
    repeated: bool = False


def settle(*, now: datetime, by: By, payment_id: int, event: Event) -> Payment:
    """What a provider answered at once. A webhook may have been faster: the steps don't mind."""
    payment = find_payment(payment_id)
    with work(now=now, by=by) as doing:
        scene = lock_scene(doing, payment, event)
        try:
            STEPS[event.told](scene)
        except NotYet as problem:
            log.warning("a payment does not fit", payment=payment_id, problem=str(problem))
            Payment.objects.filter(pk=payment_id).update(failure=str(problem)[:200])
    _apply_waiting_about(now, by, payment_id)
    return Payment.objects.get(pk=payment_id)


def apply_event(*, now: datetime, by: By, provider: PaymentProvider, event: Event) -> Applied:
    """A verified webhook. When it returns, the event is stored; the same one again does nothing."""
    if event.told is Told.NOTHING:
        return Applied("of no concern")
    kept = _keep(now, by, provider.name, event)
    if kept.applied_at is not None:
        return Applied(kept.outcome, repeated=True)
    return _try(now, by, kept, provider)


def apply_waiting(*, now: datetime, by: By, provider: PaymentProvider, limit: int) -> int:
    """For the clock: events that waited. Returns how many found their place."""
    waiting = ProviderEvent.objects.filter(provider=provider.name, applied_at=None, received_at__gt=now - TRIED_FOR)
    return sum(not _try(now, by, kept, provider).waits for kept in waiting.order_by("pk")[:limit])


def dismiss_event(*, now: datetime, by: By, event_id: int, reason: str) -> None:
    """By the operator, who has looked at it: it waits no longer."""
    reason = check_name(reason, "reason", longest=180)
    with work(now=now, by=by) as doing:
        kept = doing.locks.one(ProviderEvent, event_id)
        if kept.applied_at is not None:
            raise NotFound("This event does not wait.")
        kept.applied_at, kept.outcome = now, f"dismissed: {reason}"
        kept.save(update_fields=["applied_at", "outcome"])
        doing.audit("provider_event.dismissed", f"event {event_id}", after={"reason": reason})


def _keep(now: datetime, by: By, provider: str, event: Event) -> ProviderEvent:
    if not 0 < len(event.event_id) <= LONGEST_ID:
        raise Invalid("event_id", f"An event's id has 1 to {LONGEST_ID} characters.")
    with work(now=now, by=by):
        defaults = {"kind": event.told, "payload": msgspec.to_builtins(event), "received_at": now}
        return ProviderEvent.objects.get_or_create(provider=provider, event_id=event.event_id, defaults=defaults)[0]


def _try(now: datetime, by: By, kept: ProviderEvent, provider: PaymentProvider) -> Applied:
    """Whatever is wrong with it, it stays, with the reason."""
    event = msgspec.convert(kept.payload, Event)
    try:
        if event.told is Told.METHOD_SET_UP:
            stored = provider.method(event.about)
            return _apply(
                now, by, kept, lambda: payment_methods.method_stored(now=now, by=by, provider=provider.name, event=event, stored=stored)
            )
        payment = _payment(provider.name, event)
        applied = _apply_step(now, by, kept, payment, event)
    except (NotYet, Problem, PaymentError) as problem:
        ProviderEvent.objects.filter(pk=kept.pk, applied_at=None).update(outcome=str(problem)[:200])
        log.warning("an event of the payment provider waits", number=kept.pk, said=event.name, why=str(problem))
        return Applied(str(problem), waits=True)
    _apply_waiting_about(now, by, payment.pk)
    return applied


def _apply_step(now: datetime, by: By, kept: ProviderEvent, payment: Payment, event: Event) -> Applied:
    with work(now=now, by=by) as doing:
        scene = lock_scene(doing, payment, event)
        locked = doing.locks.one(ProviderEvent, kept.pk)
        if locked.applied_at is not None:
            return Applied(locked.outcome, repeated=True)
        outcome = STEPS[event.told](scene)
        locked.applied_at, locked.outcome = now, outcome[:200]
        locked.save(update_fields=["applied_at", "outcome"])
    return Applied(outcome)


def _apply(now: datetime, by: By, kept: ProviderEvent, step: Callable[[], str]) -> Applied:
    """A step with a transaction of its own that may be repeated."""
    outcome = step()
    ProviderEvent.objects.filter(pk=kept.pk, applied_at=None).update(applied_at=now, outcome=outcome[:200])
    return Applied(outcome)


def _apply_waiting_about(now: datetime, by: By, payment_id: int) -> None:
    """Events that came too early: a refund or a dispute before the payment had succeeded."""
    payment = find_payment(payment_id)
    if payment.state != Payment.State.SUCCEEDED:
        return
    about = Q(payload__reference=payment.reference)
    if payment.provider_reference:
        about |= Q(payload__provider_reference=payment.provider_reference)
    for kept in ProviderEvent.objects.filter(about, kind__in=STEPS, provider=payment.provider, applied_at=None).order_by("pk"):
        try:
            _apply_step(now, by, kept, payment, msgspec.convert(kept.payload, Event))
        except (NotYet, Problem) as problem:
            ProviderEvent.objects.filter(pk=kept.pk, applied_at=None).update(outcome=str(problem)[:200])


def _payment(provider: str, event: Event) -> Payment:
    known = Payment.objects.select_related("manager").filter(provider=provider)
    found = known.filter(reference=event.reference).first() if event.reference else None
    if found is None and event.provider_reference:
        found = known.filter(provider_reference=event.provider_reference).first()
    if found is None:
        raise NotYet(f"No payment {event.reference or event.provider_reference or 'without a name'} is known here.")
    return found
