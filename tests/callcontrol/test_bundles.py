"""Calls that draw a bundle's minutes, turn by turn on real databases (SPEC R5.4)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.callcontrol.ground import (
    FRANCE,
    MICROSECONDS,
    RATE_MICROS,
    START,
    Table,
    differences,
    free,
    free_micros,
    give_minutes,
    make_company,
    record,
)
from trunkline.store.audit import audit
from trunkline.store.models import Account, Change, ClockOffset, LiveCall, Posting, Price, PriceList, Profile, Term

pytestmark = pytest.mark.usefixtures("store")
NEW_YORK, EXCLUDED, TORONTO = "+12125550100", "+16057154000", "+14165550100"


def company(*, manager_credit_micros: int = 1_000_000, **more: int) -> tuple[Profile, Account]:
    """A profile, and its Manager's Credit."""
    [profile] = make_company(manager_credit_micros=manager_credit_micros, **more)
    return profile, profile.manager.account


def price_of_north_america(fee_micros: int = 0) -> None:
    Price.objects.create(
        price_list=PriceList.objects.get(), prefix="1", destination="North America", rate_per_minute_micros=10_000,
        connection_fee_micros=fee_micros, effective_from=START,
    )  # fmt: skip


def purse_note(ref: str) -> str:
    steps: list[list[str]] = json.loads(record(ref).trace)["steps"]
    return "; ".join(what for step, what in steps if step == "purse")


def postings(ref: str) -> list[tuple[str, int]]:
    return [
        (key.split("/")[-1], amount)
        for key, amount in Posting.objects.filter(call_ref=int(ref)).order_by("id").values_list("key", "amount")
    ]


def assert_clean() -> None:
    assert differences() == []
    assert audit().differences == []


def test_a_us_call_of_four_minutes_with_ninety_seconds_left() -> None:
    """90 s from the minutes, the rest from the Manager's Credit at 60/60, without the fee; the profile's own Credit stays (issue 3)."""
    profile, credit = company()
    price_of_north_america(fee_micros=50_000)
    minutes = give_minutes(profile, 90, country="US")
    table = Table()
    ref = table.answered_call(profile, NEW_YORK)
    table.pass_seconds(240)
    table.turn(table.ended(ref))
    assert postings(ref) == [("m1", 60), ("m2", 30), ("1", 10_000), ("2", 10_000), ("3", 10_000)]
    written = record(ref)
    assert (written.duration_seconds, written.billed_seconds, written.bundle_seconds) == (240, 270, 90)
    assert (written.cost_micros, written.connection_fee_micros, written.paid_by) == (30_000, 0, "both")
    assert (free(minutes), free(credit), free_micros(profile)) == (0, 970_000, 1_000_000)
    assert purse_note(ref) == "bundle US for 30 days, 1 min 30 s left"
    assert_clean()


def test_a_profile_without_credit_calls_with_its_minutes() -> None:
    profile, _ = company(manager_credit_micros=0, credit_micros=0)
    minutes = give_minutes(profile, 300)
    table = Table()
    ref = table.answered_call(profile)
    table.pass_seconds(61)
    table.turn(table.ended(ref))
    written = record(ref)
    assert (written.cost_micros, written.bundle_seconds, written.billed_seconds, written.paid_by) == (0, 120, 120, "bundle")
    assert free(minutes) == 180
    assert_clean()


def test_an_empty_bundle_leaves_the_call_to_the_managers_credit_with_the_fee() -> None:
    profile, credit = company()
    price_of_north_america(fee_micros=50_000)
    give_minutes(profile, 0, country="US")
    table = Table()
    ref = table.answered_call(profile, NEW_YORK)
    table.turn(table.ended(ref))
    assert (record(ref).cost_micros, record(ref).paid_by, free(credit), free_micros(profile)) == (60_000, "manager", 940_000, 1_000_000)
    assert purse_note(ref) == "bundle US for 30 days, 0 min 0 s left; 60000 of 1000000 micro-USD of the Manager's Credit held"
    assert_clean()


