"""Where money of payments comes in and goes out: the accounts of one Manager's payment, locked together."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from trunkline.domain.money import for_people
from trunkline.store import ledger
from trunkline.store.models import Account, Manager, Payment
from trunkline.store.work import Work


@dataclass(frozen=True, slots=True)
class PaymentAccounts:
    """`loss`: what the operator pays when the Manager's Credit can't."""

    credit: Account
    funding: Account
    loss: Account


def lock_payment_accounts(doing: Work, manager: Manager) -> PaymentAccounts:
    """The first locks of its transaction."""
    funding = ledger.outside(Account.Kind.FUNDING, manager.currency).pk
    loss = ledger.outside(Account.Kind.LOSS, manager.currency).pk
    locked = doing.locks.many(Account, [manager.account_id, funding, loss])
    return PaymentAccounts(locked[manager.account_id], locked[funding], locked[loss])


def words_of(payment: Payment, manager: Manager) -> str:
    """For the note of what becomes of it later: by its amount, and its day there."""
    day = (payment.settled_at or payment.created_at).astimezone(ZoneInfo(manager.time_zone))
    return f"payment of {for_people(payment.amount_micros, payment.currency)} on {day:%Y-%m-%d}"


def take(doing: Work, accounts: PaymentAccounts, *, key: str, amount_micros: int, kind: str, note: str) -> int:
    """Money has left: from the Manager's Credit as far as it is free, the rest from the operator's. Returns the Manager's part."""
    taken = max(0, min(ledger.free(accounts.credit), amount_micros))
    _post(doing, accounts.credit, accounts.funding, taken, key=key, kind=kind, note=note)
    _post(doing, accounts.loss, accounts.funding, amount_micros - taken, key=f"{key}/loss", kind=kind, note=note)
    return taken


def give_back(doing: Work, accounts: PaymentAccounts, *, key: str, amount_micros: int, taken_micros: int, kind: str, note: str) -> None:
    """What `take` took, to those it was taken from."""
    _post(doing, accounts.funding, accounts.credit, taken_micros, key=key, kind=kind, note=note)
    _post(doing, accounts.funding, accounts.loss, amount_micros - taken_micros, key=f"{key}/loss", kind=kind, note=note)


def _post(doing: Work, debit: Account, credit: Account, amount_micros: int, *, key: str, kind: str, note: str) -> None:
    if amount_micros:
        ledger.post(key=key, debit=debit, credit=credit, amount=amount_micros, kind=kind, now=doing.now, note=note[:200])
