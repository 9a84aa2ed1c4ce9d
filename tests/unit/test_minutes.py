"""A bundle's minutes first, then money (SPEC R5.4): exact splits, and random interleavings of calls that share bundles."""

from __future__ import annotations

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trunkline.domain.calls import Call, Due, State, advance, answered, settle
from trunkline.domain.purses import Book, Purse
from trunkline.domain.rating import MICROSECONDS, Rate
from trunkline.domain.talk_time import Minutes, Payment

CREDIT, REVENUE, USED, BUNDLE, OTHER = 1, 2, 3, 4, 5
US = Rate("1", "United States", "USD", 20_000, 50_000, 60, 60)
CENT = 10_000


def book_with(*, credit: int = 0, bundle: int = 0, other: int = 0) -> Book:
    purses = [Purse(CREDIT, credit), Purse(REVENUE, 0, guarded=False), Purse(USED, 0, guarded=False)]
    return Book({purse.account_id: purse for purse in (*purses, Purse(BUNDLE, bundle), Purse(OTHER, other))})


def a_call(
    book: Book, *, rate: Rate = US, choices: tuple[int, ...] = (BUNDLE,), ref: int = 1, at_us: int = 0
) -> tuple[Call, Payment, Minutes]:
    minutes = Minutes(choices[0], USED, choices=choices)
    payment = Payment(ref, CREDIT, REVENUE, rate, minutes=minutes)
    assert payment.hold_next(book)
    return Call(ref, at_us, (7,), payment), payment, minutes


def talk(call: Call, seconds: int, book: Book) -> Due:
    """Let call control wake at each moment that it has set."""
    now_us, outcome = call.answered_us or 0, Due.NOTHING
    while outcome is Due.NOTHING and (due_us := call.due_after(now_us)) is not None and due_us <= seconds * MICROSECONDS:
        now_us = max(now_us, due_us)
        outcome = advance(call, now_us, book)
    return outcome


def moved(book: Book) -> list[tuple[str, int]]:
    return [(entry.key, entry.amount) for entry in book.entries]


def test_ninety_seconds_of_minutes_then_the_managers_credit() -> None:
    """A US call that starts with 90 s left and lasts 4 minutes: 90 s from the minutes, three increments of 60 s from the Manager's Credit."""
    book = book_with(credit=100 * CENT, bundle=90)
    call, payment, minutes = a_call(book)
    answered(call, 0, book)
    assert talk(call, 240, book) is Due.NOTHING
    settle(call, 240 * MICROSECONDS, book)
    assert moved(book) == [("call/1/m1", 60), ("call/1/m2", 30), ("call/1/1", 20_000), ("call/1/2", 20_000), ("call/1/3", 20_000)]
    assert (minutes.paid, payment.paid, payment.billed_seconds) == (90, 60_000, 270)
    assert (book.purses[BUNDLE].balance, book.purses[CREDIT].available) == (0, 100 * CENT - 60_000)


def test_the_same_when_call_control_slept_through_it() -> None:
    book = book_with(credit=100 * CENT, bundle=90)
    call, payment, minutes = a_call(book)
    answered(call, 0, book)
    settle(call, 240 * MICROSECONDS, book)
    assert (minutes.paid, payment.paid, call.unpaid_us) == (90, 60_000, 0)


def test_minutes_alone_pay_for_a_call_that_they_last_for() -> None:
    book = book_with(bundle=300_000)
    call, payment, minutes = a_call(book)
    answered(call, 0, book)
    talk(call, 61, book)
    settle(call, 61 * MICROSECONDS, book)
    assert (minutes.paid, payment.paid, payment.increments, book.purses[BUNDLE].available) == (120, 0, 0, 300_000 - 120)


def test_a_call_that_nothing_can_pay_any_more_is_cut_at_the_end_of_its_minutes() -> None:
    book = book_with(credit=19_999, bundle=90)
    call, _, _ = a_call(book)
    answered(call, 0, book)
    assert talk(call, 240, book) is Due.CUT
    assert call.payment is not None
    assert call.payment.paid_until_us == 90 * MICROSECONDS
    settle(call, 90 * MICROSECONDS, book)
    assert (call.unpaid_us, book.purses[CREDIT].available) == (0, 19_999)


