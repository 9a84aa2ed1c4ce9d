"""A company's own things, and nobody else's: 404 for what belongs to another company or is not there any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404

from trunkline.domain.directory import Binding
from trunkline.domain.media_encryption import Agreed, towards_pbx
from trunkline.domain.refusals import REFUSALS, Refusal
from trunkline.runtime.settings import Settings
from trunkline.store.directory import Registered
from trunkline.store.models import CallRecord, ChannelUse, Profile, Registration, Term
from trunkline.web.company import CompanyRequest

RECENT_CALLS = 200
MICROSECONDS = 1_000_000


def profiles_of(request: CompanyRequest) -> QuerySet[Profile]:
    """Those that are not deleted, with what a list shows of each, in one query."""
    mine = Profile.objects.filter(manager=request.company).exclude(state=Profile.State.DELETED)
    return mine.select_related("account", "channeluse", "registration").annotate(number_count=Count("numbers")).order_by("name")


def profile_of(request: CompanyRequest, profile_id: int) -> Profile:
    return get_object_or_404(profiles_of(request), pk=profile_id)


def profile_asked(request: CompanyRequest) -> Profile | None:
    """The profile that something is made for, if one comes from there: `?profile=7`."""
    wanted = request.POST.get("profile", request.GET.get("profile", ""))
    return profile_of(request, int(wanted[:18])) if wanted.isdecimal() else None


def instance() -> Settings:
    return settings.INSTANCE


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether and where the PBX of a profile is reached. `tone` is a badge's."""

    text: str
    tone: str
    registration: Registration | None = None

    @property
    def transport(self) -> str:
        return self.registration.source.partition(":")[0].upper() if self.registration else ""

    @property
    def address(self) -> str:
        return self.registration.source.partition(":")[2] if self.registration else ""

    @property
    def displaced(self) -> bool:
        """Another device was registered with the same credentials (SPEC R2.5)."""
        return bool(self.registration and self.registration.displaced_us)


def presence(profile: Profile, at: datetime) -> Presence:
    registration = getattr(profile, "registration", None)
    if profile.ip_auth_address:
        return Presence("By its address", "info")
    if registration is None:
        return Presence("Not registered", "neutral")
    if registration.expires_us <= at.timestamp() * MICROSECONDS:
        return Presence("Registration ran out", "bad")
    return Presence("Registered", "good", registration)


def agreed(profile: Profile, presence: Presence) -> Agreed | None:
    """TLS only, or TLS with SRTP, and why (SPEC R10.2). None: no PBX is connected, or its media does not pass through us."""
    if profile.media == Profile.Media.DIRECT:
        return None
    if presence.registration is not None:
        return towards_pbx(profile.srtp, Registered.of(presence.registration).binding())
    return towards_pbx(profile.srtp, Binding("")) if profile.ip_auth_address else None


def in_use(profile: Profile) -> int:
    use: ChannelUse | None = getattr(profile, "channeluse", None)
    return use.in_use if use else 0


@dataclass(frozen=True, slots=True)
class Refused:
    refusal: Refusal | None
    code: str
    dialled: str
    at_us: int


def last_refused(profile: Profile) -> Refused | None:
    """Among the newest calls only: nobody looks for a refusal of last year on a page that says how it is now."""
    newest = CallRecord.objects.filter(profile=profile).order_by("-call_ref").values_list("refusal", "dialled", "started_us")
    for name, dialled, started_us in newest[:RECENT_CALLS]:
        if name:
            refusal = REFUSALS.get(name)
            return Refused(refusal, refusal.code if refusal else name, dialled, started_us)
    return None


def open_terms(profile: Profile) -> list[Term]:
    return list(Term.objects.filter(profile=profile, ended_at=None).select_related("product", "minutes").order_by("starts_at"))


def standing(profile: Profile) -> tuple[str, str]:
    """A word and a tone for a profile as such."""
    if profile.state == Profile.State.SUSPENDED:
        return "Suspended", "bad"
    if profile.channels == 0:
        return "Inactive", "warn"
    return "Active", "good"
