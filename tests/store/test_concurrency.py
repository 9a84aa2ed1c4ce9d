"""Many at once, on both databases: no lost update, no deadlock, no purse below zero (SPEC R4.4)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.db import connections

from tests.callcontrol.ground import Table
from tests.store.cast import BY, NOW, Company, make_company
from trunkline.domain.errors import Conflict, NotEnoughCredit
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.models import CallRecord, LiveCall, Posting, Profile
from trunkline.usecases import carriers, profiles
from trunkline.usecases.credit import allocate_credit, book_payment, take_back_credit

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
