"""Calls and their money under random interleavings: nothing that can happen breaks the ledger (issue 2, property tests)."""

from __future__ import annotations

import math

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trunkline.domain.calls import Call, Due, State, advance, answered, settle
from trunkline.domain.purses import Book, Purse
from trunkline.domain.rating import MICROSECONDS, Rate
from trunkline.domain.talk_time import LEAD_US, Payment

PURSE, REVENUE, FUNDING = 1, 2, 3
MOST_CALLS = 12

rates = st.sampled_from(
    [
        Rate("1", "minutes", "USD", 23_000, 0, 60, 60),
        Rate("44", "fee", "USD", 17_001, 40_000, 60, 60),
        Rate("33", "30/6", "USD", 99_999, 0, 30, 6),
        Rate("49", "seconds", "USD", 7, 3, 1, 1),
        Rate("800", "free", "USD", 0, 0, 60, 60),
        Rate("34", "fee only", "USD", 0, 12_345, 10, 10),
    ]
)


def independent_cost(rate: Rate, talked_us: int) -> int:
    """The same rule, said another way: count bought seconds up until they cover the call."""
    bought = rate.first_increment_seconds
    while bought * MICROSECONDS < talked_us:
        bought += rate.next_increment_seconds
    return rate.connection_fee_micros + math.ceil(rate.rate_per_minute_micros * bought / 60)


