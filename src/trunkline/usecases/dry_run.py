"""Can I call this? The decision about a call that nobody makes (SPEC R13): the same function, nothing held, nothing written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain import numbers
from trunkline.domain.admission import Attempt, Decision, decide
from trunkline.domain.directory import ProfileFacts, Usage
from trunkline.domain.errors import Invalid, NotFound
from trunkline.domain.purses import Purse
from trunkline.runtime.settings import load_settings
from trunkline.store.directory import Registered
from trunkline.store.ledger import microseconds
from trunkline.store.models import Account, ChannelUse, Profile, Registration
from trunkline.store.narrow_directory import NarrowDirectory

LONGEST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class DryRun:
    """`at_us`: by the clock of calls. `bundle_seconds`: what minute bundles have for it. `lasts_seconds`: how long it could go on with what the
    purses have now, at most the longest duration of a call; 0: it is refused."""

    decision: Decision
    at_us: int
    bundle_seconds: int = 0
    lasts_seconds: int = 0

    @property
    def can_call(self) -> bool:
        return self.decision.refusal is None


def dry_run(
    *, engines_now: datetime, profile_id: int, dialled: str, caller: str = "", anonymous: bool = False, srtp: bool = True
) -> DryRun:
    """What would happen if the PBX of this profile dialled this now. `srtp`: it offers encrypted media, unless the profile forbids that."""
    dialled, caller = dialled.strip(), caller.strip()
    for field, text in (("number", dialled), ("caller", caller)):
        if len(text) > LONGEST_NUMBER or not text.isprintable():
            raise Invalid(field, f"A number has at most {LONGEST_NUMBER} characters: write it as your PBX dials it.")
    if not dialled:
        raise Invalid("number", "Give the number as your PBX dials it.")
    country = Profile.objects.filter(pk=profile_id).values_list("manager__country", flat=True).first()
    if country is None:
        raise NotFound(f"There is no SIP Profile {profile_id}.")
    at_us, number = microseconds(engines_now), numbers.to_e164(dialled, country) or ""
    directory = NarrowDirectory(number, sip_domain=load_settings().sip_domain, echo_uri="sip:echo.invalid", now_us=at_us)
    caller_profile = directory.profile(profile_id)
    offered = srtp and (caller_profile is None or caller_profile.srtp != "forbid")
    attempt = Attempt("profile", profile_id, dialled, at_us, caller=caller, anonymous=anonymous, srtp_offered=offered)
    usage = _usage(caller_profile, _callee(directory, number))
    decision = decide(attempt, directory, usage)
    return DryRun(decision, at_us, *_lasting(decision, usage))


def _lasting(decision: Decision, usage: Usage) -> tuple[int, int]:
    """Seconds from bundles, and all in all."""
    if decision.refusal is not None:
        return 0, 0
    from_bundles = sum(usage.available(bundle.account_id) for bundle in decision.bundles)
    rate = decision.rate.after_minutes() if decision.rate and decision.bundles else decision.rate
    paid = rate.seconds_for(usage.available(decision.purse_id)) if rate else None
    lasting = decision.max_seconds if paid is None else min(from_bundles + paid, decision.max_seconds)
    return from_bundles, lasting


def _callee(directory: NarrowDirectory, number: str) -> ProfileFacts | None:
    """Of a number of the platform: who has it, and where its PBX is."""
    profile_id = directory.profile_of_number(number)
    if profile_id is None:
        return None
    for each in Registration.objects.filter(profile_id=profile_id):
        directory.registrations[profile_id] = Registered.of(each)
    return directory.profile(profile_id)


def _usage(caller: ProfileFacts | None, callee: ProfileFacts | None) -> Usage:
    """A profile that is deleted has none: the decision says so."""
    sides = [each.profile_id for each in (caller, callee) if each is not None]
    purses = [caller.purse_id, caller.manager_purse_id, *(bundle.account_id for bundle in caller.bundles)] if caller else []
    found = {each.pk: Purse(each.pk, each.balance, each.held) for each in Account.objects.filter(pk__in=purses)}
    return Usage(found, dict(ChannelUse.objects.filter(profile_id__in=sides).values_list("profile_id", "in_use")))
