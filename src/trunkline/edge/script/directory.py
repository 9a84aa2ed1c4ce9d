"""Identities that call control has told, cached in the shared table `directory` (docs/reference/edge-protocol.md)."""

from __future__ import annotations

from typing import Any, NamedTuple

import KSR

from .place import now_us

TABLE = "directory"
KNOWN_SECONDS = 3600
UNKNOWN_SECONDS = 30
NOBODY = "-"
CARRIERS = "carriers"
"""Addresses that calls come from or go to as a carrier's. The operator chose them: they may say where their messages are to go."""

get = KSR.htable.sht_get
setxs = KSR.htable.sht_setxs


class Credentials(NamedTuple):
    """`old_ha1` is empty, or counts until `old_until_us`."""

    profile: int
    ha1: str
    old_ha1: str
    old_until_us: int


class Source(NamedTuple):
    """kind: `profile`, `carrier` or `none`."""

    kind: str
    ident: int


STRANGER = Source("none", 0)


def credentials(user: str) -> Credentials | str | None:
    """Of a SIP user; `NOBODY` if there is no such user, None if call control was not asked yet."""
    entry: str | None = get(TABLE, "user:" + user)
    if entry is None or entry == NOBODY:
        return entry
    profile, ha1, old_ha1, old_until_us = entry.split(",")
    return Credentials(int(profile), ha1, old_ha1, int(old_until_us))


def learn_user(user: str, answer: dict[str, Any]) -> None:
    """Keep the answer to a `who` question."""
    if not answer["ok"]:
        setxs(TABLE, "user:" + user, NOBODY, UNKNOWN_SECONDS)
        return
    ha1s, until_us = answer["ha1"], answer.get("old_until") or 0
    old = ha1s[1] if len(ha1s) > 1 else ""
    if old and 0 < until_us <= now_us():
        old = ""
    setxs(TABLE, "user:" + user, f"{answer['profile']},{ha1s[0]},{old},{until_us}", KNOWN_SECONDS)


def source(ip: str, port: int) -> Source | None:
    """Who sends from this address; None if call control was not asked yet. A carrier is known by its address alone."""
    entry: str | None = get(TABLE, f"src:{ip}:{port}") or get(TABLE, "src:" + ip)
    if entry is None:
        return None
    if entry == NOBODY:
        return STRANGER
    kind, _, ident = entry.partition(",")
    return Source(kind, int(ident))


def learn_source(ip: str, port: int, answer: dict[str, Any]) -> None:
    """Keep the answer to a `src` question."""
    kind = answer["kind"]
    if kind == "carrier":
        note_carrier(ip)
        setxs(TABLE, "src:" + ip, f"carrier,{answer['id']}", KNOWN_SECONDS)
    elif kind == "profile":
        setxs(TABLE, f"src:{ip}:{port}", f"profile,{answer['id']}", KNOWN_SECONDS)
    else:
        setxs(TABLE, f"src:{ip}:{port}", NOBODY, UNKNOWN_SECONDS)


def is_carrier(ip: str) -> bool:
    return get(CARRIERS, ip) is not None


def note_carrier(ip: str) -> None:
    if not is_carrier(ip):
        KSR.htable.sht_sets(CARRIERS, ip, "1")
