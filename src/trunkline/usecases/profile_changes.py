"""How every use case changes a SIP Profile: locked, logged, announced."""

from __future__ import annotations

from typing import Any

from trunkline.domain.errors import NotFound
from trunkline.store.models import Change, Profile
from trunkline.store.work import Work


def lock_profile(doing: Work, profile_id: int) -> Profile:
    """A profile that is not deleted, locked."""
    profile = doing.locks.one(Profile, profile_id)
    if profile.state == Profile.State.DELETED:
        raise NotFound(f"SIP Profile {profile.name} was deleted.")
    return profile


def change(doing: Work, profile: Profile, action: str, *, reason: str = "", **new: Any) -> None:
    """Set fields, log what they were, and let call control know. Nothing happens when all are so already."""
    before = {name: getattr(profile, name) for name in new}
    if before == new:
        return
    for name, value in new.items():
        setattr(profile, name, value)
    profile.save(update_fields=list(new))
    after = new | ({"reason": reason} if reason else {})
    doing.audit(f"profile.{action}", f"profile {profile.id}", manager_id=profile.manager_id, before=before, after=after)
    announce(doing, profile)


def announce(doing: Work, profile: Profile) -> None:
    """Something that call control knows of the profile is different now."""
    doing.changed(Change.What.PROFILE, profile.pk, sip_user=profile.sip_user)
