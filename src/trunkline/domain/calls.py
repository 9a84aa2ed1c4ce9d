"""The life of a call and what is paid when (SPEC R6.3, R3.8; DESIGN D4).

    admitted ──answered──► answered ──end──► settled
        └──────failed──────────────────────► settled

The first increment (with the connection fee) is held when the call is admitted and posted when it is answered. Shortly before the
paid time runs out the next increment is held; it is posted at the moment from which it is used. So a call that ends early gives
back what it only held, and a call that can't pay ends exactly where its paid time ends.

Every function may be told the same thing twice, late, or for a call that is already settled: the second time changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from trunkline.domain.purses import Book
from trunkline.domain.talk_time import Payment


class State(Enum):
    """Where a call is in its life."""

    ADMITTED = "admitted"
    ANSWERED = "answered"
    SETTLED = "settled"


class Due(Enum):
    """What a call in progress needs now."""

    NOTHING = "nothing"
    CUT = "cut"


@dataclass(slots=True)
class Call:
    """A live call. Without `payment` nobody pays (echo test, incoming). It takes a channel on each of `profile_ids`."""

    ref: int
    admitted_us: int
    profile_ids: tuple[int, ...] = ()
    payment: Payment | None = None
    state: State = State.ADMITTED
    answered_us: int | None = None
    ended_us: int | None = None
    unpaid_us: int = 0

    def due_after(self, now_us: int) -> int | None:
        """When `advance` must be called next, None if never: a lead before the paid time ends, and again at its end."""
        if self.payment is None or self.state is not State.ANSWERED:
            return None
        lead_at_us = self.payment.paid_until_us - self.payment.lead_us
        return lead_at_us if lead_at_us > now_us else self.payment.paid_until_us


def answered(call: Call, at_us: int, book: Book) -> bool:
    """The call was answered: post what was held. False if it was known already."""
    if call.state is not State.ADMITTED:
        return False
    call.state = State.ANSWERED
    call.answered_us = max(at_us, call.admitted_us)
    if call.payment is not None:
        call.payment.paid_until_us = call.answered_us
        call.payment.post_held(book)
    return True


def advance(call: Call, now_us: int, book: Book) -> Due:
    """Hold and post what is due at `now_us`, also after a pause in which several increments went by.

    `CUT`: the paid time is over and the next increment can't be paid.
    """
    payment = call.payment
    if call.state is not State.ANSWERED or payment is None:
        return Due.NOTHING
    while now_us >= payment.paid_until_us:
        if not payment.hold_next(book):
            return Due.CUT
        payment.post_held(book)
    if now_us >= payment.paid_until_us - payment.lead_us:
        payment.hold_next(book)
    return Due.NOTHING


def settle(call: Call, at_us: int, book: Book) -> bool:
    """The call is over, answered or not: pay what was used, give back what was not. False if it was settled before.

    Talk time that nobody could pay (call control was away while the paid time ran out) is noted in `unpaid_us`: the operator's
    loss, never a debt.
    """
    if call.state is State.SETTLED:
        return False
    call.ended_us = at_us if call.answered_us is None else max(at_us, call.answered_us)
    if call.payment is not None:
        if call.answered_us is not None:
            call.unpaid_us = _pay_up(call.payment, call.answered_us, call.ended_us, book)
        call.payment.void_held(book)
    call.state = State.SETTLED
    return True


def _pay_up(payment: Payment, answered_us: int, ended_us: int, book: Book) -> int:
    """Post what is owed for the whole talk time, return what was posted too much. Returns the microseconds that could not be paid."""
    while payment.paid_until_us < ended_us:
        if not payment.hold_next(book):
            return ended_us - payment.paid_until_us
        payment.post_held(book)
    payment.give_back_unused(ended_us - answered_us, ended_us, book)
    return 0
