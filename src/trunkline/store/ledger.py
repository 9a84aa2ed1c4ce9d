"""The ledger: every movement of money is a posting with a debit and a credit, and balances follow from postings.

Call control holds and posts what calls cost (`store.hotpath`); everybody else moves money with `post`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from trunkline.domain.errors import Conflict, NotEnoughCredit
from trunkline.domain.money import check_amount, for_people
from trunkline.store.models import Account, Posting

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PostingConflict(Conflict):
    """The same key was used for another movement."""


def post(*, key: str, debit: Account, credit: Account, amount: int, kind: str, now: datetime, note: str = "") -> tuple[Posting, bool]:
    """Move `amount` from `debit` to `credit`, both locked by the caller's `work.locks`. Returns the posting, and whether it is new.

    The same movement under the same key happens once. A purse never pays more than it has free; holds are not free.
    """
    check_amount(amount)
    posting = Posting(key=key, debit=debit, credit=credit, amount=amount, kind=kind, note=note, posted_us=microseconds(now))
    if known := Posting.objects.filter(key=key).first():
        return _same(known, posting), False
    if debit.currency != credit.currency:
        raise Conflict(f"{debit.name} is in {debit.currency} and {credit.name} in {credit.currency}: money does not change its currency.")
    if problem := shortage(debit, amount):
        raise NotEnoughCredit(problem)
    _insert(posting)
    _move(debit, -amount)
    _move(credit, amount)
    return posting, True


def free(account: Account) -> int:
    """What is neither spent nor held by calls."""
    return account.balance - account.held


def shortage(account: Account, amount: int) -> str:
    """What to tell whoever wants to take so much out of a purse that has less free; empty: it is there."""
    return _too_little(account, amount) if account.guarded and amount > free(account) else ""


def open_account(*, kind: Account.Kind, name: str, currency: str) -> Account:
    """A purse, empty."""
    return Account.objects.create(kind=kind, name=name, currency=currency, guarded=True)


def outside(kind: Account.Kind, currency: str) -> Account:
    """The one account of a currency where money comes from (`FUNDING`) or where it is earned (`REVENUE`); it may go below zero."""
    defaults = {"name": f"{kind.label} in {currency}", "guarded": False}
    return Account.objects.get_or_create(kind=kind, currency=currency, defaults=defaults)[0]


def microseconds(moment: datetime) -> int:
    """Since the Unix epoch, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _insert(posting: Posting) -> None:
    try:
        with transaction.atomic():
            posting.save(force_insert=True)
    except IntegrityError as problem:
        raise PostingConflict(f"{posting.key} was posted by somebody else at the same moment: look, then do it again.") from problem


def _move(account: Account, amount: int) -> None:
    Account.objects.filter(pk=account.pk).update(balance=F("balance") + amount)
    account.balance += amount


def _same(known: Posting, posting: Posting) -> Posting:
    if any(getattr(known, name) != getattr(posting, name) for name in ("debit_id", "credit_id", "amount", "kind")):
        raise PostingConflict(f"{posting.key} was used for another movement: take another reference.")
    return known


def _too_little(account: Account, amount: int) -> str:
    held = f" ({for_people(account.held, account.currency)} more is held by calls)" if account.held else ""
    return (
        f"{account.name} has {for_people(free(account), account.currency)} free{held}: "
        f"too little for {for_people(amount, account.currency)}."
    )
