"""What is due: terms are renewed, run out, or lapse (SPEC R3.2, R3.6, R5.2, R7.1).

One transaction for each term, in the order in which they end; several sweeps may run at once, and after days without any the terms in between
follow each other, each with its own dates. A renewal that can't be paid asks Auto-recharge, which talks to a payment provider: between
transactions, never inside one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import structlog
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Value, When

from trunkline.domain.errors import Problem
from trunkline.domain.terms import GRACE, TERM
from trunkline.store import ledger
from trunkline.store.models import Manager, Number, RechargeRule, Term
from trunkline.store.work import By, Work, work
from trunkline.usecases import notices, terms
from trunkline.usecases.number_fees import month_after
from trunkline.usecases.numbers import lock_place, send_back
from trunkline.usecases.profile_changes import announce
from trunkline.usecases.renewal_prices import RENEWAL_PRICE, unit_price_micros
from trunkline.usecases.terms import Shelf
from trunkline.usecases.till import Till, begin_term, end_term, open_till

log = structlog.get_logger()

_RANK = Case(
    When(kind=Term.Kind.CHANNELS, then=Value(0)), When(kind=Term.Kind.BUNDLE, then=Value(1)), default=2, output_field=IntegerField()
)


class Answer(Protocol):
    """What Auto-recharge could do; `outcome` is a `recharge_payments.Outcome`."""

    @property
    def outcome(self) -> str: ...


class Recharge(Protocol):
    """Fills the Manager's Credit for what is due, if its owner wants that."""

    def __call__(self, *, now: datetime, by: By, manager_id: int, need_micros: int) -> Answer: ...


class Outcome(StrEnum):
    RENEWED = "renewed"
    ENDED = "ended"
    LAPSED = "lapsed"
    UNPAID = "unpaid"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Renewed:
    """`unpaid`: they wait for a payment that may still come. `more`: the limit was reached."""

    renewed: int
    ended: int
    lapsed: int
    unpaid: int
    more: bool

    @property
    def done(self) -> int:
        return self.renewed + self.ended + self.lapsed


def due_since(now: datetime) -> datetime | None:
    """Since when the first of what is due is due. None: nothing is, or all of it waits for a payment."""
    found = _next_due(now, None)
    return found[0] if found else None


def renew_due(*, now: datetime, by: By, limit: int, recharge: Recharge | None = None) -> Renewed:
    """At most `limit` terms. Without `recharge` what can't be paid lapses at once."""
    done: Counter[Outcome] = Counter()
    place: tuple[datetime, int, int] | None = None
    for _ in range(limit):
        place = _next_due(now, place)
        if place is None:
            break
        try:
            done[_settle(now, by, place[2], recharge)] += 1
        except Problem as problem:  # somebody changed, or deleted, the same at this moment: the next sweep looks again
            log.warning("a term was not settled", term=place[2], reason=str(problem))
        except Exception:  # those behind it go on
            log.exception("a term was not settled", term=place[2])
    return Renewed(
        done[Outcome.RENEWED], done[Outcome.ENDED], done[Outcome.LAPSED], done[Outcome.UNPAID], more=limit > 0 and place is not None
    )


def _next_due(now: datetime, after: tuple[datetime, int, int] | None) -> tuple[datetime, int, int] | None:
    """The first that has ended behind a place in the order: by its end, channels before bundles. A renewed term's next one comes later."""
    open_terms = Term.objects.annotate(rank=_RANK, renewal_price=RENEWAL_PRICE)
    due = open_terms.filter(_worth_a_try(now), ended_at=None, ends_at__lte=now)
    if after is not None:
        ends_at, rank, ident = after
        same = Q(ends_at=ends_at)
        due = due.filter(Q(ends_at__gt=ends_at) | same & Q(rank__gt=rank) | same & Q(rank=rank, pk__gt=ident))
    return due.order_by("ends_at", "rank", "pk").values_list("ends_at", "rank", "pk").first()


def _worth_a_try(now: datetime) -> Q:
    """What waits for a payment waits until there is Credit, Auto-recharge may try again, or the time is over."""
    credit = F("manager__account__balance") - F("manager__account__held")
    may_try = Q(next_try_at=None) | Q(next_try_at__lte=now)  # it has never tried, or somebody has set it up anew
    tries_again = RechargeRule.objects.filter(may_try, account=OuterRef("manager__account"), enabled=True)
    recharges = Q(Exists(tries_again), manager__state=Manager.State.ACTIVE)
    return Q(unpaid_since=None) | Q(unpaid_since__lte=now - GRACE) | Q(renewal_price__lte=credit) | recharges


def _settle(now: datetime, by: By, term_id: int, recharge: Recharge | None) -> Outcome:
    """Renewed if that can be paid, if need be after a recharge; lapsed if it can't, or has waited too long."""
    outcome, missing = _try(now, by, term_id, lapse=recharge is None)
    if outcome is not Outcome.UNPAID or recharge is None:
        return outcome
    term = Term.objects.get(pk=term_id)
    answer = recharge(now=now, by=by, manager_id=term.manager_id, need_micros=missing).outcome
    waited = now - (term.unpaid_since or now)
    return _try(now, by, term_id, lapse=answer == "impossible" or waited >= GRACE)[0]


