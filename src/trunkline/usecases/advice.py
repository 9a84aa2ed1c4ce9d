"""How many channels a profile needs, by its own calls (SPEC R3.7)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from trunkline.domain.advisor import Advice, busiest_hour_seconds, channels_for
from trunkline.domain.errors import Conflict
from trunkline.store import ledger
from trunkline.store.models import UsageBucket

LOOK_BACK = timedelta(days=30)


def advise_by_records(*, now: datetime, profile_id: int) -> Advice:
    """For the busiest hour of the last 30 days, by quarters in which calls began. Raises `Conflict` when there were none.

    Calls that found no channel don't talk: where channels were full, more are needed than this says.
    """
    since_us = ledger.microseconds(now - LOOK_BACK)
    talk: Counter[int] = Counter()
    buckets = UsageBucket.objects.filter(profile_id=profile_id, starts_us__gte=since_us, duration_seconds__gt=0)
    for starts_us, seconds in buckets.values_list("starts_us", "duration_seconds"):
        talk[starts_us] += seconds
    if not talk:
        raise Conflict("There were no calls in the last 30 days: estimate by the number of employees.")
    busy = busiest_hour_seconds(talk)
    return Advice(channels_for(busy), busy, f"for {busy // 60} minutes of talk in the busiest hour of the last 30 days")
