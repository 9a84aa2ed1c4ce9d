"""The daemon with real sockets and real journal files; the edge is played by the test."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from tests.callcontrol.ground import FRANCE, differences, make_company
from tests.conftest import Store
from trunkline.callcontrol.commands import as_kamailio_writes
from trunkline.callcontrol.daemon import CallControl, Ground
from trunkline.callcontrol.journal import JournalReader
from trunkline.callcontrol.reconcile import Look, Reconciler
from trunkline.domain import calls as rules
from trunkline.domain.errors import NotFound
from trunkline.store.models import AuditEntry, CallRecord, Carrier, Change, ChannelUse, JournalPosition, LiveCall, Profile, Registration
from trunkline.store.work import By
from trunkline.usecases.live_calls import hang_up

WAIT_SECONDS = 5.0


def now_us() -> int:
    return time.time_ns() // 1000


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.005)


class FakeEdge:
    """Remembers what call control asked of it."""

    def __init__(self) -> None:
        self.ended: list[dict[str, Any]] = []
        self.forgotten: list[str] = []
        self.is_away = False

    def end_call(self, *, ref: int, call_id: str, legs: dict[str, Any], headers: str) -> bool:
        if self.is_away:
            raise ConnectionRefusedError("Kamailio is away")
        self.ended.append({"call_id": call_id, "legs": legs, "headers": headers})
        return True

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def set_carriers(self, carriers: Iterable[tuple[int, str]]) -> None:
        self.carriers = list(carriers)


@dataclass
class Bench:
    """A daemon in a thread of its own, and this side of its roads."""

    directory: Path
    edge: FakeEdge = field(default_factory=FakeEdge)
    look: Callable[[Iterable[str]], Look] = lambda _: Look(now_us(), None, None, frozenset())
    numbers: int = 0

    def __post_init__(self) -> None:
        self.spool = self.directory / "spool"
        self.spool.mkdir()
        self.client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.client.bind(str(self.directory / "client.sock"))
        self.client.settimeout(WAIT_SECONDS)
        self.boot_us = now_us()

    def start(self) -> None:
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(WAIT_SECONDS)

    def _run(self, ready: threading.Event) -> None:
        reconciler = Reconciler(self.look)
        ground = Ground(
            edge_name="edge", sip_domain="trunkline.localhost", echo_uri="sip:echo@127.0.0.1:5070", socket_path=self.directory / "cc.sock",
            spool_dir=self.spool, edge=self.edge, reconciler=reconciler,
        )  # fmt: skip
        self.control = CallControl(ground)
        reconciler.start()
        ready.set()
        self.control.run()

        connection.close()

    def stop(self) -> None:
        if not hasattr(self, "control"):
            return
        self.control.stop()
        self.thread.join(WAIT_SECONDS)
        assert not self.thread.is_alive()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self.numbers += 1
        self.client.sendto(json.dumps({"n": self.numbers, **question}).encode(), str(self.directory / "cc.sock"))
        answer: dict[str, Any] = json.loads(self.client.recv(16384))
        assert answer["n"] == self.numbers
        return answer

    def admit(self, profile: Profile, dialled: str = FRANCE) -> dict[str, Any]:
        key = f"{self.numbers:032x}"
        question = {"q": "admit", "key": key, "from_kind": "profile", "from_id": profile.id, "ruri": dialled, "at": now_us()}
        return self.ask({**question, "call_id": f"{key}@pbx"})

    def write(self, *events: dict[str, Any], rank: int = 1, segment: int = 0, end: str = "\n") -> None:
        path = self.spool / f"{self.boot_us:020d}-{rank}-{segment:06d}.jsonl"
        with path.open("a") as journal:
            for event in events:
                journal.write(json.dumps({"at": now_us(), **event}) + end)


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.stop()
    made.client.close()


def test_a_call_over_the_real_roads(bench: Bench) -> None:
    [profile] = make_company()
    bench.start()
    verdict = bench.admit(profile)
    assert verdict["go"] == 1
    bench.write({"e": "ans", "c": verdict["call"], "legs": {"call_id": "x"}})
    bench.write({"e": "end", "c": verdict["call"], "by": "caller"}, rank=2)
    until(lambda: CallRecord.objects.filter(result="answered").exists())
    assert ChannelUse.objects.get().in_use == 0
    assert differences() == []


def test_what_happened_while_it_was_away_is_read_on_return(bench: Bench) -> None:
    [profile] = make_company()
    bench.start()
    ringing, talking = bench.admit(profile)["call"], bench.admit(profile)["call"]
    bench.write({"e": "ans", "c": talking, "legs": {}})
    until(lambda: LiveCall.objects.filter(state="answered").exists())
    bench.stop()
    bench.write({"e": "ans", "c": ringing, "legs": {}}, {"e": "end", "c": talking, "by": "callee"})
    bench.start()
    until(lambda: CallRecord.objects.count() == 1)
    assert LiveCall.objects.get().state == "answered"
    assert ChannelUse.objects.get().in_use == 1
    assert differences() == []


def test_an_end_that_was_read_before_its_answer_outlives_a_crash(bench: Bench) -> None:
    """Its line counts as read, so nobody says it again."""
    [profile] = make_company()
    bench.start()
    ref = bench.admit(profile)["call"]
    at_us = now_us()
    bench.write({"e": "end", "c": ref, "by": "callee", "at": at_us}, rank=2)
    until(lambda: '"ended"' in LiveCall.objects.get().facts)
    bench.stop()
    bench.write({"e": "ans", "c": ref, "legs": {}, "at": at_us - 1})
    bench.start()
    until(lambda: CallRecord.objects.count() == 1)
    record = CallRecord.objects.get()
    assert (record.result, record.ended_by, record.ended_us) == ("answered", "callee", at_us)
    assert ChannelUse.objects.get().in_use == 0
    assert differences() == []


def test_half_a_line_waits_for_its_other_half(bench: Bench) -> None:
    [profile] = make_company()
    bench.start()
    ref = bench.admit(profile)["call"]
    line = json.dumps({"e": "fail", "c": ref, "status": 486, "at": now_us()})
    path = bench.spool / f"{bench.boot_us:020d}-1-000000.jsonl"
    path.write_text(line[:20])
    bench.write({"e": "auth", "src": "x"}, rank=2)
    until(JournalPosition.objects.exists)
    assert LiveCall.objects.count() == 1
    with path.open("a") as journal:
        journal.write(line[20:] + "\n")
    until(lambda: LiveCall.objects.count() == 0)


def test_lines_and_questions_that_make_no_sense_stop_nothing(bench: Bench) -> None:
    [profile] = make_company()
    bench.start()
    for nonsense in (b"", b"{", b"[1]", b'{"q":"what","n":1}', b'{"q":"admit","n":1,"key":"\xff"}', b"\x00" * 500):
        bench.client.sendto(nonsense, str(bench.directory / "cc.sock"))
    with (bench.spool / f"{bench.boot_us:020d}-3-000000.jsonl").open("ab") as journal:
        journal.write(b'\xff\xfe\n{"e":"ans"}\n{}\n\n{"e":"end","c":"no such call","at":1}\n')
    assert bench.admit(profile)["go"] == 1


def test_an_event_that_breaks_a_rule_is_set_aside_and_the_others_count(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    [profile] = make_company()
    bench.start()
    bad, good = bench.admit(profile)["call"], bench.admit(profile)["call"]
    real = rules.settle

    def settle(call: rules.Call, at_us: int, book: Any) -> bool:
        if str(call.ref) == bad:
            book.purses.clear()
            raise ZeroDivisionError("a fault of ours")
        return real(call, at_us, book)

    monkeypatch.setattr(rules, "settle", settle)
    bench.write({"e": "fail", "c": bad, "status": 486}, {"e": "fail", "c": good, "status": 486})
    until(lambda: CallRecord.objects.filter(call_ref=int(good)).exists())
    assert LiveCall.objects.get().call_ref == int(bad)
    assert differences() == []
    assert bench.admit(profile)["go"] == 1


def test_a_change_reaches_the_next_decision_and_the_edge(bench: Bench) -> None:
    [profile] = make_company()
    bench.start()
    assert bench.admit(profile)["go"] == 1
    Profile.objects.filter(id=profile.id).update(state="suspended")

    Change.objects.create(what="profile", ident=str(profile.id), sip_user=profile.sip_user, at=datetime.now(UTC))
    until(lambda: bool(bench.edge.forgotten))
    assert bench.edge.forgotten == [f"user:{profile.sip_user}"]
    assert bench.admit(profile)["status"] == 403


def test_who_stood_still_for_longer_than_changes_are_kept_loads_everything_again(bench: Bench) -> None:
    """Profile and carriers changed, and what told of it is gone; only the newest change, about something else, is there."""
    [profile] = make_company()
    Change.objects.create(what="prices", at=datetime.now(UTC))
    bench.start()
    assert bench.admit(profile)["go"] == 1
    Profile.objects.filter(id=profile.id).update(state="suspended")
    Carrier.objects.update(probe=False)
    read = bench.control.last_change_id
    with transaction.atomic():
        Change.objects.create(what="prices", at=datetime.now(UTC))
        Change.objects.filter(id__lte=read).delete()
    until(lambda: bench.edge.carriers == [])
    assert bench.admit(profile)["status"] == 403
    assert bench.control.last_change_id == Change.objects.get().pk


@pytest.mark.parametrize(("source", "key"), [("192.0.2.1:5060", "192.0.2.1:5060"), ("2001:db8::a:5060", "2001:db8:0:0:0:0:0:a:5060")])
def test_sources_are_forgotten_by_the_name_that_kamailio_gives_them(source: str, key: str) -> None:
    assert as_kamailio_writes(source) == key


def test_the_edge_is_told_which_carriers_to_probe(bench: Bench) -> None:
    make_company()
    bench.start()
    assert [uri for _, uri in bench.edge.carriers] == ["sip:127.0.0.1:5080"]
    Carrier.objects.update(probe=False)
    Change.objects.create(what="carriers", at=datetime.now(UTC))
    until(lambda: bench.edge.carriers == [])


def test_look_ups(bench: Bench) -> None:
    [profile] = make_company()
    bench.start()
    assert bench.ask({"q": "who", "user": profile.sip_user})["profile"] == profile.id
    assert bench.ask({"q": "who", "user": "' OR 1=1 --"})["ok"] == 0
    assert bench.ask({"q": "src", "ip": "127.0.0.1", "port": 9})["kind"] == "carrier"
    assert bench.ask({"q": "src", "ip": "192.0.2.77", "port": 5060})["kind"] == "none"
    assert bench.ask({"q": "binding", "profile": profile.id})["contact"] is None
    bench.write(
        {"e": "reg", "p": profile.id, "contact": "sip:x@192.0.2.9", "exp": 60, "src": "udp:192.0.2.9:5060", "call_id": "r", "cseq": 1}
    )
    until(Registration.objects.exists)
    assert bench.ask({"q": "binding", "profile": profile.id})["contact"] == "sip:x@192.0.2.9"


def test_a_call_is_cut_when_its_credit_ends_even_if_kamailio_was_away(bench: Bench) -> None:
    [profile] = make_company(credit_micros=667, first=2, following=2)
    bench.edge.is_away = True
    bench.start()
    ref = bench.admit(profile)["call"]
    answered_us = now_us()
    bench.write({"e": "ans", "c": ref, "legs": {}, "at": answered_us})
    until(lambda: LiveCall.objects.filter(state="answered").exists())
    time.sleep(max(0.0, (answered_us + 2_300_000 - now_us()) / 1e6))
    assert LiveCall.objects.exists()
    bench.edge.is_away = False
    until(CallRecord.objects.exists)
    written = CallRecord.objects.get()
    assert (written.billed_seconds, written.cost_micros) == (2, 667)
    talked_us = written.ended_us - (written.answered_us or 0)
    assert json.loads(written.trace)["sip"]["unpaid_us"] == talked_us - 2_000_000 > 0, "it lasted until Kamailio was back"
    assert "cause=402" in bench.edge.ended[0]["headers"]


def test_r12_the_operator_hangs_up_even_if_kamailio_was_away(bench: Bench) -> None:
    [profile] = make_company()
    bench.edge.is_away = True
    bench.start()
    wanted, other = bench.admit(profile)["call"], bench.admit(profile)["call"]
    bench.write(*({"e": "ans", "c": ref, "legs": {"call_id": ref}} for ref in (wanted, other)))
    until(lambda: LiveCall.objects.filter(state="answered").count() == 2)
    hang_up(now=datetime.now(UTC), by=By("staff.operator", "127.0.0.1"), call_ref=int(wanted), reason="fraud")
    entry = AuditEntry.objects.get(action="call.hang_up")
    assert (entry.actor, entry.target, entry.after) == ("staff.operator", f"call {wanted}", {"reason": "fraud"})
    bench.edge.is_away = False
    until(CallRecord.objects.exists)
    record = CallRecord.objects.get()
    assert (str(record.call_ref), record.result) == (wanted, "answered")
    assert ["cut", "the operator has hung up"] in json.loads(record.trace)["steps"]
    assert [(each["legs"]["call_id"], "cause=31" in each["headers"]) for each in bench.edge.ended] == [(wanted, True)]
    assert [str(live.call_ref) for live in LiveCall.objects.all()] == [other]
    with pytest.raises(NotFound, match="over already"):
        hang_up(now=datetime.now(UTC), by=By("staff.operator"), call_ref=int(wanted), reason="fraud")
    assert differences() == []


def test_journals_that_are_finished_go_away(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path, {})

    def write(name: str, text: str) -> None:
        with (tmp_path / name).open("a") as journal:
            journal.write(text)

    first, second, other, newer = (
        f"{boot:020d}-{rank}-{segment:06d}.jsonl" for boot, rank, segment in ((1, 1, 0), (1, 1, 1), (1, 2, 0), (2, 1, 0))
    )
    write(first, "a\nb\n")
    write(second, "c\n")
    write(other, "d\nhalf")
    assert reader.read() == [b"a", b"b", b"c", b"d"]
    assert reader.finished() == []
    reader.advance()
    assert reader.finished() == [first], "the last of each worker may still grow"
    write(newer, "e\n")
    reader.read()
    reader.advance()
    assert set(reader.finished()) == {first, second, other}
    reader.remove(reader.finished())
    assert [path.name for path in tmp_path.iterdir()] == [newer]


@dataclass
class Engines:
    """What the engines would say."""

    dialogs: dict[int, str] = field(default_factory=dict)
    media_unknown: set[str] = field(default_factory=set)

    def __call__(self, call_ids: Iterable[str]) -> Look:
        return Look(now_us() + 10_000_000, 1, self.dialogs, frozenset(self.media_unknown))


def test_calls_that_the_engines_have_lost_are_settled(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trunkline.callcontrol.reconcile.EVERY_SECONDS", 0.05)
    monkeypatch.setattr("trunkline.callcontrol.reconcile.AGAIN_SECONDS", 0.05)
    engines = Engines()
    bench.look = engines
    [profile] = make_company()
    bench.start()
    refs = [bench.admit(profile)["call"] for _ in range(3)]
    bench.write(*({"e": "ans", "c": ref, "legs": {}} for ref in refs))
    call_ids = [live.facts.sip["call_id"] for live in bench.control.desk.calls.by_ref.values()]
    engines.dialogs = {int(ref): call_id for ref, call_id in zip(refs[1:], call_ids[1:], strict=True)} | {7: "stray"}
    engines.media_unknown = {call_ids[1]}
    until(lambda: CallRecord.objects.count() == 2)
    until(lambda: len({ended["call_id"] for ended in bench.edge.ended}) == 3)
    assert {ended["call_id"] for ended in bench.edge.ended} == {*call_ids[:2], "stray"}, "both sides are told, should they be there"
    assert LiveCall.objects.get().call_ref == int(refs[2])
    assert differences() == []