def _try(now: datetime, by: By, term_id: int, *, lapse: bool) -> tuple[Outcome, int]:
    """One transaction. With `UNPAID` comes the price that the Manager's Credit does not have."""
    term = Term.objects.select_related("manager__price_list").get(pk=term_id)
    with work(now=now, by=by) as doing:
        return _settle_number(doing, term, lapse=lapse) if term.kind == Term.Kind.NUMBER else _settle_shelf(doing, term, lapse=lapse)


def _settle_shelf(doing: Work, seen: Term, *, lapse: bool) -> tuple[Outcome, int]:
    """Channels or a bundle, as things stood when it ended: what ended later was there. What was cancelled ends when the shelf is locked."""
    assert seen.profile_id is not None, "a constraint of the store"
    till, shelf = terms.lock_shelf(doing, seen.profile_id, at=seen.ends_at)
    term = next((each for each in shelf.terms if each.pk == seen.pk), None)
    if term is None:
        return (Outcome.GONE if seen.renews else Outcome.ENDED), 0
    following = _following(term, till.manager, _quantity(term, shelf))
    if following is not None and _can_pay(till, following):
        end_term(doing, till, term, Term.End.RENEWED)
        terms.log(doing, f"{term.kind}.renew", begin_term(doing, till, following))
        announce(doing, shelf.profile)
        return Outcome.RENEWED, 0
    if following is not None and not lapse:
        return _wait_on_shelf(doing, shelf, term, following.price_micros)
    terms.take_off(doing, till, shelf, term, Term.End.LAPSED)
    notices.term_lapsed(doing, term, price_micros=following.price_micros if following else None, free_micros=ledger.free(till.credit))
    return Outcome.LAPSED, 0


def _settle_number(doing: Work, seen: Term, *, lapse: bool) -> tuple[Outcome, int]:
    assert seen.number_id is not None, "a constraint of the store"
    till = open_till(doing, seen.manager)
    number, profile = lock_place(doing, seen.number_id)
    term = Term.objects.select_related("manager__price_list", "number").get(pk=seen.pk)
    if term.ended_at is not None:
        return Outcome.GONE, 0
    following = _following_month(term, number)
    if term.renews and _can_pay(till, following):
        end_term(doing, till, term, Term.End.RENEWED)
        terms.log(doing, "number.renew", begin_term(doing, till, following))
        return Outcome.RENEWED, 0
    if term.renews and not lapse:
        return _wait(term, doing.now, following.price_micros)
    how = Term.End.LAPSED if term.renews else Term.End.CANCELLED
    end_term(doing, till, term, how)
    terms.log(doing, f"number.{how}", term)
    if term.renews:
        notices.term_lapsed(doing, term, price_micros=following.price_micros, free_micros=ledger.free(till.credit))
    send_back(doing, number, profile, manager_id=None)
    return (Outcome.LAPSED if term.renews else Outcome.ENDED), 0


def _following(term: Term, manager: Manager, quantity: int) -> Term | None:
    """The next term at today's price. None: it can't be had any more, whatever is paid."""
    unit_price = unit_price_micros(term, manager)
    if unit_price is None or quantity < 1:
        return None
    following = _next(term, quantity, quantity * unit_price)
    if term.product is not None:
        following.granted_seconds = terms.granted_seconds(term.product, quantity)
    return following


def _quantity(term: Term, shelf: Shelf) -> int:
    """As many as now; but not more bundles than there are channels now (R5.2): nobody pays for minutes that can't be used."""
    if term.kind == Term.Kind.CHANNELS:
        return term.quantity
    others = sum(each.quantity for each in shelf.bundles if each is not term)
    return min(term.quantity, (shelf.channels.quantity if shelf.channels else 0) - others)


def _following_month(term: Term, number: Number) -> Term:
    following = _following(term, term.manager, 1)
    assert following is not None, "a number in the stock has a price"
    following.ends_at = month_after(term)
    following.profile_id, following.anchored_at = number.profile_id, term.anchored_at
    return following


def _next(term: Term, quantity: int, price_micros: int) -> Term:
    return Term(
        kind=term.kind,
        manager_id=term.manager_id,
        profile=term.profile,
        product=term.product,
        number=term.number,
        quantity=quantity,
        price_micros=price_micros,
        complimentary=term.complimentary,
        starts_at=term.ends_at,
        ends_at=term.ends_at + TERM,
        previous=term,
    )


def _can_pay(till: Till, following: Term) -> bool:
    return ledger.free(till.credit) >= following.price_micros


def _wait_on_shelf(doing: Work, shelf: Shelf, term: Term, price_micros: int) -> tuple[Outcome, int]:
    """Call control hears of it: minutes that are not paid for are not drawn."""
    if term.unpaid_since is None:
        announce(doing, shelf.profile)
    return _wait(term, doing.now, price_micros)


def _wait(term: Term, now: datetime, price_micros: int) -> tuple[Outcome, int]:
    if term.unpaid_since is None:
        term.unpaid_since = now
        term.save(update_fields=["unpaid_since"])
    return Outcome.UNPAID, price_micros
