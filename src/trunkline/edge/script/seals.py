"""What makes a request inside a dialog attributable and harmless, also after a crash: nothing is kept here, all travels in the messages.

`tl` in our Record-Route: the call's reference, how its media goes, and a keyed hash over both and the Call-ID. Without it a request inside a dialog
is not relayed: Kamailio is no open relay, and a BYE is attributed when the dialog is lost.

`tlc` in each Contact that we pass on: a keyed hash over that Contact and the Call-ID. The other side's requests go to a Contact that was really
announced in this call, and nowhere else, whatever the sender writes there.
"""

from __future__ import annotations

import re
from hashlib import blake2s
from hmac import compare_digest
from typing import NamedTuple

from .place import SEAL_KEY

MARK_SEARCH = re.compile(r";tl=(\d{1,20})([a-z]*)\.([0-9a-f]{8})(?=[;>]|$)").search
SEAL = ";tlc="


class Mark(NamedTuple):
    """`ref`: call reference. `media`: empty (direct), or `r` and what the caller's and the callee's side speak: `p` RTP, `s` SRTP, `a` as offered."""

    ref: str
    media: str


def _hash(purpose: bytes, what: str, call_id: str) -> str:
    return blake2s(f"{what}|{call_id}".encode(), key=SEAL_KEY, digest_size=4, person=purpose).hexdigest()


def mark_parameter(mark: Mark, call_id: str) -> str:
    told = mark.ref + mark.media
    return f";tl={told}.{_hash(b'mark', told, call_id)}"


def read_mark(route_uri: str, call_id: str) -> Mark | None:
    """From the topmost Route, which must be ours."""
    found = MARK_SEARCH(route_uri)
    if found is None:
        return None
    ref, media, told_hash = found.groups()
    return Mark(ref, media) if compare_digest(told_hash, _hash(b"mark", ref + media, call_id)) else None


def seal(uri: str, call_id: str) -> str:
    """A Contact URI as the other side gets it. Headers in a URI are for web pages."""
    uri = uri.partition("?")[0]
    return f"{uri}{SEAL}{_hash(b'contact', uri, call_id)}"


def unseal(uri: str, call_id: str) -> str | None:
    """The Contact that we passed on; None: it was never announced in this call."""
    bare, _, told_hash = uri.rpartition(SEAL)
    return bare if bare and compare_digest(told_hash[:8], _hash(b"contact", bare, call_id)) else None
