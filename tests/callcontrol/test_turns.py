"""Turns of call control on real databases: holds, postings, channels, repeated and late events, crashes between any two turns."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.callcontrol.ground import (
    MICROSECONDS,
    RATE_MICROS,
    START,
    Table,
    differences,
    free_micros,
    give_minutes,
    make_company,
    record,
)  # fmt: skip
from trunkline.callcontrol.batch import Turn
from trunkline.callcontrol.protocol import Boot, Failed, Registered
from trunkline.store.audit import audit
from trunkline.store.models import Account, CallRecord, Carrier, ChannelUse, LiveCall, Posting, Price, PriceList, Profile, Registration

pytestmark = pytest.mark.usefixtures("store")


def in_use(profile: Profile) -> int:
    return ChannelUse.objects.get(profile=profile).in_use


def test_a_call_is_held_then_charged_then_recorded() -> None:
    [profile] = make_company()
    table = Table()
    ref = table.start_call(profile)
    assert (free_micros(profile), in_use(profile)) == (1_000_000 - RATE_MICROS, 1)
    assert not Posting.objects.filter(call_ref=int(ref)).exists()
    table.pass_seconds(3)
    table.turn(table.answered(ref))
    assert Posting.objects.get(call_ref=int(ref)).amount == RATE_MICROS
    table.pass_seconds(61)
    table.turn(table.ended(ref))
    written = record(ref)
    assert (written.result, written.duration_seconds, written.billed_seconds) == ("answered", 61, 120)
    assert (written.cost_micros, written.callee, written.destination, in_use(profile)) == (2 * RATE_MICROS, "33123456789", "France", 0)
    assert differences() == []


def test_a_call_that_is_not_answered_costs_nothing() -> None:
    [profile] = make_company()
    table = Table()
    ref = table.start_call(profile)
    table.turn(table.failed(ref, 486))
    assert (record(ref).result, record(ref).cost_micros, free_micros(profile), in_use(profile)) == ("busy", 0, 1_000_000, 0)
    assert differences() == []


@pytest.mark.parametrize("called", ["anybody", "+", "¹²³", "9" * 40])
def test_a_carriers_call_to_nobody_is_recorded(called: str) -> None:
    [profile] = make_company()
    table = Table()
    question = msgspec.structs.replace(table.admit(profile, called), from_kind="carrier", from_id=Carrier.objects.get().id)
    ((_, verdict),) = table.turn(question).answers
    assert (verdict["go"], verdict["status"]) == (False, 404), verdict
    assert CallRecord.objects.get().refusal == "unknown_number"


def test_the_last_channel_goes_to_one_of_many_in_the_same_turn() -> None:
    [profile] = make_company(channels=3)
    table = Table()
    outcome = table.turn(*(table.admit(profile) for _ in range(10)))
    assert [answer["go"] for _, answer in outcome.answers] == [1] * 3 + [0] * 7
    assert {answer["status"] for _, answer in outcome.answers if not answer["go"]} == {403}
    assert in_use(profile) == 3
    assert CallRecord.objects.filter(refusal="channels_full").count() == 7
    assert differences() == []


def test_the_last_credit_goes_to_one_of_many_in_the_same_turn() -> None:
    [profile] = make_company(credit_micros=2 * RATE_MICROS + 1)
    table = Table()
    outcome = table.turn(*(table.admit(profile) for _ in range(5)))
    assert [answer.get("status", 0) for _, answer in outcome.answers] == [0, 0, 402, 402, 402]
    assert differences() == []


def test_the_same_question_twice_is_one_call() -> None:
    [profile] = make_company()
    table = Table()
    question = table.admit(profile)
    first = table.turn(question).answers[0][1]
    again = table.turn(question).answers[0][1]
    assert first["call"] == again["call"]
    assert LiveCall.objects.count() == 1
    assert in_use(profile) == 1


def test_a_question_whose_asker_gave_up_takes_nothing() -> None:
    [profile] = make_company()
    table = Table()
    question = table.admit(profile)
    table.turn(Failed(table.now_us, key=question.key, status=503, by="edge"))
    assert table.turn(question).answers == []
    old = table.admit(profile)
    table.now_us += 2 * MICROSECONDS
    assert table.turn(old).answers == []
    assert in_use(profile) == 0
    assert differences() == []


def test_an_asker_that_gave_up_after_admission_gives_back() -> None:
    [profile] = make_company()
    table = Table()
    question = table.admit(profile)
    table.turn(question)
    table.turn(Failed(table.now_us, key=question.key, status=503, by="edge"))
    assert (in_use(profile), free_micros(profile)) == (0, 1_000_000)
    assert differences() == []


def test_repeated_events_change_nothing() -> None:
    [profile] = make_company()
    table = Table()
    ref = table.answered_call(profile)
    table.turn(table.answered(ref), table.answered(ref))
    table.pass_seconds(10)
    end = table.ended(ref)
    table.turn(end, end)
    table.turn(end, table.failed(ref))
    assert Posting.objects.filter(call_ref=int(ref)).count() == 1
    assert in_use(profile) == 0
    assert differences() == []


def test_an_end_that_is_read_before_its_answer_waits_for_it() -> None:
    [profile] = make_company()
    table = Table()
    ref = table.start_call(profile)
    table.now_us += MICROSECONDS
    answered = table.answered(ref)
    table.now_us += MICROSECONDS
    outcome = table.turn(table.ended(ref))
    assert outcome.later
    table.turn(*outcome.later, answered)
    assert (record(ref).result, record(ref).cost_micros) == ("answered", RATE_MICROS)
    assert differences() == []


def test_an_end_waits_for_its_answer_as_long_as_there_is_more_to_read() -> None:
    """Call control was away for long: the other worker's journal, with the answer in it, is read in pieces."""
    [profile] = make_company()
    table = Table()
    ref = table.start_call(profile)
    answered_us, ended_us = table.now_us, table.now_us + MICROSECONDS
    table.now_us += 600 * MICROSECONDS
    behind = Turn(table.desk, table.store, table.now_us, is_behind=True)
    table.store.begin()
    behind.run([], [table.ended(ref, ended_us)], [])
    table.store.commit()
    [later] = behind.outcome.later
    table.turn(later, table.answered(ref, answered_us))
    assert (record(ref).result, record(ref).cost_micros) == ("answered", RATE_MICROS)
    assert differences() == []


