"""What a SIP Profile shows to whom it calls: one number, others by called country, or none (SPEC R8.1; guide 7.6)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from trunkline.domain import numbers
from trunkline.domain.errors import Invalid
from trunkline.store.models import CallerIdRule, Landline, Manager, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases.profile_changes import announce, change, lock_profile


def numbers_to_show(profile: Profile) -> list[str]:
    """The numbers on the profile, in their order."""
    return list(profile.numbers.order_by("e164").values_list("e164", flat=True))


def landlines_to_show(manager: Manager) -> list[str]:
    """The proven landlines of a verified company, in their order."""
    if manager.verification != Manager.Verification.VERIFIED:
        return []
    proven = Landline.objects.filter(manager=manager).exclude(proof=Landline.Proof.WAITING)
    return list(proven.order_by("e164").values_list("e164", flat=True))


def check_may_show(profile: Profile, digits: str, field: str = "caller_id") -> None:
    """Raises `Invalid` unless it is a number on the profile or a proven landline of a verified company."""
    if digits not in numbers_to_show(profile) and digits not in landlines_to_show(profile.manager):
        raise Invalid(field, f"+{digits[:20]} is neither on {profile.name} nor a proven landline of your company: assign the number first.")


def set_country_caller_id(*, now: datetime, by: By, profile_id: int, country: str, caller_id: str) -> None:
    """Calls to `country` (ISO 3166-1 alpha-2) show `caller_id`. Empty: they show what the others do."""
    digits = caller_id.lstrip("+")
    if not numbers.is_country(country):
        raise Invalid("country", f"{country[:10]!r} is not a country: choose one of the list.")
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        before = CallerIdRule.objects.filter(profile=profile, country=country).values_list("e164", flat=True).first() or ""
        if before == digits:
            return
        if digits:
            check_may_show(profile, digits)
            CallerIdRule.objects.update_or_create(profile=profile, country=country, defaults={"e164": digits})
        else:
            CallerIdRule.objects.filter(profile=profile, country=country).delete()
        _log(doing, profile, {country: before}, {country: digits})


def disable_caller_id(*, now: datetime, by: By, profile_id: int) -> None:
    """Calls to everywhere are anonymous: the countries' numbers are forgotten, too."""
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        _forget_countries(doing, profile, CallerIdRule.objects.filter(profile=profile))
        change(doing, profile, "caller_id", caller_id="")


def stop_showing(doing: Work, profile: Profile, e164: str, *, reason: str) -> None:
    """The profile, locked, may not show this number any more."""
    _forget_countries(doing, profile, CallerIdRule.objects.filter(profile=profile, e164=e164))
    if profile.caller_id == e164:
        change(doing, profile, "caller_id", reason=reason, caller_id="")


def _forget_countries(doing: Work, profile: Profile, rules: QuerySet[CallerIdRule]) -> None:
    before = dict(rules.values_list("country", "e164"))
    if before:
        rules.delete()
        _log(doing, profile, before, dict.fromkeys(before, ""))


def _log(doing: Work, profile: Profile, before: dict[str, str], after: dict[str, str]) -> None:
    doing.audit("profile.caller_id_by_country", f"profile {profile.pk}", manager_id=profile.manager_id, before=before, after=after)
    announce(doing, profile)
