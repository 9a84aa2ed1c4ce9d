"""What makes a request inside a dialog attributable and harmless, also after a crash: nothing is kept here, all travels in the messages.

`tl` in our Record-Route is the call's mark: its reference, how its media goes, and a keyed hash.

`tlc` in each Contact that we pass on is its seal: a keyed hash over that Contact, the call's mark and the Call-ID. A request of the other side has
both, the mark in Route and the seal in its Request-URI. So it goes to a Contact that was really announced in this call, and nowhere else,
whatever the sender writes there: Kamailio is no open relay, and a BYE is attributed when the dialog is lost.
"""

from __future__ import annotations

from hashlib import blake2s
from hmac import compare_digest
from typing import NamedTuple

from .place import SEAL_KEY

MARK, SEAL = ";tl=", ";tlc="
HASH_DIGITS = 8


class Mark(NamedTuple):
    """`ref`: call reference. `traits`: `r` and two letters for media through RTPengine (what the caller's and the callee's side speak: `p` RTP,
    `s` SRTP, `a` as offered); `x` at the end if the INVITE was sent once more with credentials."""

    ref: str
    traits: str

    @property
    def has_media(self) -> bool:
        return "r" in self.traits

    @property
    def is_shifted(self) -> bool:
        """The callee's CSeq is one above the caller's."""
        return self.traits.endswith("x")


def _hash(purpose: bytes, what: str) -> str:
    return blake2s(what.encode(), key=SEAL_KEY, digest_size=HASH_DIGITS // 2, person=purpose).hexdigest()


def _is_same(told: str, ours: str) -> bool:
    """In the same time, whatever the sender wrote."""
    return compare_digest(told.encode(), ours.encode())


def mark_parameter(mark: Mark, call_id: str) -> str:
    told = mark.ref + mark.traits
    return f"{MARK}{told}.{_hash(b'mark', f'{told}|{call_id}')}"


def read_mark(route_uri: str) -> Mark | None:
    """From our own Route, as told: whoever relies on it checks a seal, too, or `is_genuine`."""
    told = route_uri.partition(MARK)[2].partition(".")[0]
    ref = told.rstrip("abcdefghijklmnopqrstuvwxyz")
    return Mark(ref, told[len(ref) :]) if ref.isdecimal() and ref.isascii() else None


def is_genuine(mark: Mark, route_uri: str, call_id: str) -> bool:
    return mark_parameter(mark, call_id) in route_uri


def seal(uri: str, mark: Mark, call_id: str) -> str:
    """A Contact URI as the other side gets it. Headers in a URI are for web pages."""
    uri = uri.partition("?")[0]
    return f"{uri}{SEAL}{_hash(b'contact', f'{uri}|{mark.ref}{mark.traits}|{call_id}')}"


def unseal(uri: str, mark: Mark, call_id: str) -> str | None:
    """The Contact that we passed on; None: it was never announced in this call."""
    bare, _, told = uri.rpartition(SEAL)
    if not bare or not _is_same(told[:HASH_DIGITS], _hash(b"contact", f"{bare}|{mark.ref}{mark.traits}|{call_id}")):
        return None
    return bare
