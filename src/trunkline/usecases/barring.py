"""What a SIP Profile calls, how dear and how fast: what a company sets for itself (SPEC R6.7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from trunkline.domain.barring import check_destinations, check_types
from trunkline.domain.errors import Invalid
from trunkline.domain.money import check_rate
from trunkline.store.work import By, work
from trunkline.usecases.profile_changes import change, lock_profile


def set_barring(
    *,
    now: datetime,
    by: By,
    profile_id: int,
    barred_types: Iterable[str],
    barred_destinations: Iterable[str],
    calls_abroad: bool,
    max_rate_per_minute_micros: int | None,
    own_calls_per_second: int | None,
) -> None:
    """All of it at once. None: no highest price; as many calls per second as the operator allows. Calls in progress go on."""
    if max_rate_per_minute_micros is not None:
        check_rate(max_rate_per_minute_micros, "max_rate_per_minute")
    wanted: dict[str, Any] = {
        "barred_types": check_types(barred_types),
        "barred_destinations": check_destinations(barred_destinations),
        "calls_abroad": calls_abroad,
        "max_rate_per_minute_micros": max_rate_per_minute_micros,
        "own_calls_per_second": own_calls_per_second,
    }
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        if own_calls_per_second is not None:
            _check_pace(own_calls_per_second, profile.calls_per_second)
        changed = {name: value for name, value in wanted.items() if _differs(getattr(profile, name), value)}
        change(doing, profile, "barring", **changed)


def _differs(stored: object, wanted: object) -> bool:
    """A list of an earlier version may be in another order."""
    return (sorted(stored) if isinstance(stored, list) else stored) != wanted


def _check_pace(calls_per_second: int, most: int) -> None:
    if not 1 <= calls_per_second <= most:
        raise Invalid("calls_per_second", f"The operator allows {most} calls per second: choose from 1 to {most}, or none for {most}.")