def test_a_call_without_more_credit_is_cut_at_the_end_of_what_was_paid() -> None:
    [profile] = make_company(credit_micros=2 * RATE_MICROS)
    table = Table()
    ref = table.answered_call(profile)
    answered_us = table.now_us
    commands = [command for outcome in table.pass_seconds(125) for command in outcome.commands]
    assert commands[0].at_us == answered_us + 120 * MICROSECONDS
    assert "402" in commands[0].headers
    table.turn(table.ended(ref, commands[0].at_us))
    assert (record(ref).duration_seconds, record(ref).cost_micros, free_micros(profile)) == (120, 2 * RATE_MICROS, 0)
    assert differences() == []


def test_a_late_cut_is_recorded_as_late() -> None:
    """Nobody could be told in time: what was talked and not paid is the operator's loss, and can be seen."""
    [profile] = make_company(credit_micros=RATE_MICROS)
    table = Table()
    ref = table.answered_call(profile)
    table.now_us += 64 * MICROSECONDS
    table.crash()
    [command] = table.turn().commands
    assert command.at_us == table.now_us
    table.turn(table.ended(ref, command.at_us))
    assert (record(ref).duration_seconds, record(ref).cost_micros, free_micros(profile)) == (64, RATE_MICROS, 0)
    assert json.loads(record(ref).trace)["sip"]["unpaid_us"] == 4 * MICROSECONDS
    assert differences() == []


def test_the_longest_duration_cuts_a_free_call_too() -> None:
    [profile] = make_company()
    Profile.objects.filter(id=profile.id).update(max_duration_seconds=30)
    table = Table()
    table.answered_call(profile, "+17606604690")
    commands = [command for outcome in table.pass_seconds(30) for command in outcome.commands]
    assert len(commands) == 1
    assert "Longest duration" in commands[0].headers


def test_after_a_pause_what_was_talked_is_paid_and_not_more() -> None:
    [profile] = make_company()
    table = Table()
    ref = table.answered_call(profile)
    start_us = table.now_us
    table.now_us += 300 * MICROSECONDS
    table.crash()
    table.turn()
    assert Posting.objects.filter(call_ref=int(ref)).count() == 6
    table.turn(table.ended(ref, start_us + 130 * MICROSECONDS))
    assert (record(ref).cost_micros, free_micros(profile)) == (3 * RATE_MICROS, 1_000_000 - 3 * RATE_MICROS)
    assert differences() == []


