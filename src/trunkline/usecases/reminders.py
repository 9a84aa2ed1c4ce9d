"""Mails before something ends, and when Credit is low (SPEC R3.6, R4.3)."""

from __future__ import annotations

from datetime import datetime

import structlog

from trunkline.domain import reminders
from trunkline.domain.errors import Invalid
from trunkline.domain.money import MAX_AMOUNT_MICROS
from trunkline.domain.reminders import Ending
from trunkline.store import ledger, reminders as rows
from trunkline.store.models import Account, Manager, Term
from trunkline.store.work import By, work
from trunkline.usecases import notices
from trunkline.usecases.mail import is_address
from trunkline.usecases.renewal_prices import unit_price_micros

log = structlog.get_logger()


def set_notices(*, now: datetime, by: By, manager_id: int, email: str, low_balance_micros: int | None) -> None:
    """Where a Manager's notices go, and below how much free Credit one is sent (None: never)."""
    email = checked_address(email)
    if low_balance_micros is not None and not 0 <= low_balance_micros <= MAX_AMOUNT_MICROS:
        raise Invalid("low_balance", f"The limit must be from 0 to {MAX_AMOUNT_MICROS // 1_000_000}.")
    with work(now=now, by=by) as doing:
        manager = doing.locks.one(Manager, manager_id)
        before = {"email": manager.email, "low_balance_micros": manager.low_balance_micros}
        after = {"email": email, "low_balance_micros": low_balance_micros}
        if before != after:
            manager.email, manager.low_balance_micros = email, low_balance_micros
            manager.save(update_fields=["email", "low_balance_micros"])
            doing.audit("manager.notices", f"manager {manager_id}", manager_id=manager_id, before=before, after=after)


def tell_low_balances(*, now: datetime, by: By, limit: int) -> int:
    """One mail when a Manager's free Credit falls below its limit, and none until it has recovered. Returns how many Managers it was about."""
    done = 0
    for manager_id in rows.crossed_low(limit):
        try:
            _tell_low_balance(manager_id, now, by)
            done += 1
        except Exception:
            log.exception("a low balance was not told", manager=manager_id)
    return done


def remind(*, now: datetime, by: By, since: datetime | None) -> int:
    """Of terms that have come within 7, 3 or 1 days of their end since then. Returns how many mails were looked at; the same goes out once."""
    done = 0
    for manager_id, terms in rows.ending_soon(rows.managers_to_remind(now, since), now).items():
        try:
            done += _remind(terms, now, by)
        except Exception:
            log.exception("reminders failed", manager=manager_id)
    return done


def _remind(terms: list[Term], now: datetime, by: By) -> int:
    manager = terms[0].manager
    endings = [Ending(term.pk, term.ends_at, term.renews, _price_micros(term)) for term in terms]
    by_id = {term.pk: term for term in terms}
    with work(now=now, by=by) as doing:
        free = ledger.free(doing.locks.one(Account, manager.account_id))
        found = reminders.reminders(endings, free_micros=free, recharges=rows.recharges_by_itself(manager), now=now)
        for each in found:
            term = by_id[each.term_id]
            notices.term_ends(doing, term, days=each.days, price_micros=each.price_micros, free_micros=max(each.free_micros, 0))
    return len(found)


def _price_micros(term: Term) -> int:
    """Of its renewal. What is not sold any more is told by what it has cost: it may be sold again until then."""
    unit_price = unit_price_micros(term, term.manager)
    return term.price_micros if unit_price is None else term.quantity * unit_price


def _tell_low_balance(manager_id: int, now: datetime, by: By) -> None:
    account_id = Manager.objects.values_list("account_id", flat=True).get(pk=manager_id)
    with work(now=now, by=by) as doing:
        free = ledger.free(doing.locks.one(Account, account_id))
        manager = doing.locks.one(Manager, manager_id)
        limit = manager.low_balance_micros
        is_low = limit is not None and free < limit
        if is_low == (manager.low_balance_since is not None):
            return  # somebody else was faster
        if is_low and limit is not None:
            notices.low_balance(doing, manager, free_micros=free, limit_micros=limit)
        manager.low_balance_since = now if is_low else None
        manager.save(update_fields=["low_balance_since"])


def checked_address(email: str) -> str:
    """Empty: no mail."""
    if email and not is_address(email):
        raise Invalid("email", f"{email[:80]!r} is not an e-mail address: write it like notices@example.com.")
    return email
