"""How the talk time of one call is bought: seconds of bundles first, then money (SPEC R5.4, R6.3).

A call that a bundle covers draws minutes, an increment at a time or what is left of one. When they run out, also in mid-call, money pays,
with next increments and without the connection fee. A call that has begun to pay money goes on with money, whatever becomes free meanwhile.
What a call has used of its minutes are whole increments of its talk time, at most what it could draw.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trunkline.domain.purses import Book, Entry
from trunkline.domain.rating import MICROSECONDS, Rate

LEAD_US = 5 * MICROSECONDS
"""How long before the paid time ends the next increment is held: longer than call control takes to restart."""


@dataclass(slots=True)
class Minutes:
    """The part of a call that bundles pay, in seconds (SPEC R5.4).

    `purse_id`: the bundle's account that was held on or drawn on last; `earlier`: what was drawn on others before. `choices`: the accounts
    that may be drawn on now, in this order. Whoever loads the purses sets them, and loads those. `moved`: there is another `purse_id` than
    is stored.
    """

    purse_id: int
    revenue_id: int
    held: int = 0
    paid: int = 0
    increments: int = 0
    earlier: dict[int, int] = field(default_factory=dict)
    choices: tuple[int, ...] = ()
    moved: bool = False

    @property
    def drawn(self) -> int:
        """On `purse_id` alone."""
        return self.paid - sum(self.earlier.values())

    def hold(self, seconds: int, book: Book) -> bool:
        """Hold that much, or what there is, on the first bundle that has anything. False: there is nothing left."""
        for ident in self.choices:
            amount = min(seconds, book.purses[ident].available)
            if amount > 0:
                book.purses[ident].hold(amount)
                self._go_to(ident)
                self.held = amount
                return True
        return False

    def void_held(self, book: Book) -> None:
        if self.held:
            book.purses[self.purse_id].void(self.held)
            self.held = 0

    def post_held(self, call_ref: int, note: str, at_us: int, book: Book) -> int:
        """Turn the hold into a posting. Returns the seconds that it buys."""
        self.increments += 1
        seconds, self.held = self.held, 0
        book.purses[self.purse_id].spend_held(seconds)
        self.paid += seconds
        key = f"call/{call_ref}/m{self.increments}"
        book.post(Entry(key, self.purse_id, self.revenue_id, seconds, "minutes", call_ref, note, at_us))
        return seconds

    def give_back(self, seconds: int, call_ref: int, note: str, at_us: int, book: Book) -> None:
        """Return what was drawn too much, first to the bundle that was drawn on last."""
        for ident, most in ((self.purse_id, self.drawn), *reversed(self.earlier.items())):
            amount = min(seconds, most)
            if amount <= 0:
                continue
            book.purses[self.revenue_id].balance -= amount
            self.paid -= amount
            seconds -= amount
            book.post(Entry(f"call/{call_ref}/m/{ident}/back", self.revenue_id, ident, amount, "minutes_back", call_ref, note, at_us))

    def _go_to(self, ident: int) -> None:
        if ident == self.purse_id:
            return
        if self.drawn:
            self.earlier[self.purse_id] = self.drawn
        self.earlier.pop(ident, None)
        self.purse_id, self.moved = ident, True


@dataclass(slots=True)
class Payment:
    """Who pays for a call, and how far. `held` is the open hold, `paid` what was posted in `increments` postings; `minutes` likewise for
    the part that bundles pay. There is at most one open hold. Minutes come first; a call that has paid money goes on paying money.

    `paid_until_us` is 0 until the call is answered.
    """

    call_ref: int
    purse_id: int
    revenue_id: int
    rate: Rate
    held: int = 0
    paid: int = 0
    increments: int = 0
    paid_until_us: int = 0
    minutes: Minutes | None = None

    @property
    def lead_us(self) -> int:
        """How long before the paid time ends the next increment is held; at most half an increment, so that never two are held."""
        return min(LEAD_US, self.rate.next_increment_seconds * MICROSECONDS // 2)

    @property
    def money_rate(self) -> Rate:
        """What the part costs that is paid with money."""
        return self.rate.after_minutes() if self.minutes is not None and self.minutes.increments else self.rate

    @property
    def billed_seconds(self) -> int:
        """Talk time that was paid, by whichever purse."""
        return (self.minutes.paid if self.minutes is not None else 0) + self.money_rate.seconds_of(self.increments)

    def accounts(self) -> tuple[int, ...]:
        """Every account that this payment may move."""
        if (minutes := self.minutes) is None:
            return self.purse_id, self.revenue_id
        return self.purse_id, self.revenue_id, minutes.purse_id, minutes.revenue_id, *minutes.choices, *minutes.earlier

    def hold_next(self, book: Book) -> bool:
        """Hold the next increment unless one is held. False if no purse can."""
        if self.held or (self.minutes is not None and self.minutes.held):
            return True
        return self._hold_minutes(book) or self._hold_money(book)

    def post_held(self, book: Book) -> None:
        """Turn the hold into a posting; the paid time grows by that increment. A free increment posts nothing."""
        if self.minutes is not None and self.minutes.held:
            seconds = self.minutes.post_held(self.call_ref, self.rate.destination, self.paid_until_us, book)
        else:
            seconds = self._post_money(book)
        self.paid_until_us += seconds * MICROSECONDS

    def give_back_unused(self, duration_us: int, at_us: int, book: Book) -> None:
        """The end was known late and too much was posted: correcting postings return what a call of `duration_us` does not use."""
        drawn = self.minutes.paid if self.minutes is not None else 0
        beyond_us = duration_us - drawn * MICROSECONDS
        owed = self.money_rate.increments_for(beyond_us) if beyond_us > 0 or not drawn else 0
        while self.increments > owed:
            self._give_back_last(book, at_us)
        spare = drawn - self.rate.seconds_of(self.rate.increments_for(duration_us))
        if self.minutes is not None and spare > 0:
            self.minutes.give_back(spare, self.call_ref, self.rate.destination, at_us, book)

    def void_held(self, book: Book) -> None:
        """Give back what is only held."""
        book.purses[self.purse_id].void(self.held)
        self.held = 0
        if self.minutes is not None:
            self.minutes.void_held(book)

    def _hold_minutes(self, book: Book) -> bool:
        if self.minutes is None or self.increments:
            return False  # money was paid: it goes on with money
        is_first = self.minutes.increments == 0
        return self.minutes.hold(self.rate.first_increment_seconds if is_first else self.rate.next_increment_seconds, book)

    def _hold_money(self, book: Book) -> bool:
        amount = self.money_rate.increment_micros(self.increments + 1)
        if not book.purses[self.purse_id].hold(amount):
            return False
        self.held = amount
        return True

    def _post_money(self, book: Book) -> int:
        self.increments += 1
        amount, self.held = self.held, 0
        if amount:
            book.purses[self.purse_id].spend_held(amount)
            self.paid += amount
            book.post(self._entry(amount, self.paid_until_us))
        rate = self.money_rate
        return rate.seconds_of(self.increments) - rate.seconds_of(self.increments - 1)

    def _give_back_last(self, book: Book, at_us: int) -> None:
        amount = self.money_rate.increment_micros(self.increments)
        if amount:
            book.purses[self.revenue_id].balance -= amount
            self.paid -= amount
            book.post(self._entry(amount, at_us, is_correction=True))
        self.increments -= 1

    def _entry(self, amount: int, at_us: int, *, is_correction: bool = False) -> Entry:
        key = f"call/{self.call_ref}/{self.increments}"
        return Entry(
            key=f"{key}/back" if is_correction else key,
            debit=self.revenue_id if is_correction else self.purse_id,
            credit=self.purse_id if is_correction else self.revenue_id,
            amount=amount,
            kind="call_back" if is_correction else "call",
            call_ref=self.call_ref,
            note=self.rate.destination,
            posted_us=at_us,
        )
