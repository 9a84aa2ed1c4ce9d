"""Credit: booked by the operator, allocated to profiles, taken back (SPEC R4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.errors import Conflict
from trunkline.domain.money import check_amount
from trunkline.domain.names import check_name
from trunkline.domain.payments import Means
from trunkline.store import ledger, queries
from trunkline.store.models import Account, Manager, Payment, Posting
from trunkline.store.work import By, Work, work
from trunkline.usecases import purchase_limits
from trunkline.usecases.profile_changes import lock_profile
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
    manager = queries.manager(manager_id)
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
    profile = queries.profile(profile_id)
    manager = profile.manager
    with work(now=now, by=by) as doing:
        accounts = doing.locks.many(Account, [manager.account_id, profile.account_id])
        lock_profile(doing, profile_id)  # nobody deletes it now, nor has: Credit would be lost in it
        debit, credit = accounts[manager.account_id], accounts[profile.account_id]
        key = f"allocate/{profile_id}/{reference}"
        return _post(doing, manager, debit, credit, amount_micros=amount_micros, key=key, note=profile.name)


def take_back_credit(*, now: datetime, by: By, profile_id: int, amount_micros: int, reference: str) -> Moved:
    """From a profile's Credit back to the Manager's; never what calls hold."""
    reference = check_name(reference, "reference", longest=40)
    profile = queries.profile(profile_id)
    manager, key = profile.manager, f"take_back/{profile_id}/{reference}"
    with work(now=now, by=by) as doing:
        return _move(doing, manager, profile.account_id, manager.account_id, amount_micros=amount_micros, key=key, note=profile.name)


def take_back_everything(*, now: datetime, by: By, profile_id: int, reference: str) -> Moved:
    """All that calls don't hold, back to the Manager's Credit. Raises `Conflict` when that is nothing."""
    reference = check_name(reference, "reference", longest=40)
    profile = queries.profile(profile_id)
    key = f"take_back/{profile_id}/{reference}"
    with work(now=now, by=by) as doing:
        accounts = doing.locks.many(Account, [profile.account_id, profile.manager.account_id])
        known = Posting.objects.filter(key=key).first()
        amount = known.amount if known else ledger.free(accounts[profile.account_id])
        if amount <= 0:
            raise Conflict(f"There is nothing to take back: {profile.name} has no Credit that calls don't hold.")
        purse, credit = accounts[profile.account_id], accounts[profile.manager.account_id]
        return _post(doing, profile.manager, purse, credit, amount_micros=amount, key=key, note=profile.name)


@dataclass(frozen=True, slots=True)
class MovePreview:
    """What would be free afterwards. It can be done when there are no `problems`."""

    manager_free_micros: int
    profile_free_micros: int
    currency: str
    problems: tuple[str, ...] = ()


def preview_allocation(*, profile_id: int, amount_micros: int) -> MovePreview:
    """`allocate_credit`, without doing it."""
    return _preview(profile_id, amount_micros, to_profile=True)


def preview_take_back(*, profile_id: int, amount_micros: int) -> MovePreview:
    """`take_back_credit`, without doing it."""
    return _preview(profile_id, amount_micros, to_profile=False)


def _preview(profile_id: int, amount_micros: int, *, to_profile: bool) -> MovePreview:
    check_amount(amount_micros)
    profile = queries.profile(profile_id)
    credit, purse = profile.manager.account, profile.account
    problem = ledger.shortage(credit if to_profile else purse, amount_micros)
    moved = amount_micros if to_profile else -amount_micros
    return MovePreview(ledger.free(credit) - moved, ledger.free(purse) + moved, purse.currency, (problem,) if problem else ())


def _move(doing: Work, manager: Manager, debit_id: int, credit_id: int, *, amount_micros: int, key: str, note: str = "") -> Moved:
    """`key` begins with the kind of movement."""
    accounts = doing.locks.many(Account, [debit_id, credit_id])
    return _post(doing, manager, accounts[debit_id], accounts[credit_id], amount_micros=amount_micros, key=key, note=note)


def _post(doing: Work, manager: Manager, debit: Account, credit: Account, *, amount_micros: int, key: str, note: str = "") -> Moved:
    kind = key.partition("/")[0]
    posting, new = ledger.post(key=key, debit=debit, credit=credit, amount=amount_micros, kind=kind, now=doing.now, note=note[:200])
    if new:
        after = {"amount_micros": amount_micros, "currency": debit.currency, "from": debit.name, "to": credit.name}
        doing.audit(f"credit.{kind}", key, manager_id=manager.pk, after=after)
    return Moved(posting.pk, credit.balance, not new)
