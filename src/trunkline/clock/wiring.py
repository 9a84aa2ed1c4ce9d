"""Use cases with this instance's payment provider."""

from __future__ import annotations

from datetime import datetime

from trunkline.providers.payments.chosen import payment_provider
from trunkline.runtime.settings import load_settings
from trunkline.store.work import By
from trunkline.usecases import payment_events, payments
from trunkline.usecases.recharge_payments import Charged, ManagerRecharge, recharge_manager_now


def charge_method(*, now: datetime, by: By, manager_id: int, method_id: int, amount_micros: int, reference: str) -> Charged:
    """A `recharge_payments.ChargeMethod`."""
    return payments.charge_method(
        now=now,
        by=by,
        manager_id=manager_id,
        method_id=method_id,
        amount_micros=amount_micros,
        reference=reference,
        provider=payment_provider(),
    )


def recharge_manager(*, now: datetime, by: By, manager_id: int, need_micros: int) -> ManagerRecharge:
    """A `renewals.Recharge`."""
    return recharge_manager_now(now=now, by=by, manager_id=manager_id, need_micros=need_micros, charge=charge_method)


def ask_for_payments_again(now: datetime, by: By, limit: int) -> int:
    """Payments that nobody has told the end of, then what was told and waits. Returns how many are settled now."""
    if load_settings().payments == "none":
        return 0
    provider = payment_provider()
    settled = payments.ask_again(now=now, by=by, provider=provider, limit=limit).settled
    return settled + payment_events.apply_waiting(now=now, by=by, provider=provider, limit=limit)