def test_an_unanswered_call_gives_its_minutes_back() -> None:
    book = book_with(bundle=90)
    call, _, _ = a_call(book)
    assert book.purses[BUNDLE].available == 30
    settle(call, MICROSECONDS, book)
    assert (book.purses[BUNDLE].available, book.entries) == (90, [])


def test_a_late_end_gives_back_money_and_minutes() -> None:
    """Call control bought ahead for five minutes; the call had ended after 50 s."""
    book = book_with(credit=100 * CENT, bundle=90)
    call, payment, minutes = a_call(book)
    answered(call, 0, book)
    talk(call, 300, book)
    settle(call, 50 * MICROSECONDS, book)
    assert (minutes.paid, payment.paid, payment.billed_seconds) == (60, 0, 60)
    assert (book.purses[BUNDLE].available, book.purses[CREDIT].available) == (30, 100 * CENT)
    assert book.purses[USED].balance == 60
    assert len({entry.key for entry in book.entries}) == len(book.entries)


def test_a_bundle_that_is_replaced_in_mid_call_keeps_what_was_drawn_and_the_next_is_drawn_on() -> None:
    book = book_with(credit=100 * CENT, bundle=600, other=600)
    call, payment, minutes = a_call(book)
    answered(call, 0, book)
    talk(call, 57, book)
    assert (minutes.held, minutes.purse_id) == (60, BUNDLE)
    minutes.choices = (OTHER,)
    talk(call, 170, book)
    assert minutes.earlier == {BUNDLE: 120}
    settle(call, 100 * MICROSECONDS, book)
    assert (minutes.paid, payment.paid) == (120, 0)
    assert (book.purses[BUNDLE].available, book.purses[OTHER].available) == (480, 600)


def test_the_bundle_that_ends_first_is_drawn_on_first_and_then_the_other() -> None:
    book = book_with(bundle=70, other=70)
    call, _, minutes = a_call(book, choices=(OTHER, BUNDLE))
    answered(call, 0, book)
    assert talk(call, 200, book) is Due.CUT
    assert [(entry.debit, entry.amount) for entry in book.entries] == [(OTHER, 60), (OTHER, 10), (BUNDLE, 60), (BUNDLE, 10)]
    assert minutes.moved