class Prepaid(RuleBasedStateMachine):
    """One purse, several calls, one clock."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book({PURSE: Purse(PURSE, 0), REVENUE: Purse(REVENUE, 0, guarded=False), FUNDING: Purse(FUNDING, 0, guarded=False)})
        self.calls: list[Call] = []
        self.now_us = 1_790_000_000 * MICROSECONDS
        self.cut: set[int] = set()

    @property
    def purse(self) -> Purse:
        return self.book.purses[PURSE]

    def live(self) -> list[Call]:
        return [call for call in self.calls if call.state is not State.SETTLED]

    def pick(self, data: st.DataObject) -> Call:
        return data.draw(st.sampled_from(self.calls))

    @initialize(amount=st.integers(0, 400_000))
    def first_payment(self, amount: int) -> None:
        self.top_up(amount)

    @rule(amount=st.integers(0, 100_000))
    def top_up(self, amount: int) -> None:
        self.book.purses[FUNDING].balance -= amount
        self.purse.balance += amount

    @rule(amount=st.integers(1, 200_000))
    def take_back(self, amount: int) -> None:
        if amount <= self.purse.available:
            self.book.purses[FUNDING].balance += amount
            self.purse.balance -= amount

    @precondition(lambda self: len(self.live()) < MOST_CALLS)
    @rule(rate=rates)
    def admit(self, rate: Rate) -> None:
        ref = len(self.calls) + 1
        call = Call(ref, self.now_us, (7,), Payment(ref, PURSE, REVENUE, rate))
        could = self.purse.available >= rate.increment_micros(1)
        assert call.payment is not None
        assert call.payment.hold_next(self.book) is could
        if could:
            self.calls.append(call)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        call = self.pick(data)
        was = call.state
        assert answered(call, self.now_us, self.book) is (was is State.ADMITTED)

    @rule(seconds=st.integers(0, 200), micros=st.integers(0, 999_999))
    def time_passes(self, seconds: int, micros: int) -> None:
        """Call control is told of each moment in between, as its schedule would."""
        until_us = self.now_us + seconds * MICROSECONDS + micros
        while True:
            moments = [due for call in self.live() if call.ref not in self.cut and (due := call.due_after(self.now_us)) is not None]
            moment = min(moments, default=until_us + 1)
            if moment > until_us:
                break
            self.now_us = max(self.now_us, moment)
            self._tick()
        self.now_us = until_us

    @rule(seconds=st.integers(0, 200))
    def call_control_sleeps(self, seconds: int) -> None:
        """A pause, then everything at once."""
        self.now_us += seconds * MICROSECONDS
        self._tick()

    def _tick(self) -> None:
        for call in self.live():
            if call.ref not in self.cut and advance(call, self.now_us, self.book) is Due.CUT:
                self.cut.add(call.ref)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), late_us=st.integers(0, 90 * MICROSECONDS))
    def end(self, data: st.DataObject, late_us: int) -> None:
        """The end is known `late_us` after it happened, and perhaps not for the first time."""
        call = self.pick(data)
        was, before = call.state, len(self.book.entries)
        assert settle(call, max(self.now_us - late_us, call.admitted_us), self.book) is (was is not State.SETTLED)
        if was is State.SETTLED:
            assert len(self.book.entries) == before
        else:
            self._check_settled(call)

    def _check_settled(self, call: Call) -> None:
        payment = call.payment
        assert payment is not None
        assert call.ended_us is not None
        assert payment.held == 0
        if call.answered_us is None:
            assert payment.paid == 0
        elif call.unpaid_us == 0:
            assert payment.paid == independent_cost(payment.rate, call.ended_us - call.answered_us)
        else:
            assert call.unpaid_us == call.ended_us - payment.paid_until_us > 0

    @invariant()
    def no_purse_below_zero(self) -> None:
        assert self.purse.balance >= self.purse.held >= 0

    @invariant()
    def holds_are_those_of_live_calls(self) -> None:
        assert self.purse.held == sum(call.payment.held for call in self.live() if call.payment)

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        assert sum(purse.balance for purse in self.book.purses.values()) == 0

    @invariant()
    def balances_follow_from_postings(self) -> None:
        keys = [entry.key for entry in self.book.entries]
        assert len(keys) == len(set(keys))
        revenue = sum(entry.amount if entry.credit == REVENUE else -entry.amount for entry in self.book.entries)
        assert revenue == self.book.purses[REVENUE].balance == sum(call.payment.paid for call in self.calls if call.payment)

    @invariant()
    def never_more_than_one_increment_ahead(self) -> None:
        for call in self.live():
            if call.payment is not None and call.answered_us is not None and call.ref not in self.cut:
                assert call.payment.paid_until_us - self.now_us <= 60 * MICROSECONDS


Prepaid.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestPrepaid = Prepaid.TestCase


def test_a_call_with_credit_for_two_increments_is_cut_at_their_end() -> None:
    rate = Rate("1", "minutes", "USD", 10_000, 0, 60, 60)
    book = Book({PURSE: Purse(PURSE, 20_000), REVENUE: Purse(REVENUE, 0, guarded=False)})
    call = Call(1, 0, (7,), Payment(1, PURSE, REVENUE, rate))
    assert call.payment is not None
    assert call.payment.hold_next(book)
    answered(call, 0, book)
    assert call.due_after(0) == 60 * MICROSECONDS - LEAD_US
    assert advance(call, 55 * MICROSECONDS, book) is Due.NOTHING
    assert call.payment.held == 10_000
    assert advance(call, 60 * MICROSECONDS, book) is Due.NOTHING
    assert (call.payment.paid, call.payment.held) == (20_000, 0)
    assert advance(call, 115 * MICROSECONDS, book) is Due.NOTHING
    assert call.due_after(115 * MICROSECONDS) == 120 * MICROSECONDS
    assert advance(call, 120 * MICROSECONDS, book) is Due.CUT
    settle(call, 120 * MICROSECONDS, book)
    assert (call.payment.paid, call.unpaid_us, book.purses[PURSE].balance) == (20_000, 0, 0)


def test_a_top_up_in_the_last_seconds_saves_the_call() -> None:
    rate = Rate("1", "minutes", "USD", 10_000, 0, 60, 60)
    book = Book({PURSE: Purse(PURSE, 10_000), REVENUE: Purse(REVENUE, 0, guarded=False)})
    call = Call(1, 0, (7,), Payment(1, PURSE, REVENUE, rate))
    assert call.payment is not None
    assert call.payment.hold_next(book)
    answered(call, 0, book)
    advance(call, 55 * MICROSECONDS, book)
    book.purses[PURSE].balance += 10_000
    assert advance(call, 60 * MICROSECONDS, book) is Due.NOTHING
    assert call.payment.paid_until_us == 120 * MICROSECONDS


def test_an_early_end_gives_back_what_is_only_held() -> None:
    rate = Rate("1", "minutes", "USD", 10_000, 0, 60, 60)
    book = Book({PURSE: Purse(PURSE, 50_000), REVENUE: Purse(REVENUE, 0, guarded=False)})
    call = Call(1, 0, (7,), Payment(1, PURSE, REVENUE, rate))
    assert call.payment is not None
    assert call.payment.hold_next(book)
    answered(call, 0, book)
    advance(call, 57 * MICROSECONDS, book)
    assert book.purses[PURSE].available == 30_000
    settle(call, 58 * MICROSECONDS, book)
    assert book.purses[PURSE].available == 40_000