def test_an_empty_bundle_and_an_empty_manager_are_refused_whatever_the_profile_has() -> None:
    profile, _ = company(manager_credit_micros=0)
    give_minutes(profile, 0)
    verdict = Table().verdict(profile)
    assert (verdict["go"], verdict["status"]) == (0, 402)


@pytest.mark.parametrize("dialled", [EXCLUDED, TORONTO, FRANCE])
def test_what_the_bundle_does_not_cover_is_paid_by_the_profile(dialled: str) -> None:
    profile, credit = company()
    price_of_north_america()
    minutes = give_minutes(profile, 600, country="US")
    table = Table()
    ref = table.answered_call(profile, dialled)
    table.turn(table.ended(ref))
    assert (record(ref).paid_by, record(ref).bundle_seconds, free(minutes), free(credit)) == ("profile", 0, 600, 1_000_000)
    assert_clean()


def test_a_free_call_takes_no_minutes() -> None:
    profile, _ = company()
    Price.objects.update(rate_per_minute_micros=0)
    minutes = give_minutes(profile, 600)
    table = Table()
    ref = table.answered_call(profile)
    table.turn(table.ended(ref))
    assert (record(ref).paid_by, free(minutes)) == ("", 600)
    assert_clean()


def test_calls_that_share_a_bundle_never_get_what_is_not_there() -> None:
    profile, credit = company(channels=10, manager_credit_micros=RATE_MICROS)
    minutes = give_minutes(profile, 150)
    table = Table()
    outcome = table.turn(*(table.admit(profile) for _ in range(6)))
    assert [answer["go"] for _, answer in outcome.answers] == [1, 1, 1, 1, 0, 0], "60 s, 60 s, 30 s, one for money, and no more"
    assert (free(minutes), free(credit)) == (0, 0)
    assert_clean()
    refs = [answer["call"] for _, answer in outcome.answers if answer["go"]]
    table.turn(*(table.answered(ref) for ref in refs))
    table.turn(*(table.ended(ref) for ref in refs))
    assert [record(ref).paid_by for ref in refs] == ["bundle", "bundle", "bundle", "manager"]
    assert_clean()


def test_a_call_that_nobody_can_pay_any_more_is_cut_where_its_minutes_end() -> None:
    profile, _ = company(manager_credit_micros=0)
    give_minutes(profile, 90)
    table = Table()
    ref = table.answered_call(profile)
    answered_us = table.now_us
    commands = [command for outcome in table.pass_seconds(95) for command in outcome.commands]
    assert commands[0].at_us == answered_us + 90 * MICROSECONDS
    table.turn(table.ended(ref, commands[0].at_us))
    assert (record(ref).duration_seconds, record(ref).bundle_seconds, free_micros(profile)) == (90, 90, 1_000_000)
    assert_clean()


@pytest.mark.parametrize("crashes_at", [1, 58, 61, 92, 118, 130])
def test_a_crash_at_any_time_leaves_the_same_split(crashes_at: int) -> None:
    profile, credit = company()
    minutes = give_minutes(profile, 90)
    table = Table()
    ref = table.answered_call(profile)
    table.pass_seconds(crashes_at)
    table.crash()
    table.pass_seconds(240 - crashes_at)
    table.turn(table.ended(ref))
    assert (record(ref).bundle_seconds, record(ref).cost_micros) == (90, 3 * RATE_MICROS)
    assert (free(minutes), free(credit)) == (0, 1_000_000 - 3 * RATE_MICROS)
    assert_clean()


def test_an_end_that_is_known_late_gives_back_money_and_minutes() -> None:
    profile, credit = company()
    minutes = give_minutes(profile, 90)
    table = Table()
    ref = table.answered_call(profile)
    answered_us = table.now_us
    table.now_us += 300 * MICROSECONDS
    table.crash()
    table.turn()
    assert_clean()
    table.turn(table.ended(ref, answered_us + 50 * MICROSECONDS))
    assert (record(ref).bundle_seconds, record(ref).billed_seconds, record(ref).cost_micros) == (60, 60, 0)
    assert (free(minutes), free(credit)) == (30, 1_000_000)
    assert_clean()


