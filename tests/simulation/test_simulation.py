"""Months of a service with many companies, every misfortune in them, on both databases (issue 3). The seed decides everything.

SIMULATION_SEED=7 pytest tests/simulation        the same run again
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.conftest import Store
from tests.simulation import oracle
from tests.simulation.calls import Calls
from tests.simulation.crash import start_again
from tests.simulation.customers import Customers
from tests.simulation.payers import Payers
from tests.simulation.world import START, World
from trunkline.domain import statement_files
from trunkline.domain.statement_words import KINDS
from trunkline.domain.statements import amount_text
from trunkline.store import statements as statement_rows
from trunkline.store.audit import audit
from trunkline.store.models import Posting, Term
from trunkline.usecases import payment_events, payments, recharge, recharge_payments, released_minutes, renewals, statements

# who dies before a cursor's first statement leaves it open: Django tidies up behind exceptions, and a crash is none
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <function ServerCursorMixin:pytest.PytestUnraisableExceptionWarning")

SEED = "SIMULATION_SEED"
SWEEPS_A_DAY = 4


@dataclass
class Simulation:
    world: World
    clock_away_until: datetime = START
    last_term: int = 0
    filed: dict[tuple[int, Any], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.customers, self.calls, self.payers = Customers(self.world), Calls(self.world), Payers(self.world)

    def run(self, days: int) -> None:
        for day in range(days):
            begins = START + timedelta(days=day)
            self._fill(begins)
            self.world.live_until(begins + timedelta(days=1))
            self._look(begins)
        self._end()

    def _fill(self, begins: datetime) -> None:
        """What happens on a day, and when."""
        chance = self.world.chance
        for company in self.world.companies:
            for _ in range(chance.choice((0, 1, 2, 3))):
                self._at(begins, partial(self.customers.act, company))
            if chance.random() < 0.3:
                self._at(begins, partial(self.payers.act, company))
            if chance.random() < 0.7:
                self._at(begins, partial(self.calls.burst, company))
        for number in range(SWEEPS_A_DAY):
            self.world.plan(begins + timedelta(days=1) * (number + 1) / SWEEPS_A_DAY - timedelta(seconds=1), self._sweep)
        if chance.random() < 0.2:
            self._at(begins, self.calls.outage)
        if chance.random() < 0.03:
            self.clock_away_until = begins + timedelta(days=chance.randint(1, 8))

    def _at(self, begins: datetime, do: Any) -> None:
        self.world.plan(begins + timedelta(microseconds=self.world.chance.randint(0, 86_000_000_000)), do)

    def _sweep(self) -> None:
        """The clock process, unless it is away."""
        world = self.world
        if world.now < self.clock_away_until:
            return
        charge = self.payers.charge
        given: dict[str, Any] = {**world.acting(), "limit": 1_000}
        world.attempt("ask again", lambda: payments.ask_again(**given, provider=world.provider))
        world.attempt("waiting events", lambda: payment_events.apply_waiting(**given, provider=world.provider))
        world.attempt("recharges", lambda: recharge.recharge_due(**given, charge=charge))
        world.attempt(
            "renewals", lambda: renewals.renew_due(**given, recharge=partial(recharge_payments.recharge_manager_now, charge=charge))
        )
        world.attempt("released minutes", lambda: released_minutes.expire_released_minutes(**given))
        world.attempt("closing", lambda: statements.close_months(**given))

    def _look(self, begins: datetime) -> None:
        """Everything must follow from everything."""
        found = audit()
        assert found.ok, found.differences
        assert oracle.differences(begins, self.last_term) == []
        self.last_term = oracle.last_term()
        if self.clock_away_until <= begins:
            overdue = oracle.overdue(self.world.now)
            assert overdue == [], f"the clock left {overdue}"
        if begins.day == 4:
            self._file(begins)

    def _file(self, begins: datetime) -> None:
        """Last month's statement of each purse; and one of long ago, which must be the same as then."""
        month = (begins.date().replace(day=1) - timedelta(days=1)).replace(day=1)
        for account in oracle.purses():
            self.filed[account.pk, month] = self._statement(account, month)
        (account_id, old), text = self.world.chance.choice(list(self.filed.items()))
        account = next(each for each in oracle.purses() if each.pk == account_id)
        assert self._statement(account, old) == text

    def _statement(self, account: Any, month: Any) -> str:
        purse = statement_rows.purse_of(account)
        text = "".join(statements.export(statements.statement(**self.world.acting(), purse=purse, month=month), "csv"))
        assert statement_files.verify(text.splitlines(keepends=True)).state == "closed"
        return text

    def _end(self) -> None:
        """What runs comes to its end; then the last statements say what the purses have."""
        if self.world.switch.away:
            self.world.switch.come_back()
        self.world.live_until(self.world.now + timedelta(days=2))
        assert audit().ok
        assert set(Posting.objects.values_list("kind", flat=True)) <= set(KINDS), "a statement has no words for it"
        for account in oracle.purses():
            purse = statement_rows.purse_of(account)
            month = self.world.now.astimezone(purse.zone).date().replace(day=1)
            text = "".join(statements.export(statements.statement(**self.world.acting(), purse=purse, month=month), "json"))
            account.refresh_from_db()
            closing = statement_files.verify(text.splitlines(keepends=True)).closing_balance
            assert closing == amount_text(account.balance, account.currency)


def simulate(tmp_path: Path, *, companies: int, days: int, seed: int, crash_chance: float) -> World:
    seed = int(os.environ.get(SEED, seed))
    start_again()
    try:
        world = World(seed, tmp_path, companies, crash_chance)
        with connection.execute_wrapper(world.fuse.around):
            Simulation(world).run(days)
    except BaseException:
        print(f"\n{SEED}={seed}")
        raise
    print(f"seed {seed}: {world.fuse.crashes} crashes,", ", ".join(f"{count} {what}" for what, count in sorted(world.counts.items())))
    return world


@pytest.mark.timeout(300)
def test_a_month_of_some_companies(store: Store, tmp_path: Path) -> None:
    world = simulate(tmp_path, companies=5, days=36, seed=20261123, crash_chance=0.1)
    assert world.fuse.crashes > 10
    for what in ("change channels", "change bundles", "renewals", "calls", "webhook", "top up"):
        assert world.counts[what] > 0, what
    assert how_terms_ended() >= {"renewed", "changed"}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_year_of_fifty_companies(store: Store, tmp_path: Path) -> None:
    world = simulate(tmp_path, companies=50, days=370, seed=random.SystemRandom().randrange(1_000_000), crash_chance=0.03)
    assert world.fuse.crashes > 500
    assert how_terms_ended() == set(Term.End)


def how_terms_ended() -> set[str]:
    return set(Term.objects.exclude(end="").values_list("end", flat=True))
