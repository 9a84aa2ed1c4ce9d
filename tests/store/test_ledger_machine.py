"""Any order of bookings, allocations and calls, repeated, late or impossible: the ledger stays whole (SPEC R4.4).

The model is plain dictionaries; the store must agree with it after every step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Self

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.store.cast import BY, NOW, make_company
from trunkline.domain.errors import NotEnoughCredit
from trunkline.domain.purses import Entry, Purse
from trunkline.store.audit import audit
from trunkline.store.hotpath import HotPath, Writes
from trunkline.store.ledger import PostingConflict
from trunkline.store.models import Account, LiveCall, Posting
from trunkline.usecases.credit import allocate_credit, book_payment, take_back_credit

AMOUNTS = st.integers(1, 1_000)
PROFILES = st.integers(0, 1)
REFERENCES = st.sampled_from(["a", "b", "c", "d"])
COMPANIES = itertools.count(1)


class LedgerMachine(RuleBasedStateMachine):
    """One company with two profiles, as the model has it: what each purse has and holds, and what each reference stood for."""

    def __init__(self) -> None:
        super().__init__()
        self.company = make_company(credit_units=0, profile_count=2, company_name=f"Company {next(COMPANIES)}")
        self.manager = 0
        self.profiles = [0, 0]
        self.held = [0, 0]
        self.done: dict[tuple[Any, ...], int] = {}
        self.calls: dict[int, int] = {}

    @rule(amount=AMOUNTS, reference=REFERENCES)
    def book(self, amount: int, reference: str) -> None:
        def move() -> None:
            self.manager += amount

        given = {"manager_id": self.company.manager_id, "amount_micros": amount, "reference": reference}
        self.expect(book_payment, ("book", reference), amount, given, room=amount, move=move)

    @rule(profile=PROFILES, amount=AMOUNTS, reference=REFERENCES)
    def allocate(self, profile: int, amount: int, reference: str) -> None:
        def move() -> None:
            self.manager -= amount
            self.profiles[profile] += amount

        given = {"profile_id": self.company.profile_ids[profile], "amount_micros": amount, "reference": reference}
        self.expect(allocate_credit, ("allocate", profile, reference), amount, given, room=self.manager, move=move)

    @rule(profile=PROFILES, amount=AMOUNTS, reference=REFERENCES)
    def take_back(self, profile: int, amount: int, reference: str) -> None:
        def move() -> None:
            self.manager += amount
            self.profiles[profile] -= amount

        given = {"profile_id": self.company.profile_ids[profile], "amount_micros": amount, "reference": reference}
        room = self.profiles[profile] - self.held[profile]
        self.expect(take_back_credit, ("take_back", profile, reference), amount, given, room=room, move=move)

    @rule(profile=PROFILES, amount=AMOUNTS)
    def hold(self, profile: int, amount: int) -> None:
        """A call is admitted, if the purse has room."""
        purse_id = self.company.purse(profile).pk
        with Batch(purse_id) as batch:
            if batch.purses[purse_id].hold(amount):
                ref = self.company.manager_id * 1_000_000 + len(self.calls) + 1
                self.calls[ref] = profile
                self.held[profile] += amount
                batch.writes.live.append(live_row(ref, self.company.profile_ids[profile], purse_id, amount))
            else:
                assert amount > self.profiles[profile] - self.held[profile]

    @precondition(lambda self: self.open_calls())
    @rule(data=st.data(), answered=st.booleans())
    def settle(self, data: st.DataObject, answered: bool) -> None:
        """The call pays what it held, or gives it back."""
        ref = data.draw(st.sampled_from(self.open_calls()))
        profile = self.calls[ref]
        call = LiveCall.objects.get(pk=ref)
        purse_id, revenue_id = self.company.purse(profile).pk, revenue().pk
        with Batch(purse_id, revenue_id) as batch:
            batch.writes.ended.append((ref,))
            if answered:
                batch.purses[purse_id].spend_held(call.held)
                batch.purses[revenue_id].balance += call.held
                batch.writes.entries.append(Entry(f"call/{ref}/1", purse_id, revenue_id, call.held, "test", None, "", 1))  # type: ignore[arg-type]
                self.profiles[profile] -= call.held
            else:
                batch.purses[purse_id].void(call.held)
        self.held[profile] -= call.held
        del self.calls[ref]
        self.calls[-ref] = profile

    @invariant()
    def the_store_agrees(self) -> None:
        assert self.company.manager.account.balance == self.manager
        for number, (balance, held) in enumerate(zip(self.profiles, self.held, strict=True)):
            purse = self.company.purse(number)
            assert (purse.balance, purse.held) == (balance, held)
            assert 0 <= held <= balance

    @invariant()
    def nothing_is_made_and_nothing_lost(self) -> None:
        assert Account.objects.aggregate(total=Sum("balance"))["total"] == 0
        assert audit().differences == []

    def expect(
        self,
        use_case: Callable[..., Any],
        about: tuple[Any, ...],
        amount: int,
        given: dict[str, Any],
        *,
        room: int,
        move: Callable[[], None],
    ) -> None:
        """Once by reference; refused when the reference stood for something else, or the purse has too little."""
        if about in self.done:
            if self.done[about] == amount:
                assert use_case(now=NOW, by=BY, **given).repeated
            else:
                with pytest.raises(PostingConflict):
                    use_case(now=NOW, by=BY, **given)
        elif amount > room:
            with pytest.raises(NotEnoughCredit):
                use_case(now=NOW, by=BY, **given)
        else:
            assert not use_case(now=NOW, by=BY, **given).repeated
            self.done[about] = amount
            move()

    def open_calls(self) -> list[int]:
        return [ref for ref in self.calls if ref > 0]


class Batch:
    """A transaction of call control, as short as one can be."""

    def __init__(self, *account_ids: int) -> None:
        self.account_ids = account_ids
        self.hotpath = HotPath()
        self.writes = Writes()

    def __enter__(self) -> Self:
        self.hotpath.begin()
        self.purses: dict[int, Purse] = self.hotpath.purses(self.account_ids)
        return self

    def __exit__(self, *problem: object) -> None:
        if problem[0] is not None:
            self.hotpath.rollback()
            return
        self.hotpath.write(self.writes, self.purses, {})
        self.hotpath.commit()


def live_row(ref: int, profile_id: int, purse_id: int, held: int) -> tuple[Any, ...]:
    """In `hotpath.LIVE_COLUMNS` order; without profile, since this machine has no channels."""
    return (ref, f"{ref:032x}", "edge", "admitted", "outgoing", None, None, purse_id, revenue().pk, held, 0, 0, 1, None, None, "{}")


def revenue() -> Account:
    return Account.objects.get(kind="revenue", currency="USD")


@pytest.mark.usefixtures("store")
def test_any_order_of_movements_leaves_the_ledger_whole() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        ),
    )
    assert Posting.objects.exists()
