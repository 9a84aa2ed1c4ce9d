"""Payments asked for: by a payer who is there, or by Auto-recharge (SPEC R4.1, R4.2).

Each is written first, then asked for outside of any transaction, then settled by what the provider answers or by what it tells later
(`payment_events`), whichever comes first. When nobody knows, it stays `processing` and the clock asks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from trunkline.domain.errors import Conflict, NotFound
from trunkline.domain.payments import Means, check_reference
from trunkline.providers.payments.contract import (
    REPEATABLE,
    Asked,
    AuthenticationNeeded,
    Declined,
    Event,
    PaymentProvider,
    ProviderUnreachable,
    Told,
)
from trunkline.store.models import Manager, Payment, PaymentMethod, Refund
from trunkline.store.work import By, work
from trunkline.usecases import purchase_limits
from trunkline.usecases.payment_events import settle
from trunkline.usecases.payment_steps import UNSETTLED
from trunkline.usecases.refunds import ask_for_refund

ASK_AGAIN_AFTER = timedelta(minutes=2)
FRESH = timedelta(days=1)
"""An older payment is asked for once a day: most of them are pages that their payers have left, and there are ever more of those."""
GIVEN_UP = timedelta(days=30)
"""Then no more. What the provider tells by itself still counts."""
NEVER_MADE = "The payment never reached the provider."


@dataclass(frozen=True, slots=True)
class TopUp:
    """`state`: of Payment.State. `action_url`: where the payer goes on; empty when there is nothing to do. `failure`: for people."""

    payment_id: int
    state: str
    action_url: str
    failure: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    manager_id: int
    amount_micros: int
    reference: str
    method_id: int | None
    why: Payment.Why


@dataclass(frozen=True, slots=True)
class AskedAgain:
    asked: int
    settled: int


def start_top_up(
    *,
    now: datetime,
    by: By,
    manager_id: int,
    amount_micros: int,
    reference: str,
    return_url: str,
    provider: PaymentProvider,
    method_id: int | None = None,
) -> TopUp:
    """Credit for a payer who is there: on the provider's page, or by a stored method. The same reference is the same payment.

    Raises Invalid for amounts that can't be paid exactly, and OverLimit; then nothing was asked for. `created` in the answer: the
    provider did not answer, and as the payer has seen no page nothing can have been paid; try again.
    """
    payment = _wish(_Wanted(manager_id, amount_micros, reference, method_id, Payment.Why.TOP_UP), now=now, by=by, provider=provider)
    return _go_on(now, by, payment, provider, return_url)


def charge_method(
    *,
    now: datetime,
    by: By,
    manager_id: int,
    method_id: int,
    amount_micros: int,
    reference: str,
    provider: PaymentProvider,
    why: Payment.Why = Payment.Why.AUTO_RECHARGE,
) -> TopUp:
    """A stored method, while the payer is away. As `start_top_up`; when the bank wants its customer, `action_url` is where they go on."""
    payment = _wish(_Wanted(manager_id, amount_micros, reference, method_id, why), now=now, by=by, provider=provider)
    return _go_on(now, by, payment, provider, "")


def ask_again(*, now: datetime, by: By, provider: PaymentProvider, limit: int) -> AskedAgain:
    """For the clock: payments and refunds that nobody has told the end of. Those least recently asked first."""
    asked = settled = 0
    for payment in _due(provider, now)[:limit]:
        Payment.objects.filter(pk=payment.pk).update(asked_at=now)
        asked += 1
        settled += _ask_again(now, by, payment, provider)
    for refund in _refunds_due(provider, now)[: limit - asked]:
        asked += 1
        settled += ask_for_refund(now=now, by=by, refund_id=refund.pk, provider=provider).state != Refund.State.PENDING
    return AskedAgain(asked, settled)


def _wish(wanted: _Wanted, *, now: datetime, by: By, provider: PaymentProvider) -> Payment:
    """The payment's row, new or known. The Manager's row is locked, so that two at once do not both find the last room of a limit."""
    reference = f"m{wanted.manager_id}.{check_reference(wanted.reference)}"
    with work(now=now, by=by) as doing:
        manager = doing.locks.one(Manager, wanted.manager_id)
        known = Payment.objects.select_related("method", "manager").filter(reference=reference).first()
        if known is not None:
            return _same(known, wanted.amount_micros, provider)
        provider.check_amount(wanted.amount_micros, manager.currency)
        purchase_limits.check(doing, manager, Means.CARD, wanted.amount_micros)
        payment = Payment.objects.create(
            manager=manager,
            reference=reference,
            provider=provider.name,
            method=None if wanted.method_id is None else find_method(manager.pk, wanted.method_id, provider),
            amount_micros=wanted.amount_micros,
            currency=manager.currency,
            why=wanted.why,
            created_at=now,
        )
        after = {"amount_micros": wanted.amount_micros, "currency": manager.currency, "why": wanted.why, "provider": provider.name}
        doing.audit("payment.created", f"payment {payment.pk}", manager_id=manager.pk, after=after)
    return payment


def find_method(manager_id: int, method_id: int, provider: PaymentProvider) -> PaymentMethod:
    """One that can be charged."""
    method = PaymentMethod.objects.filter(pk=method_id, manager_id=manager_id, removed_at=None).first()
    if method is None:
        raise NotFound("There is no such payment method: add one.")
    if method.provider != provider.name:
        raise Conflict(f"{method.label} is kept by {method.provider}, which takes no payments here now: add another payment method.")
    return method


def _same(known: Payment, amount_micros: int, provider: PaymentProvider) -> Payment:
    if (known.amount_micros, known.provider) != (amount_micros, provider.name):
        raise Conflict("This reference was used for another payment: take another one.")
    return known


def _go_on(now: datetime, by: By, payment: Payment, provider: PaymentProvider, return_url: str) -> TopUp:
    if payment.state in {Payment.State.CREATED, Payment.State.PROCESSING} and not payment.provider_reference:
        event = _ask(payment, provider, return_url) if _is_repeatable(payment, now) else _look(payment, provider)
        payment = settle(now=now, by=by, payment_id=payment.pk, event=event) if event else payment
    return TopUp(payment.pk, payment.state, payment.action_url, payment.failure)


def _is_repeatable(payment: Payment, now: datetime) -> bool:
    return payment.created_at > now - REPEATABLE


def _ask(payment: Payment, provider: PaymentProvider, return_url: str) -> Event:
    """Ask the provider; what it says, as an event."""
    asked = Asked(
        reference=payment.reference, amount_micros=payment.amount_micros, currency=payment.currency, description="Credit for SIP trunking"
    )
    try:
        if payment.method is None:
            return _page(asked, provider, return_url)
        try:
            present = payment.why == Payment.Why.TOP_UP
            made = provider.charge(asked, token=payment.method.token, payer_present=present)
        except AuthenticationNeeded:
            return _page(asked, provider, return_url)
        return _event(asked, Told.PROCESSING if made.pending else Told.SUCCEEDED, provider_reference=made.provider_reference)
    except Declined as problem:
        return _event(asked, Told.FAILED, reason=str(problem))
    except ProviderUnreachable as problem:
        return _event(asked, Told.TRY_FAILED if payment.method is None else Told.PROCESSING, reason=str(problem))


def _page(asked: Asked, provider: PaymentProvider, return_url: str) -> Event:
    page = provider.create_payment(asked, return_url=return_url)
    return _event(asked, Told.ACTION_NEEDED, provider_reference=page.provider_reference, action_url=page.action_url)


def _event(asked: Asked, told: Told, *, provider_reference: str = "", reason: str = "", action_url: str = "") -> Event:
    return Event(
        event_id="",
        told=told,
        reference=asked.reference,
        provider_reference=provider_reference,
        amount_micros=asked.amount_micros,
        currency=asked.currency,
        reason=reason,
        action_url=action_url,
    )


def _due(provider: PaymentProvider, now: datetime) -> QuerySet[Payment]:
    never = Q(asked_at=None, created_at__lte=now - ASK_AGAIN_AFTER)
    fresh = Q(asked_at__lte=now - ASK_AGAIN_AFTER, created_at__gt=now - FRESH)
    old = Q(asked_at__lte=now - FRESH, created_at__gt=now - GIVEN_UP)
    waiting = Payment.objects.select_related("method", "manager").filter(never | fresh | old, state__in=UNSETTLED, provider=provider.name)
    return waiting.order_by(F("asked_at").asc(nulls_first=True), "pk")


def _refunds_due(provider: PaymentProvider, now: datetime) -> QuerySet[Refund]:
    pending = Refund.objects.filter(state=Refund.State.PENDING, provider_reference="", payment__provider=provider.name)
    return pending.filter(created_at__lte=now - ASK_AGAIN_AFTER, created_at__gt=now - REPEATABLE).order_by("pk")


def _ask_again(now: datetime, by: By, payment: Payment, provider: PaymentProvider) -> bool:
    """Whether it is settled now."""
    look = payment.provider_reference or payment.method is None or not _is_repeatable(payment, now)
    event = _look(payment, provider) if look else _ask(payment, provider, "")
    return event is not None and settle(now=now, by=by, payment_id=payment.pk, event=event).state not in UNSETTLED


def _look(payment: Payment, provider: PaymentProvider) -> Event | None:
    """How it stands at the provider, without asking for it. None: that can't be known now."""
    try:
        event = provider.fetch(reference=payment.reference, provider_reference=payment.provider_reference)
    except (Declined, ProviderUnreachable):
        return None
    return event or Event(event_id="", told=Told.CANCELLED, reason=NEVER_MADE)
