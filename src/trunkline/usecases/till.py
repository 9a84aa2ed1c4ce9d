"""The till: where terms of channels, bundles and numbers are paid and refunded, and bundles get their minutes (SPEC R3, R5, R7.1).

What a term costs goes from the Manager's Credit to the operator's income under `term/<id>`, and back under `term/<id>/refund`. A bundle's
minutes are seconds in a purse of their own, one for each term: nothing rolls over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from trunkline.store import ledger
from trunkline.store.models import Account, Manager, Posting, Term
from trunkline.store.work import Work

SECONDS = "SEC"


@dataclass(slots=True)
class Till:
    """Who pays and who earns, locked; `seconds`: where the minutes of bundles come from."""

    manager: Manager
    credit: Account
    revenue: Account
    seconds: Account | None
    accounts: dict[int, Account]


def open_till(doing: Work, manager: Manager, *, more: Iterable[int] = (), minutes: bool = False) -> Till:
    """Locks the accounts: the first locks of a transaction. `more`: others that it will move."""
    revenue_id = ledger.outside(Account.Kind.REVENUE, manager.currency).pk
    seconds_id = ledger.outside(Account.Kind.FUNDING, SECONDS).pk if minutes else None
    if minutes:
        ledger.outside(Account.Kind.REVENUE, SECONDS)  # where calls post what they use
    wanted = {manager.account_id, revenue_id, *more} | ({seconds_id} if seconds_id else set())
    accounts = doing.locks.many(Account, wanted)
    seconds = accounts[seconds_id] if seconds_id else None
    return Till(manager, accounts[manager.account_id], accounts[revenue_id], seconds, accounts)


def begin_term(doing: Work, till: Till, term: Term) -> Term:
    """It runs from now on, and is paid; a bundle gets its minutes."""
    if term.kind == Term.Kind.BUNDLE:
        term.minutes = ledger.open_account(kind=Account.Kind.BUNDLE, name=describe(term), currency=SECONDS)
        till.accounts[term.minutes.pk] = term.minutes
    term.save(force_insert=True)
    key, note = f"term/{term.pk}", f"{describe(term)}, until {term.ends_at.astimezone(ZoneInfo(till.manager.time_zone)):%Y-%m-%d}"
    if term.price_micros:
        ledger.post(
            key=key,
            debit=till.credit,
            credit=till.revenue,
            amount=term.price_micros,
            kind=term.kind,
            now=doing.now,
            note=note,
        )
    if term.minutes is not None:
        assert till.seconds is not None, "a till that was opened for minutes"
        ledger.post(
            key=f"{key}/minutes",
            debit=till.seconds,
            credit=term.minutes,
            amount=term.granted_seconds,
            kind="minutes_granted",
            now=doing.now,
            note=note,
        )
    return term


def end_term(doing: Work, till: Till, term: Term, how: Term.End, *, refund_micros: int = 0) -> None:
    """It does not run any more: what was unused may be paid back, minutes that are left expire."""
    term.ended_at, term.end, term.refunded_micros = doing.now, how, refund_micros
    term.save(update_fields=["ended_at", "end", "refunded_micros"])
    if refund_micros:
        ledger.post(
            key=f"term/{term.pk}/refund",
            debit=till.revenue,
            credit=till.credit,
            amount=refund_micros,
            kind="term_refund",
            now=doing.now,
            note=f"unused part of {describe(term)}",
        )
    expire_minutes(doing, till, term)


def expire_minutes(doing: Work, till: Till, term: Term) -> bool:
    """What calls hold is left to them; what they don't use is taken by a later sweep. True if something expired."""
    if term.minutes_id is None or till.seconds is None:
        return False
    purse = till.accounts[term.minutes_id]
    left = ledger.free(purse)
    if left <= 0:
        return False
    key = f"term/{term.pk}/expired/{Posting.objects.filter(debit=purse, kind='minutes_expired').count() + 1}"
    note = describe(term)
    ledger.post(key=key, debit=purse, credit=till.seconds, amount=left, kind="minutes_expired", now=doing.now, note=note)
    return True


def describe(term: Term) -> str:
    """In the customer's words."""
    if term.kind == Term.Kind.NUMBER:
        return f"+{term.number.e164 if term.number else ''}"
    channels = "calling channel" if term.quantity == 1 else "calling channels"
    thing = channels if term.product is None else f"x {term.product.name}"
    return f"{term.quantity} {thing} for {term.profile.name if term.profile else ''}"
