"""Many at once, on both databases: no lost update, no deadlock, no purse below zero (SPEC R4.4)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from django.db import connections

from tests.callcontrol.ground import Table
from tests.store.cast import BY, NOW, Company, make_company
from trunkline.domain.errors import Conflict, NotEnoughCredit
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.hotpath import HotPath, Writes
from trunkline.store.models import CallRecord, LiveCall, Posting, PriceList, Profile
from trunkline.usecases import carriers, profiles
from trunkline.usecases.credit import (
    allocate_credit,
    book_payment,
    preview_allocation,
    preview_take_back,
    take_back_credit,
    take_back_everything,
)
from trunkline.usecases.recharge import recharge_due
from trunkline.usecases.recharge_rules import set_recharge
from trunkline.usecases.renewals import renew_due
from trunkline.usecases.subscriptions import change_channels

pytestmark = pytest.mark.usefixtures("store")

T = TypeVar("T")
PATIENCE_SECONDS = 60
MOVES_EACH = 40
CALLS = 60


def all_at_once(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Each in a thread with a connection of its own."""

    def run(job: Callable[[], T]) -> T:
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(run, job) for job in jobs]
        return [each.result(PATIENCE_SECONDS) for each in running]


def succeeded(use_case: Callable[..., Any], **given: Any) -> bool:
    try:
        return not use_case(now=NOW, by=BY, **given).repeated
    except NotEnoughCredit:
        return False


def test_one_reference_is_booked_once_however_many_try(company: Company) -> None:
    given = {"profile_id": company.profile_ids[0], "amount_micros": 5 * MICROS, "reference": "same"}
    new = all_at_once([lambda: succeeded(allocate_credit, **given)] * 8)
    assert new.count(True) == 1
    assert company.purse().balance == 15 * MICROS


def test_the_last_of_the_credit_is_given_once(company: Company) -> None:
    """Ten are there, twenty want one each."""
    profile_id = company.profile_ids[0]
    jobs = [lambda n=n: succeeded(take_back_credit, profile_id=profile_id, amount_micros=MICROS, reference=f"t{n}") for n in range(20)]
    assert all_at_once(jobs).count(True) == 10
    assert company.purse().balance == 0
    assert audit().ok


def test_one_name_is_taken_once(company: Company) -> None:
    def make() -> bool:
        try:
            profiles.create_profile(
                now=NOW, by=BY, manager_id=company.manager_id, name="Reception", channels=1, sip_domain="trunkline.localhost"
            )
        except Conflict:
            return False
        return True

    assert all_at_once([make] * 6).count(True) == 1
    assert Profile.objects.filter(name="Reception").count() == 1


def move_money(company: Company, seed: int) -> int:
    """Random movements in all directions; what they brought to the Manager's Credit in the end."""
    chance = random.Random(seed)
    manager = 0
    for number in range(MOVES_EACH):
        amount = chance.randint(1, 3 * MICROS)
        profile_id = chance.choice(company.profile_ids)
        given = {"amount_micros": amount, "reference": f"{seed}/{number}"}
        match chance.choice(["book", "allocate", "take back"]):
            case "book":
                manager += amount * succeeded(book_payment, manager_id=company.manager_id, **given)
            case "allocate":
                manager -= amount * succeeded(allocate_credit, profile_id=profile_id, **given)
            case _:
                manager += amount * succeeded(take_back_credit, profile_id=profile_id, **given)
    return manager


def make_calls(company: Company) -> int:
    """Call control at work meanwhile: admits, answers, ends. Money moves around it, so some calls find no Credit."""
    table = Table(now_us=int(NOW.timestamp() * 1_000_000))
    facts = list(Profile.objects.filter(pk__in=company.profile_ids))
    for number in range(CALLS):
        verdict = table.verdict(facts[number % 2], "+33123456789")
        if verdict["go"]:
            table.turn(table.answered(verdict["call"]))
            table.pass_seconds(90)
            table.turn(table.ended(verdict["call"]))
    return CallRecord.objects.count()


