"""How a PBX proves who it is: password and IP authentication (SPEC R2.3, R2.4)."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from trunkline.domain.credentials import Draw, ha1, new_password
from trunkline.domain.errors import Conflict, Invalid
from trunkline.store import sealing
from trunkline.store.models import Carrier, Change, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases.profile_changes import change, lock_profile

LONGEST_OVERLAP = timedelta(hours=24)
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Password:
    sip_user: str
    password: str
    old_valid_until: datetime | None = None


def rotate_password(
    *,
    now: datetime,
    by: By,
    profile_id: int,
    sip_domain: str,
    keep_old_for: timedelta = timedelta(0),
    draw: Draw = secrets.randbelow,
) -> Password:
    """A new password, needed at the next registration; the old one stops at once, or works alongside for up to 24 hours."""
    if not timedelta(0) <= keep_old_for <= LONGEST_OVERLAP:
        raise Invalid("keep_old_for", "The old password can stay valid for up to 24 hours.")
    password = new_password(draw)
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        kept = keep_old_for > timedelta(0)
        profile.old_ha1, profile.old_valid_until = (profile.ha1, now + keep_old_for) if kept else ("", None)
        profile.old_last_used_at = None
        profile.ha1 = ha1(profile.sip_user, sip_domain, password)
        profile.password_sealed = sealing.seal(password)
        profile.save(update_fields=["old_ha1", "old_valid_until", "old_last_used_at", "ha1", "password_sealed"])
        after = {"old_valid_until": profile.old_valid_until.isoformat() if profile.old_valid_until else None}
        doing.audit("profile.rotate_password", f"profile {profile_id}", manager_id=profile.manager_id, after=after)
        doing.changed(Change.What.PROFILE, profile_id, sip_user=profile.sip_user)
    return Password(profile.sip_user, password, profile.old_valid_until)


def reveal_password(*, now: datetime, by: By, profile_id: int) -> Password:
    """The password as it is; that somebody looked is logged. Whoever calls this has confirmed who they are."""
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        doing.audit("profile.reveal_password", f"profile {profile_id}", manager_id=profile.manager_id)
    return Password(profile.sip_user, sealing.unseal(profile.password_sealed), profile.old_valid_until)


def set_ip_authentication(*, now: datetime, by: By, profile_id: int, address: str, port: int, allow_private: bool = False) -> None:
    """Requests from this address and port are this profile's, and calls to it are sent there."""
    address = check_source(address, allow_private=allow_private)
    if not 1 <= port <= 65535:
        raise Invalid("port", "The port must be from 1 to 65535; PBXs mostly use 5060.")
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        _check_source_free(profile, address, port)
        _announce_source(doing, profile)
        change(doing, profile, "ip_authentication", ip_auth_address=address, ip_auth_port=port)
        _announce_source(doing, profile)


def remove_ip_authentication(*, now: datetime, by: By, profile_id: int) -> None:
    """The PBX registers with its password from now on."""
    with work(now=now, by=by) as doing:
        profile = lock_profile(doing, profile_id)
        _announce_source(doing, profile)
        change(doing, profile, "ip_authentication", ip_auth_address=None, ip_auth_port=None)


def check_source(text: str, *, allow_private: bool) -> str:
    """A public unicast address in its shortest spelling; IPv4 in IPv6 clothes becomes IPv4."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        raise Invalid("address", f"{text[:60]!r} is not an IP address: give the public IPv4 or IPv6 address, not a name.") from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_unspecified or address.is_multicast:
        raise Invalid("address", f"{address} can't be the address of one machine.")
    if not allow_private and not address.is_global:
        raise Invalid(
            "address", f"{address} is not reachable over the Internet: give the public address, such as that of the router in front."
        )
    return str(address)


def adopt_sip_domain(*, now: datetime, by: By, sip_domain: str) -> int:
    """After the operator changed the SIP domain: the digest of every password anew. Returns how many. Old passwords end at once."""
    first = Profile.objects.exclude(state=Profile.State.DELETED).order_by("id").first()
    if first is None or _digest(first, sip_domain) == first.ha1:
        return 0
    with work(now=now, by=by) as doing:
        profiles = doing.locks.every(Profile).iterator(chunk_size=BATCH)
        adopted = 0
        while batch := list(islice(profiles, BATCH)):
            for profile in batch:
                profile.ha1, profile.old_ha1, profile.old_valid_until = _digest(profile, sip_domain), "", None
            adopted += Profile.objects.bulk_update(batch, ["ha1", "old_ha1", "old_valid_until"], batch_size=100)
        doing.audit("instance.sip_domain", sip_domain, after={"profiles": adopted})
        doing.changed(Change.What.PROFILE)
    return adopted


def _digest(profile: Profile, sip_domain: str) -> str:
    return ha1(profile.sip_user, sip_domain, sealing.unseal(profile.password_sealed))


def _check_source_free(profile: Profile, address: str, port: int) -> None:
    if Profile.objects.filter(ip_auth_address=address, ip_auth_port=port).exclude(pk=profile.pk).exists():
        raise Conflict(f"{address} port {port} belongs to another SIP Profile: give the PBX another port.")
    if Carrier.objects.filter(host=address, port=port).exists():
        raise Conflict(f"{address} port {port} is a carrier's.")


def _announce_source(doing: Work, profile: Profile) -> None:
    if profile.ip_auth_address:
        doing.changed(Change.What.SOURCE, f"{profile.ip_auth_address}:{profile.ip_auth_port}")
