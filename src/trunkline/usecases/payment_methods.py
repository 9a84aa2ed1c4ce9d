"""Stored payment methods: added on the provider's page, chosen, removed (SPEC R4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.errors import Conflict, NotFound
from trunkline.domain.payments import check_reference
from trunkline.providers.payments.contract import Event, PaymentError, PaymentProvider, StoredMethod
from trunkline.store import queries
from trunkline.store.models import Manager, PaymentMethod, RechargeRule
from trunkline.store.work import By, Work, work
from trunkline.usecases.payment_steps import NotYet


@dataclass(frozen=True, slots=True)
class MethodStarted:
    """The payer goes on at `action_url`; the method is there when the provider tells so."""

    action_url: str


def add_method(*, now: datetime, by: By, manager_id: int, reference: str, return_url: str, provider: PaymentProvider) -> MethodStarted:
    """The first one becomes the default."""
    manager = queries.manager(manager_id)
    named = f"m{manager_id}.{check_reference(reference)}"
    try:
        page = provider.set_up_method(manager_id=manager_id, reference=named, currency=manager.currency, return_url=return_url)
    except PaymentError as problem:
        raise Conflict(f"The card can't be stored now: {problem}") from problem
    with work(now=now, by=by) as doing:
        doing.audit("payment_method.started", f"manager {manager_id}", manager_id=manager_id)
    return MethodStarted(page.action_url)


def method_stored(*, now: datetime, by: By, provider: str, event: Event, stored: StoredMethod) -> str:
    """Told by the provider. The same method again is the same."""
    if event.manager_id is None:
        raise NotYet("It does not say whose payment method this is.")
    with work(now=now, by=by) as doing:
        try:
            manager = doing.locks.one(Manager, event.manager_id)
        except NotFound as problem:
            raise NotYet(str(problem)) from problem
        if PaymentMethod.objects.filter(provider=provider, token=stored.token).exists():
            return "stored before"
        first = not PaymentMethod.objects.filter(manager=manager, is_default=True, removed_at=None).exists()
        facts = {"token": stored.token, "label": stored.label[:80], "expires_on": stored.expires_on}
        made = PaymentMethod.objects.create(manager=manager, provider=provider, is_default=first, created_at=now, **facts)
        doing.audit("payment_method.added", f"method {made.pk}", manager_id=manager.pk, after={"label": made.label})
    return "stored"


def make_default(*, now: datetime, by: By, manager_id: int, method_id: int) -> None:
    with work(now=now, by=by) as doing:
        method = _lock(doing, manager_id, method_id)
        PaymentMethod.objects.filter(manager_id=manager_id, is_default=True).update(is_default=False)
        PaymentMethod.objects.filter(pk=method.pk).update(is_default=True)
        doing.audit("payment_method.default", f"method {method.pk}", manager_id=manager_id, after={"label": method.label})


def remove_method(*, now: datetime, by: By, manager_id: int, method_id: int, provider: PaymentProvider) -> None:
    """It is forgotten here first, so that it is never charged again, whatever the provider says."""
    with work(now=now, by=by) as doing:
        method = _lock(doing, manager_id, method_id)
        if method.provider != provider.name:
            raise Conflict(f"{method.label} is kept by {method.provider}: it can be removed while that is set up.")
        if RechargeRule.objects.filter(method=method, enabled=True).exists():
            raise Conflict(f"Auto-recharge pays with {method.label}: choose another payment method there first, or switch it off.")
        method.removed_at, method.is_default = now, False
        method.save(update_fields=["removed_at", "is_default"])
        doing.audit("payment_method.removed", f"method {method.pk}", manager_id=manager_id, before={"label": method.label})
    try:
        provider.forget_method(method.token)
    except PaymentError as problem:
        raise Conflict(f"{method.label} is not used here any more, but the provider could not be told: {problem}") from problem


def _lock(doing: Work, manager_id: int, method_id: int) -> PaymentMethod:
    doing.locks.one(Manager, manager_id)
    method = doing.locks.one(PaymentMethod, method_id)
    if method.manager_id != manager_id or method.removed_at is not None:
        raise NotFound("There is no such payment method.")
    return method