def test_increments_of_seconds_after_minutes() -> None:
    """30/6 with a fee: the minutes' first increment is 30 s, money pays 6 s each, and no fee."""
    rate = Rate("44", "fee", "USD", 17_001, 40_000, 30, 6)
    book = book_with(credit=100 * CENT, bundle=31)
    call, payment, minutes = a_call(book, rate=rate)
    answered(call, 0, book)
    talk(call, 45, book)
    settle(call, 45 * MICROSECONDS, book)
    assert (minutes.paid, payment.increments, payment.billed_seconds) == (31, 3, 49)
    assert payment.paid == -(-17_001 * 18 // 60)


class SharedMinutes(RuleBasedStateMachine):
    """Two bundles and one Manager's Credit, many calls, terms that come and go in mid-call."""

    def __init__(self) -> None:
        super().__init__()
        self.book = book_with()
        self.calls: list[Call] = []
        self.cut: set[int] = set()
        self.choices: tuple[int, ...] = (BUNDLE, OTHER)
        self.now_us = 1_790_000_000 * MICROSECONDS
        self.put_in = dict.fromkeys((CREDIT, BUNDLE, OTHER), 0)

    def live(self) -> list[Call]:
        return [call for call in self.calls if call.state is not State.SETTLED]

    @initialize(bundle=st.integers(0, 200), other=st.integers(0, 200), credit=st.integers(0, 200_000))
    def begin(self, bundle: int, other: int, credit: int) -> None:
        for ident, amount in ((BUNDLE, bundle), (OTHER, other), (CREDIT, credit)):
            self.put(ident, amount)

    @rule(ident=st.sampled_from([CREDIT, BUNDLE, OTHER]), amount=st.integers(1, 150))
    def put(self, ident: int, amount: int) -> None:
        units = amount * (500 if ident == CREDIT else 1)
        self.book.purses[ident].balance += units
        self.put_in[ident] += units

    @rule(choices=st.sampled_from([(BUNDLE, OTHER), (OTHER, BUNDLE), (OTHER,), (BUNDLE,), ()]))
    def terms_change(self, choices: tuple[int, ...]) -> None:
        self.choices = choices
        for ident in {BUNDLE, OTHER} - set(choices):
            free = self.book.purses[ident].available
            self.book.purses[ident].balance -= free
            self.put_in[ident] -= free

    @precondition(lambda self: len(self.live()) < 8 and any(self.book.purses[ident].available for ident in self.choices))
    @rule(rate=st.sampled_from([US, Rate("44", "fee", "USD", 17_001, 40_000, 30, 6), Rate("49", "seconds", "USD", 7, 3, 1, 1)]))
    def admit(self, rate: Rate) -> None:
        call, _, minutes = a_call(self.book, rate=rate, choices=self.choices, ref=len(self.calls) + 1, at_us=self.now_us)
        assert minutes.held > 0
        self.calls.append(call)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.calls))
        was = call.state
        assert answered(call, self.now_us, self.book) is (was is State.ADMITTED)

    @rule(seconds=st.integers(0, 100), awake=st.booleans())
    def time_passes(self, seconds: int, awake: bool) -> None:
        until_us = self.now_us + seconds * MICROSECONDS
        while awake:
            moments = [due for call in self.live() if call.ref not in self.cut and (due := call.due_after(self.now_us)) is not None]
            if (moment := min(moments, default=until_us + 1)) > until_us:
                break
            self.now_us = max(self.now_us, moment)
            self._tick()
        self.now_us = until_us
        if not awake:
            self._tick()

    def _tick(self) -> None:
        for call in self.live():
            self._look_up(call)
            if call.ref not in self.cut and advance(call, self.now_us, self.book) is Due.CUT:
                self.cut.add(call.ref)

    def _look_up(self, call: Call) -> None:
        assert call.payment is not None
        assert call.payment.minutes is not None
        call.payment.minutes.choices = self.choices

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), late_seconds=st.integers(0, 90))
    def end(self, data: st.DataObject, late_seconds: int) -> None:
        call = data.draw(st.sampled_from(self.calls))
        was, before = call.state, len(self.book.entries)
        self._look_up(call)
        assert settle(call, max(self.now_us - late_seconds * MICROSECONDS, call.admitted_us), self.book) is (was is not State.SETTLED)
        if was is State.SETTLED:
            assert len(self.book.entries) == before
        else:
            self._check_settled(call)

    def _check_settled(self, call: Call) -> None:
        payment = call.payment
        assert payment is not None
        minutes = payment.minutes
        assert minutes is not None
        assert call.ended_us is not None
        assert payment.held == minutes.held == 0
        if call.answered_us is None:
            assert payment.paid == minutes.paid == payment.increments == 0
            return
        talked_us, rate = call.ended_us - call.answered_us, payment.rate
        assert minutes.paid > 0
        by_money = payment.increments * rate.next_increment_seconds
        assert payment.paid == -(-rate.rate_per_minute_micros * by_money // 60)
        if call.unpaid_us:
            return
        longest = max(rate.first_increment_seconds, rate.next_increment_seconds)
        assert 0 <= (minutes.paid + by_money) * MICROSECONDS - talked_us <= longest * MICROSECONDS
        if payment.increments:
            assert (minutes.paid + by_money - rate.next_increment_seconds) * MICROSECONDS < talked_us, "an increment too many"

    @invariant()
    def no_purse_below_zero(self) -> None:
        assert all(purse.balance >= purse.held >= 0 for purse in self.book.purses.values() if purse.guarded)

    @invariant()
    def holds_are_those_of_live_calls_and_one_each(self) -> None:
        held = dict.fromkeys(self.put_in, 0)
        for call in self.live():
            assert call.payment is not None
            minutes = call.payment.minutes
            assert minutes is not None
            assert not (call.payment.held and minutes.held)
            held[CREDIT] += call.payment.held
            held[minutes.purse_id] += minutes.held
        assert held == {ident: self.book.purses[ident].held for ident in held}

    @invariant()
    def balances_follow_from_postings(self) -> None:
        keys = [entry.key for entry in self.book.entries]
        assert len(keys) == len(set(keys))
        for ident, put_in in self.put_in.items():
            moved = sum(entry.amount * ((entry.credit == ident) - (entry.debit == ident)) for entry in self.book.entries)
            assert self.book.purses[ident].balance == put_in + moved
        assert self.book.purses[USED].balance == sum(
            call.payment.minutes.paid for call in self.calls if call.payment and call.payment.minutes
        )


SharedMinutes.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestSharedMinutes = SharedMinutes.TestCase
