"""The clock: the order of what is due, its loop, its death, and the virtual time of a test system. On both databases."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.conftest import Store
from tests.store.cast import BY, NOW, make_company
from tests.store.test_recharge import of_profile, spend, units
from trunkline.clock.catch_up import Ran, Sweep, catch_up
from trunkline.clock.forward import put_forward
from trunkline.clock.loop import Loop
from trunkline.clock.sweeps import all_sweeps
from trunkline.domain.errors import Conflict, Invalid
from trunkline.domain.money import MICROS
from trunkline.runtime.beat import read_beat
from trunkline.store import clock, pruning
from trunkline.store.audit import audit
from trunkline.store.hotpath import HotPath
from trunkline.store.models import Change, LiveCall, Mail, Posting, PriceList, Term
from trunkline.usecases.reminders import set_notices
from trunkline.usecases.subscriptions import cancel_channels, change_channels

DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]


def ignore(ran: Ran) -> None:
    pass


class Queue:
    """A sweep over moments; one that is `stuck` can't be done."""

    def __init__(self, name: str, days: list[int], done: list[tuple[str, int]], stuck: tuple[int, ...] = ()) -> None:
        self.days, self.done, self.stuck, self.name = days, done, stuck, name

    def sweep(self) -> Sweep:
        return Sweep(self.name, lambda now: min((NOW + day * DAY for day in self.days), default=None), self.run)

    def run(self, now: datetime, limit: int) -> int:
        able = [day for day in sorted(self.days)[:limit] if day not in self.stuck]
        for day in able:
            self.days.remove(day)
            self.done.append((self.name, day))
        return len(able)


def test_what_fell_due_first_is_done_first() -> None:
    done: list[tuple[str, int]] = []
    sweeps = [Queue("a", [1, 4, 5], done).sweep(), Queue("b", [3, 2, 6], done).sweep()]
    assert catch_up(sweeps, lambda: NOW + 7 * DAY, ignore)
    assert done == [("a", 1), ("b", 2), ("b", 3), ("a", 4), ("a", 5), ("b", 6)]


def test_what_is_stuck_holds_up_nobody() -> None:
    done: list[tuple[str, int]] = []
    sweeps = [Queue("a", [1, 4], done, stuck=(1,)).sweep(), Queue("b", [2], done).sweep()]
    assert catch_up(sweeps, lambda: NOW, ignore)
    assert sorted(done) == [("a", 4), ("b", 2)]


@pytest.mark.parametrize("where", ["due_at", "run"])
def test_a_sweep_that_fails_stops_no_other(where: str) -> None:
    def boom(*given: Any) -> Any:
        raise RuntimeError("boom")

    done: list[tuple[str, int]] = []
    broken = Sweep("broken", boom if where == "due_at" else lambda now: NOW, boom)
    noted: list[Ran] = []
    assert catch_up([broken, Queue("b", [2], done).sweep()], lambda: NOW, noted.append)
    assert done == [("b", 2)]
    assert any(ran.failed for ran in noted if ran.name == "broken")


def test_a_pass_ends_in_time_though_there_is_more() -> None:
    endless = Sweep("endless", lambda now: NOW, lambda now, limit: 1)
    assert not catch_up([endless], lambda: NOW, ignore, pass_seconds=0.05)


# With the store


@contextmanager
def ticking(store: Store) -> Iterator[Loop]:
    loop = Loop(all_sweeps(), clock.now, store.path.parent / "clock.beat")

    def run() -> None:
        try:
            loop.run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield loop
    finally:
        loop.stopping.set()
        thread.join(30)
        assert not thread.is_alive()