def test_a_turn_that_is_not_committed_has_not_happened() -> None:
    [profile] = make_company()
    table = Table()
    table.turn(table.admit(profile), commit=False)
    table.crash()
    assert (LiveCall.objects.count(), in_use(profile), free_micros(profile)) == (0, 0, 1_000_000)


def test_ringing_calls_of_a_dead_kamailio_are_given_up() -> None:
    [profile] = make_company()
    table = Table()
    ref = table.start_call(profile)
    table.pass_seconds(2)
    table.turn(Boot(table.now_us))
    table.pass_seconds(33)
    assert in_use(profile) == 1
    table.pass_seconds(2)
    assert (in_use(profile), record(ref).result) == (0, "lost")
    assert differences() == []


def test_calls_between_two_pbxs_take_a_channel_on_each() -> None:
    sales, engineering = make_company(profiles=2)
    assert sales.manager_id == engineering.manager_id
    table = Table()
    register(table, engineering)
    number = engineering.numbers.get().e164

    Price.objects.create(
        price_list=PriceList.objects.get(), prefix="1", destination="US", rate_per_minute_micros=10_000, effective_from=START
    )
    table.crash()
    register(table, engineering)
    ref = table.answered_call(sales, f"+{number}")
    assert (in_use(sales), in_use(engineering)) == (1, 1)
    table.turn(table.ended(ref))
    assert (record(ref).direction, record(ref).peer_profile_id, record(ref).cost_micros) == ("internal", engineering.id, 10_000)
    assert (in_use(sales), in_use(engineering)) == (0, 0)
    assert differences() == []


def register(table: Table, profile: Profile, contact: str = "sip:s@192.0.2.9:5062", cseq: int = 1, **more: object) -> None:
    fields = {"exp": 3600, "src": "udp:192.0.2.9:5062", "call_id": f"reg-{contact}"} | more
    table.turn(Registered(table.now_us, profile.id, contact, cseq=cseq, **fields))  # type: ignore[arg-type]


def test_registrations_survive_and_a_second_device_takes_over() -> None:
    [profile] = make_company()
    table = Table()
    register(table, profile)
    table.crash()
    assert table.desk.directory.binding(profile.id, table.now_us) is not None
    table.pass_seconds(5)
    register(table, profile, "sip:other@192.0.2.10")
    stored = Registration.objects.get(profile=profile)
    assert (stored.contact, stored.displaced_contact, stored.since_us) == ("sip:other@192.0.2.10", "sip:s@192.0.2.9:5062", table.now_us)
    register(table, profile, exp=0)
    assert Registration.objects.get(profile=profile).contact == "sip:other@192.0.2.10", "a device can't take back another's registration"
    register(table, profile, "sip:other@192.0.2.10", exp=0, cseq=2)
    assert not Registration.objects.exists()


def test_an_older_register_that_comes_late_changes_nothing() -> None:
    [profile] = make_company()
    table = Table()
    register(table, profile, cseq=5, call_id="one")
    register(table, profile, "sip:old@192.0.2.9", cseq=4, call_id="one")
    assert Registration.objects.get().contact == "sip:s@192.0.2.9:5062"


def test_what_a_pbx_offers_is_remembered_until_another_kind_of_device_registers() -> None:
    """R10.2, also over a crash."""
    [profile] = make_company()
    table = Table()

    def offered() -> tuple[bool | None, bool | None]:
        binding = table.desk.directory.binding(profile.id, table.now_us)
        assert binding is not None
        return Registration.objects.get().srtp_offered, binding.srtp_offered

    register(table, profile, src="tls:192.0.2.9:40000", ua="Asterisk PBX 22.10.0")
    assert offered() == (None, None)
    table.verdict(profile, srtp=1)
    table.crash()
    assert offered() == (True, True)
    register(table, profile, src="tls:192.0.2.9:40001", ua="Asterisk PBX 22.10.0", cseq=2)
    table.verdict(profile, srtp=-1)
    assert offered() == (True, True)
    table.verdict(profile, srtp=0)
    assert offered() == (False, False)
    register(table, profile, src="tls:192.0.2.9:40001", ua="3CXPhoneSystem 20.0", cseq=3)
    assert offered() == (None, None)


