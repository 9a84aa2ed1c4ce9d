"""Credit: booked by the operator, allocated to profiles, taken back (SPEC R4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.errors import NotFound
from trunkline.domain.names import check_name
from trunkline.domain.payments import Means
from trunkline.store import ledger
from trunkline.store.models import Account, Manager, Payment, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases import purchase_limits
from trunkline.usecases.purchase_limits import BOOKED


@dataclass(frozen=True, slots=True)
class Moved:
    """`repeated`: the same reference was booked before, nothing happened this time. `balance_micros`: of the purse that was filled."""

    posting_id: int
    balance_micros: int
    repeated: bool


def book_payment(*, now: datetime, by: By, manager_id: int, amount_micros: int, reference: str, note: str = "") -> Moved:
    """Money came in (a bank transfer, cash): it becomes the Manager's Credit. `reference` names the payment; it is booked once."""
    reference = check_name(reference, "reference", longest=40)
    manager = _manager(manager_id)
    key = f"payment/{manager_id}/{reference}"
    with work(now=now, by=by) as doing:
        funding = ledger.outside(Account.Kind.FUNDING, manager.currency)
        moved = _move(doing, manager, funding.pk, manager.account_id, amount_micros=amount_micros, key=key, note=note)
        if not moved.repeated:
            _write_payment(doing, manager_id, amount_micros, reference)
        return moved


def _write_payment(doing: Work, manager_id: int, amount_micros: int, reference: str) -> None:
    """Beside those that came through a provider; what is over the operator's own limit is refused, and nothing booked."""
    manager = doing.locks.one(Manager, manager_id)
    purchase_limits.check(doing, manager, Means.BOOKED, amount_micros)
    Payment.objects.create(
        manager=manager,
        reference=f"m{manager_id}.{BOOKED}.{reference}",
        provider=BOOKED,
        amount_micros=amount_micros,
        currency=manager.currency,
        why=Payment.Why.BOOKED,
        state=Payment.State.SUCCEEDED,
        created_at=doing.now,
        settled_at=doing.now,
    )


def allocate_credit(*, now: datetime, by: By, profile_id: int, amount_micros: int, reference: str) -> Moved:
    """From the Manager's Credit to a profile's."""
    reference = check_name(reference, "reference", longest=40)
    profile = _profile(profile_id)
    manager = profile.manager
    with work(now=now, by=by) as doing:
        return _move(
            doing, manager, manager.account_id, profile.account_id, amount_micros=amount_micros, key=f"allocate/{profile_id}/{reference}"
        )


def take_back_credit(*, now: datetime, by: By, profile_id: int, amount_micros: int, reference: str) -> Moved:
    """From a profile's Credit back to the Manager's; never what calls hold."""
    reference = check_name(reference, "reference", longest=40)
    profile = _profile(profile_id)
    manager = profile.manager
    with work(now=now, by=by) as doing:
        return _move(
            doing, manager, profile.account_id, manager.account_id, amount_micros=amount_micros, key=f"take_back/{profile_id}/{reference}"
        )


def _move(doing: Work, manager: Manager, debit_id: int, credit_id: int, *, amount_micros: int, key: str, note: str = "") -> Moved:
    """`key` begins with the kind of movement."""
    kind = key.partition("/")[0]
    accounts = doing.locks.many(Account, [debit_id, credit_id])
    debit, credit = accounts[debit_id], accounts[credit_id]
    posting, new = ledger.post(key=key, debit=debit, credit=credit, amount=amount_micros, kind=kind, now=doing.now, note=note[:200])
    if new:
        after = {"amount_micros": amount_micros, "currency": debit.currency, "from": debit.name, "to": credit.name}
        doing.audit(f"credit.{kind}", key, manager_id=manager.pk, after=after)
    return Moved(posting.pk, credit.balance, not new)


def _manager(manager_id: int) -> Manager:
    manager = Manager.objects.filter(pk=manager_id).first()
    if manager is None:
        raise NotFound(f"There is no Manager {manager_id}.")
    return manager


def _profile(profile_id: int) -> Profile:
    profile = Profile.objects.select_related("manager").filter(pk=profile_id).exclude(state=Profile.State.DELETED).first()
    if profile is None:
        raise NotFound(f"There is no SIP Profile {profile_id}.")
    return profile