def await_that(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_busy_profile_is_recharged_within_seconds(store: Store) -> None:
    company = make_company(allocated_units=10)
    of_profile(company)
    with ticking(store):
        await_that(lambda: read_beat(store.path.parent / "clock.beat") is not None)
        for _ in range(2):
            spend(company.purse(), 1)
            started = time.monotonic()
            await_that(lambda: units(company.purse()) == 21)
            assert time.monotonic() - started < 10  # two seconds on a quiet machine
    assert read_beat(store.path.parent / "clock.beat") is None


def sell_channels() -> None:
    PriceList.objects.update(channel_price_micros=10 * MICROS)


def test_the_virtual_clock_brings_renewals_and_reminders(store: Store) -> None:
    company = make_company(credit_units=25)
    clock.put_forward(NOW + DAY)
    sell_channels()
    set_notices(now=clock.now(), by=BY, manager_id=company.manager_id, email="notices@example.com", low_balance_micros=6 * MICROS)
    change_channels(now=clock.now(), by=BY, profile_id=company.profile_ids[0], channels=1)
    put_forward(80 * DAY, is_test_system=True)
    terms = list(Term.objects.filter(complimentary=False).order_by("starts_at"))
    assert [(term.end, term.price_micros) for term in terms] == [("renewed", 10 * MICROS), ("lapsed", 10 * MICROS)]
    assert terms[0].ends_at == terms[1].starts_at
    posted = Posting.objects.get(key=f"term/{terms[1].pk}")
    assert (
        timedelta()
        <= timedelta(microseconds=posted.posted_us) - (terms[1].starts_at - datetime(1970, 1, 1, tzinfo=UTC))
        < timedelta(minutes=2)
    )
    keys = list(Mail.objects.order_by("id").values_list("key", flat=True))
    assert [key.rpartition("/")[2] for key in keys if key.startswith("renewal_unpaid")] == ["7", "3", "1"]
    assert len([key for key in keys if key.startswith("low_balance")]) == 1
    assert not Mail.objects.filter(sent_at=None).exists()
    assert company.profile().channels == 0
    assert audit().differences == []


def test_what_was_cancelled_is_announced_and_ends(store: Store) -> None:
    company = make_company(credit_units=25)
    clock.put_forward(NOW + DAY)
    sell_channels()
    change_channels(now=clock.now(), by=BY, profile_id=company.profile_ids[0], channels=1)
    cancel_channels(now=clock.now(), by=BY, profile_id=company.profile_ids[0])
    put_forward(31 * DAY, is_test_system=True)
    assert [mail.key.rpartition("/")[2] for mail in Mail.objects.order_by("id") if mail.key.startswith("term_expires")] == ["7", "3", "1"]
    assert Term.objects.get(complimentary=False).end == "cancelled"


def test_the_virtual_clock_only_goes_forward_and_only_on_a_test_system(store: Store) -> None:
    company = make_company()
    with pytest.raises(Conflict, match="TRUNKLINE_TEST_CLOCK"):
        put_forward(DAY, is_test_system=False)
    for wrong in (timedelta(), -DAY, timedelta(days=10_000)):
        with pytest.raises(Invalid):
            put_forward(wrong, is_test_system=True)
    assert clock.offset() == timedelta()
    put_forward(DAY, is_test_system=True)
    assert timedelta(hours=23, minutes=59) < clock.now() - datetime.now(UTC) <= DAY
    clock.put_forward(datetime.now(UTC))
    assert clock.now() - datetime.now(UTC) > timedelta(hours=23)
    LiveCall.objects.create(
        call_ref=1,
        edge_key="x",
        edge="edge",
        state="answered",
        direction="outgoing",
        admitted_us=1,
        facts="{}",
        caller_profile_id=company.profile_ids[0],
    )
    with pytest.raises(Conflict, match="--even-with-calls"):
        put_forward(DAY, is_test_system=True)
    put_forward(DAY, is_test_system=True, even_with_calls=True)


def test_changes_are_removed_when_everybody_has_read_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_company()
    count, moment = Change.objects.count(), 0
    monkeypatch.setattr(pruning, "monotonic_ns", lambda: moment)
    keeper = pruning.ChangesRead()
    assert count > 0
    assert keeper.prune(NOW + 2 * DAY) == 0  # a day old, but seen only now
    moment = pruning.READ_AFTER_NS
    assert keeper.prune(NOW) == 0  # seen long ago, but not a day old
    Change.objects.create(what="prices", at=NOW)
    assert keeper.prune(NOW + 2 * DAY) == count
    assert Change.objects.count() == 1


def test_the_newest_change_stays_however_old_it_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that who has read it finds it again."""
    make_company()
    newest, moment = Change.objects.latest("pk").pk, 0
    monkeypatch.setattr(pruning, "monotonic_ns", lambda: moment)
    keeper = pruning.ChangesRead()
    keeper.prune(NOW)
    moment = pruning.READ_AFTER_NS
    keeper.prune(NOW + 2 * DAY)
    assert list(Change.objects.values_list("pk", flat=True)) == [newest]
    assert HotPath().changes_after(newest) == []
    assert HotPath().changes_after(newest - 1) is None
    Change.objects.create(what="prices", at=NOW)
    assert [what for _, what, *_ in HotPath().changes_after(newest) or ()] == ["prices"]
    Change.objects.all().delete()
    assert (HotPath().changes_after(newest), HotPath().changes_after(0)) == (None, [])


KILLED = 12


def test_killed_at_any_moment_it_does_everything_once(store: Store, tmp_path: Path) -> None:
    """kill -9 in the middle of its work, again and again: every renewal once, every recharge once, nothing lost."""
    company = make_company(credit_units=1000, allocated_units=1, profile_count=8)
    sell_channels()
    before = datetime.now(UTC) - 95 * DAY
    for number, profile_id in enumerate(company.profile_ids):
        Term.objects.filter(profile_id=profile_id).update(complimentary=False, starts_at=before, ends_at=before + 30 * DAY)
        of_profile(company, number=number, threshold=2, amount=2)
    environment = {**os.environ, "TRUNKLINE_HOME": str(tmp_path), "TRUNKLINE_DATABASE_URL": store.url, "PYTHONPATH": str(ROOT / "src")}
    (tmp_path / "run").mkdir(exist_ok=True)
    delay = 0.8
    for _ in range(KILLED):
        with subprocess.Popen(
            [sys.executable, "-m", "trunkline.clock"], env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as process:
            time.sleep(delay)  # where it is then is chance: that is the point
            process.send_signal(signal.SIGKILL)
        delay += 0.07
    catch_up(all_sweeps(), clock.now, ignore, pass_seconds=60)
    assert Posting.objects.filter(kind="recharge").count() == 8
    by_profile = [Term.objects.filter(profile_id=ident).order_by("starts_at") for ident in company.profile_ids]
    for terms in by_profile:
        periods = [(term.starts_at, term.ends_at) for term in terms]
        assert len(periods) == 4
        assert all(one[1] == other[0] for one, other in itertools.pairwise(periods))
    assert audit().differences == []
