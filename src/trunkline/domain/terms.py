"""Paid periods: how long they run, what they cost, and what is given back of one that ends early (SPEC R3, R5, R7.1).

An `Offer` is what the customer sees before and what is charged after: there is one function for both.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import chain

from trunkline.domain.errors import Conflict, NotEnoughCredit
from trunkline.domain.money import for_people

TERM = timedelta(days=30)
GRACE = timedelta(days=3)
"""So long a renewal waits for a payment that has not failed for good."""
SUSPENDED = "The company is suspended: what runs goes on and is renewed, but nothing new can be bought until the operator lifts that."

_SECOND = timedelta(seconds=1)
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Running:
    """What was bought and runs. `free_seconds`: a bundle's, neither used nor held by calls."""

    quantity: int
    price_micros: int
    starts_at: datetime
    ends_at: datetime
    renews: bool = True
    granted_seconds: int = 0
    free_seconds: int = 0

    def refund_micros(self, now: datetime) -> int:
        """For what is unused: of the time, to the second; of a bundle the smaller share of time and minutes. Rounded down."""
        total = (self.ends_at - self.starts_at) // _SECOND
        by_time = self.price_micros * unused_seconds(self.starts_at, self.ends_at, now) // total
        if not self.granted_seconds:
            return by_time
        return min(by_time, self.price_micros * self.free_seconds // self.granted_seconds)

    def is_over(self, now: datetime) -> bool:
        """It was cancelled and has run out, whether or not somebody has noted it yet."""
        return not self.renews and self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Offer:
    """What a purchase or a change would do. It can be bought when there are no `problems`.

    `to_pay_micros` is below zero when more is given back than the new term costs. `warnings` don't prevent it.
    """

    asked: int
    quantity: int
    price_micros: int
    refund_micros: int
    currency: str
    starts_at: datetime
    ends_at: datetime
    balance_after_micros: int
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def to_pay_micros(self) -> int:
        return self.price_micros - self.refund_micros

    @property
    def affordable(self) -> bool:
        return self.balance_after_micros >= 0

    @property
    def other_problems(self) -> tuple[str, ...]:
        """But that of missing Credit, which is the last."""
        return self.problems if self.affordable else self.problems[:-1]

    def must_be_possible(self) -> None:
        """Raises `NotEnoughCredit` when only money is missing, `Conflict` for anything else."""
        must_have_no(self.problems, affordable=self.affordable)


@dataclass(frozen=True, slots=True)
class Basket:
    """Offers that are taken together or not at all, each by its key, in the order in which they are paid. `free_micros`: before it."""

    offers: dict[int, Offer]
    free_micros: int
    currency: str

    @property
    def price_micros(self) -> int:
        return sum(each.price_micros for each in self.offers.values())

    @property
    def refund_micros(self) -> int:
        return sum(each.refund_micros for each in self.offers.values())

    @property
    def to_pay_micros(self) -> int:
        return self.price_micros - self.refund_micros

    @property
    def balance_after_micros(self) -> int:
        return self.free_micros - self.to_pay_micros

    @property
    def affordable(self) -> bool:
        return self.balance_after_micros >= 0

    @property
    def problems(self) -> tuple[str, ...]:
        """That of missing Credit is the last, and counts all of it."""
        others = chain.from_iterable(each.other_problems for each in self.offers.values())
        return (*dict.fromkeys(others), *missing_credit(self.balance_after_micros, self.free_micros, self.currency))

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(each.warnings for each in self.offers.values())))

    def must_be_possible(self) -> None:
        must_have_no(self.problems, affordable=self.affordable)


def basket(makers: dict[int, Callable[[int], Offer]], free_micros: int, currency: str) -> Basket:
    """`makers` make an offer, given the free Credit. What gives money back comes first: so there is enough for each if there is for all."""
    offers, left = {}, free_micros
    for key in sorted(makers, key=lambda key: makers[key](free_micros).to_pay_micros >= 0):
        offers[key] = makers[key](left)
        left = offers[key].balance_after_micros
    return Basket(offers, free_micros, currency)


def must_have_no(problems: tuple[str, ...], *, affordable: bool) -> None:
    """Raises `NotEnoughCredit` when only money is missing, `Conflict` for anything else."""
    if problems:
        short = not affordable and len(problems) == 1
        raise (NotEnoughCredit if short else Conflict)(problems[0])


def missing_credit(after_micros: int, free_micros: int, currency: str) -> tuple[str, ...]:
    """What is said when there would be less than nothing `after`; else nothing."""
    if after_micros >= 0:
        return ()
    missing, free = for_people(-after_micros, currency), for_people(free_micros, currency)
    return (f"{missing} of Credit is missing: the Manager has {free}. Add Credit, then buy.",)


def offer(
    *,
    asked: int,
    quantity: int,
    unit_price_micros: int,
    running: Running | None,
    free_micros: int,
    currency: str,
    now: datetime,
    suspended: bool,
    problems: list[str],
    warnings: list[str] | None = None,
) -> Offer:
    """30 days of `quantity`, in place of what is `running`. Credit is enough if it is so after the refund: all or nothing.

    `suspended`: the company is, and can have nothing new (R12).
    """
    price = quantity * unit_price_micros
    refund = running.refund_micros(now) if running else 0
    after = free_micros + refund - price
    problems = [*([SUSPENDED] if suspended else []), *problems, *missing_credit(after, free_micros, currency)]
    starts_at = min(now, running.ends_at) if running else now  # what waits for its renewal has been used since: no free days
    return Offer(asked, quantity, price, refund, currency, starts_at, starts_at + TERM, after, tuple(problems), tuple(warnings or ()))


def unused_seconds(starts_at: datetime, ends_at: datetime, now: datetime) -> int:
    """Whole seconds that are left of a period; a second that has begun is used."""
    return min(max((ends_at - now) // _SECOND, 0), (ends_at - starts_at) // _SECOND)


def same_day(one: datetime, other: datetime, zone: tzinfo) -> bool:
    """Are both on one calendar day there?"""
    return one.astimezone(zone).date() == other.astimezone(zone).date()


def next_month(anchor: datetime, starts_at: datetime, zone: tzinfo) -> datetime:
    """When a month ends that begins at `starts_at`: on the day of the month and at the hour of `anchor`, local time.

    A month that has no such day ends on its last: bought on the 31st, renewed on 28 February and on 31 March.
    """
    first, begins = anchor.astimezone(zone), starts_at.astimezone(zone)
    year, month = divmod(begins.year * _MONTHS + begins.month, _MONTHS)  # months count from 0: this is the next
    day = min(first.day, monthrange(year, month + 1)[1])
    return first.replace(year=year, month=month + 1, day=day).astimezone(anchor.tzinfo)