def test_a_term_that_is_replaced_in_mid_call_keeps_what_was_drawn() -> None:
    """The next increment comes from the bundle that is open then, also after a crash; a late end gives back to both."""
    profile, credit = company()
    old = give_minutes(profile, 600)
    table = Table()
    ref = table.answered_call(profile)
    answered_us = table.now_us
    table.pass_seconds(57)
    assert LiveCall.objects.get().minutes_held_seconds == 60
    Term.objects.filter(kind="bundle").update(ended_at=START, end="changed")
    new = give_minutes(profile, 70)
    table.desk.directory.apply(Change.What.PROFILE, str(profile.id))
    table.pass_seconds(80)
    assert (free(old), free(new)) == (600 - 120, 10)
    assert LiveCall.objects.get().minutes_id == new.pk
    table.crash()
    table.pass_seconds(100)
    assert free(credit) < 1_000_000
    table.turn(table.ended(ref, answered_us + 59 * MICROSECONDS))
    assert (free(old), free(new), free(credit)) == (540, 70, 1_000_000)
    assert (record(ref).bundle_seconds, record(ref).paid_by) == (60, "bundle")
    assert_clean()


def test_a_term_that_is_over_or_has_not_begun_covers_nothing() -> None:
    profile, _ = company()
    minutes = give_minutes(profile, 600)
    Term.objects.filter(kind="bundle").update(renews=False)
    table = Table(now_us=int((START + timedelta(days=30)).timestamp()) * MICROSECONDS)
    ref = table.answered_call(profile)
    table.turn(table.ended(ref))
    assert (record(ref).paid_by, free(minutes)) == ("profile", 600)
    Term.objects.update(starts_at=START + timedelta(days=31), ends_at=START + timedelta(days=61))
    table.crash()
    ref = table.answered_call(profile)
    table.turn(table.ended(ref))
    assert record(ref).paid_by == "profile"
    assert_clean()


@pytest.mark.parametrize(("waits", "paid_by"), [({}, "bundle"), ({"unpaid_since": START + timedelta(days=30)}, "profile")])
def test_until_the_clock_has_renewed_it_a_bundle_goes_on_unless_it_could_not_be_paid(waits: dict[str, Any], paid_by: str) -> None:
    profile, _ = company()
    give_minutes(profile, 600)
    Term.objects.filter(kind="bundle").update(**waits)
    table = Table(now_us=int((START + timedelta(days=30, seconds=2)).timestamp()) * MICROSECONDS)
    ref = table.answered_call(profile)
    table.turn(table.ended(ref))
    assert record(ref).paid_by == paid_by
    assert_clean()


def test_terms_of_a_test_system_whose_clock_is_ahead() -> None:
    profile, _ = company()
    give_minutes(profile, 600)
    Term.objects.update(starts_at=START + timedelta(days=31), ends_at=START + timedelta(days=61))
    ClockOffset.objects.create(id=1, offset_us=31 * 86400 * MICROSECONDS)
    table = Table()
    ref = table.answered_call(profile)
    table.turn(table.ended(ref))
    assert record(ref).paid_by == "bundle"
    assert_clean()


def test_a_record_says_everything() -> None:
    profile, _ = company()
    table = Table()
    verdict = table.verdict(profile, user_agent="PBX 1.0", src="udp:192.0.2.1:5060")
    ref = str(verdict["call"])
    table.turn(table.failed(ref, 486))
    written = record(ref)
    assert (written.prefix, written.country, written.first_increment_seconds, written.next_increment_seconds) == ("33", "FR", 60, 60)
    assert (written.source, written.user_agent, written.sip_call_id) == ("udp:192.0.2.1:5060", "PBX 1.0", "1@pbx")
    assert (written.q850_cause, written.paid_by) == (17, "")
    refused = table.verdict(profile, "911")
    assert record(str(refused["call"])).q850_cause is not None
    assert_clean()
