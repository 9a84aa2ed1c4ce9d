"""What the store says about calls, held against what both sides of them saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tests.faults.company import fair_price
from tests.faults.load import Seen
from trunkline.store.models import Account, CallRecord, Posting

CHUNK = 500
LONGEST_HELD_US = 60_000_000


def check(calls: Iterable[Seen]) -> None:
    """Every answered call has one record, is paid as its price says, and lasted as long as its two sides say. No purse is below zero."""
    seen = {call.number: call for call in calls}
    records = records_of(list(seen))
    for number, call in seen.items():
        answered = [record for record in records[number] if record.result == "answered"]
        if call.was_answered or call.status == 200:
            assert len(answered) == 1, (call, [(record.result, record.trace) for record in records[number]])
        for record in records[number]:
            if record.result == "answered":
                check_record(record, call)
            else:
                assert record.cost_micros == 0
                assert record.ended_us - record.started_us < LONGEST_HELD_US, "a channel was held for nothing"
    assert not Account.objects.filter(guarded=True, balance__lt=0).exists()


def records_of(numbers: list[str]) -> dict[str, list[CallRecord]]:
    """By number called, with `+`."""
    found: dict[str, list[CallRecord]] = defaultdict(list)
    for first in range(0, len(numbers), CHUNK):
        for record in CallRecord.objects.filter(dialled__in=numbers[first : first + CHUNK]):
            found[record.dialled].append(record)
    return found


def check_record(record: CallRecord, call: Seen) -> None:
    """Of an answered call: between what was sent by one side and what reached the other lies what call control says."""
    about = (call, record.ended_by, record.answered_us, record.ended_us, record.trace)
    assert record.answered_us is not None
    assert record.cost_micros == fair_price(call.number, record.ended_us - record.answered_us), about
    postings = Posting.objects.filter(call_ref=record.call_ref)
    paid = sum(posting.amount if posting.kind == "call" else -posting.amount for posting in postings)
    assert paid == record.cost_micros, about
    assert 0 < call.taken_us <= record.answered_us, about
    if call.status == 200:
        assert record.answered_us <= call.status_us, about
    if call.bye_status == 200:
        assert call.bye_us <= record.ended_us <= call.bye_done_us, about
