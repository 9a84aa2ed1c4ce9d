"""Hints of fraud, from the call records of the last day: for the operator to look at (SPEC R12).

The clock looks for them and keeps what it found: on a busy service that goes through 200,000 records, too many for a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Substr

from trunkline.domain.money import MICROS, for_people
from trunkline.store.models import CallRecord, FraudLook, Profile, UsageBucket

LOOK_EVERY = timedelta(minutes=5)
DAY = timedelta(days=1)
WEEK_DAYS = 7
MANY_REFUSALS = 50
SHORT_SECONDS = 15
MANY_SHORT = 30
SAME_DIGITS = 7
"""So many first digits are one destination: ranges of premium numbers are dialled in turn."""
HIGH_SPEND_MICROS = 20 * MICROS
TIMES_AS_MUCH = 5
MOST_RECORDS = 200_000
"""Of the last day: on a busy service the newest are looked at."""
MOST_FLAGS = 100
"""Of each kind: those that stand out most."""
_ROW = 1

Found = list[tuple[int, str, str]]
"""Profile, what, and how much."""


@dataclass(frozen=True, slots=True)
class Flag:
    """`what`: in the operator's words. `since`: when a look first found it, without a look in between that did not."""

    profile: Profile
    what: str
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at `at`, by profile. Its moments are the engines' time."""

    at: datetime
    flags: list[Flag]


def last_look() -> Look | None:
    """None: nobody has looked yet."""
    row = FraudLook.objects.filter(pk=_ROW).first()
    if row is None:
        return None
    known = Profile.objects.select_related("manager").in_bulk({ident for ident, *_ in row.found})
    shown = (Flag(known[ident], what, detail, datetime.fromisoformat(since)) for ident, what, detail, since in row.found)
    return Look(row.at, sorted(shown, key=lambda flag: (flag.profile.name, flag.what)))


def is_due(now: datetime) -> bool:
    """`now` is the engines' time. One that was set back counts as no look."""
    return not FraudLook.objects.filter(pk=_ROW, at__range=(now - LOOK_EVERY, now)).exists()


def look(now: datetime) -> int:
    """Goes through the records and keeps what it finds. Returns how many hints. `now` is the engines' time."""
    recent = _recent(now)
    found = [*_refusals(recent), *_short_calls(recent), *_spend(now)]
    before = FraudLook.objects.filter(pk=_ROW).first()
    since = {(ident, what): first for ident, what, _, first in before.found} if before else {}
    kept = [(ident, what, detail, since.get((ident, what), now.isoformat())) for ident, what, detail in found]
    FraudLook.objects.update_or_create(pk=_ROW, defaults={"at": now, "found": kept})
    return len(kept)


def _recent(now: datetime) -> QuerySet[CallRecord]:
    """References ascend with time: they begin with the microsecond."""
    since_ref = int((now - DAY).timestamp()) * MICROS << 10
    newest = CallRecord.objects.filter(call_ref__gte=since_ref).order_by("-call_ref").values_list("call_ref", flat=True)
    for too_old in newest[MOST_RECORDS : MOST_RECORDS + 1]:
        since_ref = too_old + 1
    return CallRecord.objects.filter(call_ref__gte=since_ref, profile__isnull=False).exclude(direction="incoming")


def _refusals(recent: QuerySet[CallRecord]) -> Found:
    counted = recent.exclude(refusal="").values("profile_id").annotate(times=Count("call_ref")).filter(times__gte=MANY_REFUSALS)
    return [(row["profile_id"], "Many refused calls", f"{row['times']} in a day") for row in counted.order_by("-times")[:MOST_FLAGS]]


def _short_calls(recent: QuerySet[CallRecord]) -> Found:
    short = recent.filter(result="answered", duration_seconds__lte=SHORT_SECONDS).annotate(beginning=Substr("callee", 1, SAME_DIGITS))
    counted = short.values("profile_id", "beginning").annotate(times=Count("call_ref")).filter(times__gte=MANY_SHORT)
    what = "Many short calls to one destination"
    return [
        (row["profile_id"], what, f"{row['times']} to +{row['beginning']}… in a day") for row in counted.order_by("-times")[:MOST_FLAGS]
    ]


def _spend(now: datetime) -> Found:
    """Of the last day, beside the average day of the week before it. By the sums that are kept anyway."""
    now_us, day_us = int(now.timestamp()) * MICROS, int(DAY.total_seconds()) * MICROS
    today, before = Q(starts_us__gte=now_us - day_us), Q(starts_us__lt=now_us - day_us)
    sums = (
        UsageBucket.objects.filter(starts_us__gte=now_us - (WEEK_DAYS + 1) * day_us)
        .values("profile_id", currency=F("profile__manager__currency"))
        .annotate(today=Sum("cost_micros", filter=today, default=0), before=Sum("cost_micros", filter=before, default=0))
        .filter(today__gte=HIGH_SPEND_MICROS)
    )
    sudden = [row for row in sums.order_by("-today") if row["today"] * WEEK_DAYS >= row["before"] * TIMES_AS_MUCH][:MOST_FLAGS]
    return [(row["profile_id"], "Sudden high spend", _spent(row["today"], row["before"] // WEEK_DAYS, row["currency"])) for row in sudden]


def _spent(today_micros: int, average_micros: int, currency: str) -> str:
    return f"{for_people(today_micros, currency)} in a day, {for_people(average_micros, currency)} on average before"
