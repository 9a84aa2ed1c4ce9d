"""Hints of fraud, from the call records of the last day: for the operator to look at (SPEC R12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Substr

from trunkline.domain.money import MICROS, for_people
from trunkline.store.models import CallRecord, Profile, UsageBucket

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


@dataclass(frozen=True, slots=True)
class Flag:
    """`what`: in the operator's words."""

    profile: Profile
    what: str
    detail: str


def flags(now: datetime) -> list[Flag]:
    """By profile; `now` is the engines' time."""
    recent = _recent(now)
    found = [*_refusals(recent), *_short_calls(recent), *_spend(now)]
    idents = {ident for ident, _, _ in found}
    known = {profile.pk: profile for profile in Profile.objects.select_related("manager").filter(pk__in=idents)}
    return sorted((Flag(known[ident], what, detail) for ident, what, detail in found), key=lambda flag: (flag.profile.name, flag.what))[
        :MOST_FLAGS
    ]


def _recent(now: datetime) -> QuerySet[CallRecord]:
    """References ascend with time: they begin with the microsecond."""
    since_ref = int((now - DAY).timestamp()) * MICROS << 10
    newest = CallRecord.objects.filter(call_ref__gte=since_ref).order_by("-call_ref").values_list("call_ref", flat=True)
    for too_old in newest[MOST_RECORDS : MOST_RECORDS + 1]:
        since_ref = too_old + 1
    return CallRecord.objects.filter(call_ref__gte=since_ref, profile__isnull=False).exclude(direction="incoming")


def _refusals(recent: QuerySet[CallRecord]) -> list[tuple[int, str, str]]:
    counted = recent.exclude(refusal="").values("profile_id").annotate(times=Count("call_ref")).filter(times__gte=MANY_REFUSALS)
    return [(row["profile_id"], "Many refused calls", f"{row['times']} in a day") for row in counted[:MOST_FLAGS]]


def _short_calls(recent: QuerySet[CallRecord]) -> list[tuple[int, str, str]]:
    short = recent.filter(result="answered", duration_seconds__lte=SHORT_SECONDS).annotate(beginning=Substr("callee", 1, SAME_DIGITS))
    counted = short.values("profile_id", "beginning").annotate(times=Count("call_ref")).filter(times__gte=MANY_SHORT)
    what = "Many short calls to one destination"
    return [(row["profile_id"], what, f"{row['times']} to +{row['beginning']}… in a day") for row in counted[:MOST_FLAGS]]


def _spend(now: datetime) -> list[tuple[int, str, str]]:
    """Of the last day, beside the average day of the week before it. By the sums that are kept anyway."""
    now_us, day_us = int(now.timestamp()) * MICROS, int(DAY.total_seconds()) * MICROS
    today, before = Q(starts_us__gte=now_us - day_us), Q(starts_us__lt=now_us - day_us)
    sums = (
        UsageBucket.objects.filter(starts_us__gte=now_us - (WEEK_DAYS + 1) * day_us)
        .values("profile_id", currency=F("profile__manager__currency"))
        .annotate(today=Sum("cost_micros", filter=today, default=0), before=Sum("cost_micros", filter=before, default=0))
        .filter(today__gte=HIGH_SPEND_MICROS)
    )
    sudden = [row for row in sums if row["today"] * WEEK_DAYS >= row["before"] * TIMES_AS_MUCH]
    return [(row["profile_id"], "Sudden high spend", _spent(row["today"], row["before"] // WEEK_DAYS, row["currency"])) for row in sudden]


def _spent(today_micros: int, average_micros: int, currency: str) -> str:
    return f"{for_people(today_micros, currency)} in a day, {for_people(average_micros, currency)} on average before"
