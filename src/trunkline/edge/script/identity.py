"""Who sends: digest with one or two valid passwords, and what becomes of those who guess."""

from __future__ import annotations

from typing import NamedTuple

import KSR

from . import breaker, directory
from .answers import call_control_away, reply, source_address
from .journal import report_authentication
from .place import DOMAIN, now_us
from .question import ask
from .text import is_plain, pv, quoted, text

PASSWORD_IS_HA1 = 1
KEEP_NONCE_COUNT = 32  # a wrong first password must not use up the nonce for the second
CHALLENGE_QOP_AUTH = 1
CHALLENGE_STALE = 16
WRONG_PASSWORD, NO_CREDENTIALS = -2, -5
STALE_NONCE, REUSED_NONCE, UNKNOWN_NONCE = -4, -6, -1

LONGEST_USER = 64
FAILURES_BEFORE_BAN = 5
FLOOD_LET_THROUGH_EVERY = 16
SCANNERS = ("friendly-scanner", "sipvicious", "sipcli", "sip-scan", "sundayddr", "pplsip", "iwar", "vaxsipuseragent", "siparmyknife")


class Proof(NamedTuple):
    """A digest that fits. `by_old`: the old password was used."""

    profile: int
    by_old: bool


def proven(*, is_resumed: bool, is_held: bool) -> Proof | None:
    """The profile whose credentials the request carries. None: a challenge, a refusal or a question to call control is on its way.
    `is_held`: the transaction is made."""
    user = text("$au")
    if not user or len(user) > LONGEST_USER or not is_plain(user):
        challenge_stranger()
        return None
    suspect = f"{user}@{pv('$si')}"
    if KSR.htable.sht_get("bans", suspect) is not None:
        reply(403, "Forbidden")
        return None
    entry = directory.credentials(user)
    if entry is None:
        _ask_who(user, is_resumed=is_resumed, is_held=is_held)
        return None
    if isinstance(entry, str):
        _failed(suspect, user, "unknown user")
        return None
    by_old, result = _check(entry)
    if result > 0:
        _remember_good_source()
        return Proof(entry.profile, by_old)
    if result in (STALE_NONCE, REUSED_NONCE):
        challenge(CHALLENGE_STALE)
    elif result == UNKNOWN_NONCE:  # no password was tried. A Kamailio that died this second may have given it, to a busy PBX
        challenge_stranger(CHALLENGE_STALE)
    elif result == NO_CREDENTIALS:  # for another realm
        challenge_stranger()
    else:
        _failed(suspect, user, "wrong password" if result == WRONG_PASSWORD else f"credentials not usable ({result})")
    return None


def _check(entry: directory.Credentials) -> tuple[bool, int]:
    check = KSR.auth.pv_auth_check
    result = check(DOMAIN, entry.ha1, PASSWORD_IS_HA1 | KEEP_NONCE_COUNT, 0)
    if result == WRONG_PASSWORD and entry.old_ha1 and now_us() < entry.old_until_us:
        return True, check(DOMAIN, entry.old_ha1, PASSWORD_IS_HA1 | KEEP_NONCE_COUNT, 0)
    return False, result


def _ask_who(user: str, *, is_resumed: bool, is_held: bool) -> None:
    """At most once for a request: an answer that does not stay in the table must not become a loop. And guessing users is no way to keep call
    control busy."""
    if not may_hear():
        if is_held:  # 100 is sent already: a PBX that starts with a burst must not wait for what never comes
            call_control_away()
    elif is_resumed or not breaker.lets_through():
        call_control_away()
    elif is_held or KSR.tm.t_newtran() > 0:
        ask(f'"q":"who","user":{quoted(user)}')


def challenge(flags: int = 0) -> None:
    if KSR.is_REGISTER():
        KSR.auth.www_challenge(DOMAIN, CHALLENGE_QOP_AUTH | flags)
    else:
        KSR.auth.proxy_challenge(DOMAIN, CHALLENGE_QOP_AUTH | flags)


def challenge_stranger(flags: int = 0) -> None:
    """Without credentials anybody may be sending: scanners and floods get silence."""
    if may_hear():
        challenge(flags)


def may_hear() -> bool:
    """Whether the sender is told what is wrong: an address that has shown a password always is, others while they behave."""
    return KSR.htable.sht_get("known", pv("$si")) is not None or not _is_nuisance()


def _is_nuisance() -> bool:
    """A flood still gets one challenge in sixteen: it may be a busy PBX that could not show its password yet, as after a restart."""
    agent = text("$ua").lower()
    if any(name in agent for name in SCANNERS):
        return True
    return KSR.pike.pike_check_req() < 0 and now_us() % FLOOD_LET_THROUGH_EVERY != 0


def _remember_good_source() -> None:
    """A busy PBX must never look like a flood."""
    address = pv("$si")
    if KSR.htable.sht_get("known", address) is None:
        KSR.htable.sht_sets("known", address, "1")


def _failed(suspect: str, user: str, why: str) -> None:
    is_banned = KSR.htable.sht_inc("failures", suspect) >= FAILURES_BEFORE_BAN
    report_authentication(source_address(), user, why, is_banned=is_banned)
    if is_banned:
        KSR.htable.sht_sets("bans", suspect, "1")
        reply(403, "Forbidden")
    else:
        challenge_stranger()