def test_money_moves_in_all_directions_while_calls_are_paid() -> None:
    company = make_company(credit_units=50, allocated_units=2, profile_count=2)
    carrier_id = carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier_id, prefix="")
    before = company.manager.account.balance
    movers = [lambda seed=seed: move_money(company, seed) for seed in range(5)]
    recorded, *moved = all_at_once([lambda: make_calls(company), *movers])
    assert recorded == CALLS
    assert company.manager.account.balance == before + sum(moved)
    assert audit().differences == []
    assert not LiveCall.objects.exists()
    assert Posting.objects.filter(kind="call").exists()


def hold_and_let_go(company: Company, seed: int) -> int:
    """As call control does it, by SQL of its own: how often the Credit was there."""
    chance, store, held = random.Random(seed), HotPath(), 0
    for _ in range(MOVES_EACH):
        account_id, amount = company.purse(chance.randrange(2)).pk, chance.randint(1, 2 * MICROS)
        got = _hold(store, account_id, amount)
        held += got
        if got:
            _hold(store, account_id, -amount)
    return held


def _hold(store: HotPath, account_id: int, amount: int) -> bool:
    store.begin()
    purse = store.purses([account_id])[account_id]
    done = purse.hold(amount)
    store.write(Writes(), {account_id: purse}, {})
    store.commit()
    return done


def renew(company: Company, seed: int) -> int:
    """Thirty days pass, again and again."""
    return sum(renew_due(now=NOW + timedelta(days=30 * month), by=BY, limit=10).renewed for month in range(1, 7))


def recharge(company: Company, seed: int) -> int:
    return sum(recharge_due(now=NOW, by=BY, limit=10, charge=no_provider).recharged for _ in range(MOVES_EACH))


def named(worker: Callable[[Company, int], int], company: Company, seed: int) -> tuple[str, int]:
    return worker.__name__, worker(company, seed)


def no_provider(**given: Any) -> Any:
    raise Conflict("no payments here")


def test_twenty_at_once_on_one_manager() -> None:
    """Allocating, taking back, holding, renewing, recharging: nothing is lost, nobody waits for ever (issue 3)."""
    company = make_company(credit_units=300, allocated_units=5, profile_count=2)
    PriceList.objects.update(channel_price_micros=MICROS)
    for profile_id in company.profile_ids:
        change_channels(now=NOW, by=BY, profile_id=profile_id, channels=4)
        set_recharge(now=NOW, by=BY, profile_id=profile_id, threshold_micros=3 * MICROS, amount_micros=2 * MICROS)
    before = company.manager.account.balance
    workers = [move_money] * 10 + [hold_and_let_go] * 4 + [renew] * 3 + [recharge] * 3
    done = all_at_once([partial(named, worker, company, seed) for seed, worker in enumerate(workers)])
    renewed = sum(count for name, count in done if name == "renew")
    recharged = sum(count for name, count in done if name == "recharge")
    assert renewed == 2 * 6
    assert sum(count for name, count in done if name == "hold_and_let_go") > 0
    moved = sum(count for name, count in done if name == "move_money")
    assert company.manager.account.balance == before + moved - renewed * 4 * MICROS - recharged * 2 * MICROS
    assert audit().differences == []


def test_what_is_free_is_taken_back_whole_and_what_is_held_stays(company: Company) -> None:
    _hold(HotPath(), company.purse().pk, 4 * MICROS)
    profile: dict[str, Any] = {"profile_id": company.profile_ids[0]}
    assert preview_take_back(**profile, amount_micros=6 * MICROS).problems == ()
    assert "too little for $7.00" in preview_take_back(**profile, amount_micros=7 * MICROS).problems[0]
    assert preview_allocation(**profile, amount_micros=90 * MICROS).manager_free_micros == 0
    assert preview_allocation(**profile, amount_micros=91 * MICROS).problems
    for repeated in (False, True):
        assert take_back_everything(now=NOW, by=BY, **profile, reference="all").repeated == repeated
    assert (company.purse().balance, company.manager.account.balance) == (4 * MICROS, 96 * MICROS)
    with pytest.raises(Conflict, match="nothing to take back"):
        take_back_everything(now=NOW, by=BY, **profile, reference="again")
