"""Minutes of bundles that have ended, which calls held then and have given back since: nobody can use them, so they expire (SPEC R5.2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from trunkline.store.models import Term
from trunkline.store.work import By, work
from trunkline.usecases.till import expire_minutes, open_till

GIVEN_BACK_WITHIN = timedelta(days=40)
"""A call lasts a day at most; but what it holds comes back only when call control has settled it, and that may have been away."""


def due_since(now: datetime) -> datetime | None:
    """When the bundle ended that has had such minutes for longest."""
    return _left(now).values_list("ended_at", flat=True).first()


def expire_released_minutes(*, now: datetime, by: By, limit: int) -> int:
    """One transaction for each bundle. Returns of how many something expired."""
    done = 0
    for term in _left(now).select_related("manager", "product", "profile", "minutes")[:limit]:
        with work(now=now, by=by) as doing:
            assert term.minutes_id is not None, "a constraint of the store"
            till = open_till(doing, term.manager, more=[term.minutes_id], minutes=True)
            done += expire_minutes(doing, till, term)
    return done


def _left(now: datetime) -> QuerySet[Term]:
    ended = Term.objects.filter(kind=Term.Kind.BUNDLE, ended_at__gt=now - GIVEN_BACK_WITHIN, ended_at__lte=now)
    return ended.filter(minutes__balance__gt=F("minutes__held")).order_by("ended_at", "pk")
