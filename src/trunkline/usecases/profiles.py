"""A SIP Profile: made, renamed, suspended, and what can be set on it (SPEC R2, R6.7, R8.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trunkline.domain import barring
from trunkline.domain.channels import MOST_CHANNELS
from trunkline.domain.credentials import Draw, ha1, new_password, new_sip_user
from trunkline.domain.errors import Conflict, Invalid
from trunkline.domain.money import check_rate
from trunkline.domain.names import check_name
from trunkline.store import ledger, queries, sealing
from trunkline.store.models import Account, Change, ChannelUse, Manager, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases import subscriptions, terms
from trunkline.usecases.caller_id import check_may_show
from trunkline.usecases.evidence import keep_evidence
from trunkline.usecases.profile_changes import change, lock_profile
from trunkline.usecases.profile_orders import NOTHING, Order, carry_out
from trunkline.usecases.till import open_till

MOST_CALLS_PER_SECOND = 1000
LONGEST_CALL_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class ProfileCreated:
    profile_id: int
    sip_user: str
    password: str


def create_profile(
    *,
    now: datetime,
    by: By,
    manager_id: int,
    name: str,
    sip_domain: str,
    channels: int = 0,
    order: Order = NOTHING,
    draw: Draw = secrets.randbelow,
) -> ProfileCreated:
    """A profile with an empty purse and new credentials. Without channels it is inactive until some are bought.

    `order`: what is bought with it, all or nothing. `channels`: granted by the operator instead, complimentary.
    """
    name = check_name(name, "name", longest=80)
    check_channels(channels)
    password = new_password(draw)
    with work(now=now, by=by) as doing:
        till = open_till(doing, queries.manager(manager_id), minutes=bool(order.bundles))
        manager = doing.locks.one(Manager, manager_id)
        _check_name_free(manager_id, name)
        sip_user = _unused_sip_user(draw)
        profile = Profile.objects.create(
            manager=manager,
            name=name,
            channels=channels,
            account=ledger.open_account(kind=Account.Kind.PROFILE, name=_purse_name(name), currency=manager.currency),
            sip_user=sip_user,
            password_sealed=sealing.seal(password),
            ha1=ha1(sip_user, sip_domain, password),
            barred_types=list(barring.AT_FIRST),
            created_at=now,
        )
        ChannelUse.objects.create(profile=profile)
        doing.audit(
            "profile.create",
            f"profile {profile.id}",
            manager_id=manager_id,
            after={"name": name, "channels": channels, "sip_user": sip_user},
        )
        doing.changed(Change.What.PROFILE, profile.id, sip_user=sip_user)
        shelf = terms.Shelf(profile, till.credit, [])
        if channels:
            subscriptions.set_granted_channels(doing, till, shelf, channels)
        carry_out(doing, till, shelf, order)
    return ProfileCreated(profile.id, sip_user, password)


def rename_profile(*, now: datetime, by: By, profile_id: int, name: str) -> None:
    """Its purse is called after it: that is locked first."""
    name = check_name(name, "name", longest=80)
    with work(now=now, by=by) as doing:
        purses = doing.locks.many(Account, Profile.objects.filter(pk=profile_id).values_list("account_id", flat=True))
        profile = lock_profile(doing, profile_id)
        if profile.name != name:
            _check_name_free(profile.manager_id, name)
        change(doing, profile, "rename", name=name)
        purses[profile.account_id].name = _purse_name(name)
        purses[profile.account_id].save(update_fields=["name"])


def grant_channels(*, now: datetime, by: By, profile_id: int, channels: int) -> None:
    """By the operator, free of charge (`subscriptions.set_granted_channels`). Calls in progress go on; new ones wait for a channel."""
    check_channels(channels)
    with work(now=now, by=by) as doing:
        till, shelf = terms.lock_shelf(doing, profile_id)
        subscriptions.set_granted_channels(doing, till, shelf, channels)


def suspend_profile(*, now: datetime, by: By, profile_id: int, reason: str, evidence: str = "") -> None:
    """No outgoing calls; incoming calls go on (SPEC R12). `reason` is told to the company, `evidence` is not."""
    reason = check_name(reason, "reason", longest=200)
    with work(now=now, by=by) as doing:
        _set_state(doing, profile_id, Profile.State.SUSPENDED, reason)
        keep_evidence(doing, f"profile {profile_id}", evidence)


def resume_profile(*, now: datetime, by: By, profile_id: int) -> None:
    with work(now=now, by=by) as doing:
        _set_state(doing, profile_id, Profile.State.ACTIVE)


def set_caller_id(*, now: datetime, by: By, profile_id: int, caller_id: str) -> None:
    """A number on the profile, a proven landline of a verified company, or empty: calls are anonymous, but for those to countries with a
    number of their own (`usecases.caller_id`)."""
    digits = caller_id.lstrip("+")
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        if digits:
            check_may_show(profile, digits)
        change(doing, profile, "caller_id", caller_id=digits)


def set_media(*, now: datetime, by: By, profile_id: int, media: str | None = None, srtp: str | None = None) -> None:
    """Through our media relay or direct; SRTP by itself, always or never. None: as it is."""
    _check_choice("media", media, Profile.Media.values)
    _check_choice("srtp", srtp, Profile.Srtp.values)
    with work(now=now, by=by) as doing:
        change(doing, lock_profile(doing, profile_id), "media", **_given(media=media, srtp=srtp))


def set_number_format(*, now: datetime, by: By, profile_id: int, number_format: str) -> None:
    """How called numbers are written in INVITEs to the PBX."""
    _check_choice("number_format", number_format, Profile.NumberFormat.values)
    with work(now=now, by=by) as doing:
        change(doing, lock_profile(doing, profile_id), "number_format", number_format=number_format)


def set_limits(
    *,
    now: datetime,
    by: By,
    profile_id: int,
    calls_per_second: int | None = None,
    max_duration_seconds: int | None = None,
    barred_types: tuple[str, ...] | None = None,
    barred_destinations: tuple[str, ...] | None = None,
    calls_abroad: bool | None = None,
) -> None:
    """By the operator. None: as it is. What a company sets for itself: `usecases.barring`."""
    _check_range("calls_per_second", calls_per_second, MOST_CALLS_PER_SECOND)
    _check_range("max_duration_seconds", max_duration_seconds, LONGEST_CALL_SECONDS)
    barred = None if barred_types is None else barring.check_types(barred_types)
    places = None if barred_destinations is None else barring.check_destinations(barred_destinations)
    about = {"barred_types": barred, "barred_destinations": places, "calls_abroad": calls_abroad}
    new = _given(calls_per_second=calls_per_second, max_duration_seconds=max_duration_seconds, **about)
    with work(now=now, by=by) as doing:
        change(doing, lock_profile(doing, profile_id), "limits", **new)


def set_max_rate(*, now: datetime, by: By, profile_id: int, max_rate_per_minute_micros: int | None) -> None:
    """Dearer calls are barred. None: no limit."""
    if max_rate_per_minute_micros is not None:
        check_rate(max_rate_per_minute_micros, "max_rate_per_minute")
    with work(now=now, by=by) as doing:
        change(doing, lock_profile(doing, profile_id), "max_rate", max_rate_per_minute_micros=max_rate_per_minute_micros)


def check_channels(channels: int) -> None:
    if not 0 <= channels <= MOST_CHANNELS:
        raise Invalid("channels", f"A SIP Profile has 0 to {MOST_CHANNELS} calling channels: make a second profile for more.")


def _set_state(doing: Work, profile_id: int, state: Profile.State, reason: str = "") -> None:
    profile = lock_profile(doing, profile_id)
    if profile.state == state:
        raise Conflict(f"{profile.name} is {state} already.")
    change(doing, profile, "state", reason=reason, state=state)


def _purse_name(name: str) -> str:
    return f"Credit of {name}"


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _check_name_free(manager_id: int, name: str) -> None:
    if Profile.objects.filter(manager_id=manager_id, name=name).exclude(state=Profile.State.DELETED).exists():
        raise Conflict(f"There is a SIP Profile {name} already: choose another name.")


def _unused_sip_user(draw: Draw) -> str:
    for _ in range(10):
        sip_user = new_sip_user(draw)
        if not Profile.objects.filter(sip_user=sip_user).exists():
            return sip_user
    raise Conflict("No unused SIP user was found in ten draws: try again.")


def _check_choice(field: str, value: str | None, choices: list[str]) -> None:
    if value is not None and value not in choices:
        raise Invalid(field, f"{value[:40]!r} is not possible: choose one of {', '.join(choices)}.")


def _check_range(field: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise Invalid(field, f"{field.replace('_', ' ')} must be from 1 to {most}.")