def test_the_old_password_leaves_a_trace() -> None:
    [profile] = make_company()
    register(Table(), profile, old=1)
    used = Profile.objects.get().old_last_used_at
    assert used is not None
    assert abs(used - (START + timedelta(seconds=1))) < timedelta(seconds=1)
    assert used.tzinfo is UTC or used.utcoffset() == datetime.now(UTC).utcoffset()


class Traffic:
    """Everything at once, by chance: new calls, answers, ends, repeated and late events, pauses, crashes."""

    def __init__(self, seed: int, profiles: list[Profile]) -> None:
        self.chance = random.Random(seed)
        self.profiles = profiles
        self.table = Table()
        self.ringing: list[str] = []
        self.talking: list[str] = []
        self.over: list[str] = []

    def step(self) -> None:
        often = (self.admit, self.answer, self.wait)
        seldom = (self.answer, self.end, self.fail, self.again, self.pause, self.crash, self.lose)
        self.chance.choice(often * 2 + seldom)()

    def admit(self) -> None:
        questions = [self.table.admit(self.chance.choice(self.profiles)) for _ in range(self.chance.randint(1, 4))]
        self.ringing += [answer["call"] for _, answer in self.table.turn(*questions).answers if answer["go"]]

    def answer(self) -> None:
        if ref := self._one_of(self.ringing):
            self.table.turn(self.table.answered(ref))
            self.talking.append(ref)

    def end(self) -> None:
        """Known at once, or 20 seconds late."""
        if ref := self._one_of(self.talking):
            self.table.turn(self.table.ended(ref, self.table.now_us - self.chance.choice([0, 0, 20_000_000])))
            self.over.append(ref)

    def fail(self) -> None:
        if ref := self._one_of(self.ringing):
            self.table.turn(self.table.failed(ref, self.chance.choice([404, 486, 487, 503])))
            self.over.append(ref)

    def again(self) -> None:
        if self.over:
            ref = self.chance.choice(self.over)
            self.table.turn(self.table.answered(ref), self.table.ended(ref), self.table.failed(ref))

    def wait(self) -> None:
        for outcome in self.table.pass_seconds(self.chance.uniform(0, 40)):
            self.table.turn(*(self.table.ended(str(command.ref), command.at_us) for command in outcome.commands if command.ref))

    def pause(self) -> None:
        self.table.now_us += self.chance.randint(0, 60_000_000)

    def crash(self) -> None:
        self.table.crash()

    def lose(self) -> None:
        self.table.turn(self.table.admit(self.chance.choice(self.profiles)), commit=False)
        self.table.crash()

    def _one_of(self, refs: list[str]) -> str | None:
        return refs.pop(self.chance.randrange(len(refs))) if refs else None


@pytest.mark.parametrize("seed", range(4))
def test_random_traffic_with_crashes_leaves_a_clean_ledger(seed: int) -> None:
    """After each crash only the store is left; at the end the ledger is counted again by plain sums, and by the product's audit.

    The first profile has two bundles, the second one, the third pays with its own Credit.
    """
    profiles = make_company(credit_micros=700_000, channels=4, profiles=3, first=30, following=6, manager_credit_micros=500_000)
    give_minutes(profiles[0], 400, days=20)
    give_minutes(profiles[0], 900)
    give_minutes(profiles[1], 1500)
    traffic = Traffic(seed, profiles)
    for _ in range(300):
        traffic.step()
    assert differences() == []
    assert audit().differences == []
    assert set(CallRecord.objects.values_list("paid_by", flat=True)) >= {"bundle", "profile"}
    assert Posting.objects.filter(kind="minutes").count() > 10
    assert CallRecord.objects.filter(result="answered").count() > 10
    table = traffic.table
    live = [str(ref) for ref in LiveCall.objects.values_list("call_ref", flat=True)]
    table.now_us += 60_000_000
    table.turn(*(table.ended(ref) for ref in live), *(table.failed(ref) for ref in live))
    assert LiveCall.objects.count() == 0
    assert {in_use(profile) for profile in profiles} == {0}
    assert set(Account.objects.values_list("held", flat=True)) == {0}
    assert differences() == []
    assert audit().differences == []
