"""SIP messages of one leg in the order in which they must have been on the wire.

What we send is noted after it was sent, and what comes in before anybody looks at it: so an answer may be noted a moment before what it answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

TOLERANCE_US = 100_000
"""So late at most is noted what was sent; a worker may have to wait for a processor."""
LOOK_BACK = 8
_CSEQ = re.compile(r"^cseq[ \t]*:[ \t]*([0-9]{1,10})[ \t]+([A-Z]+)", re.IGNORECASE | re.MULTILINE)
_BRANCH = re.compile(r"^(?:via|v)[ \t]*:[^\n,]*?;[ \t]*branch[ \t]*=[ \t]*([^;,\s]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Captured:
    """A message on the wire. `is_ours`: we sent it. `peer`: the other end, `udp:192.0.2.1:5060`. `head`: its headers, one a line."""

    at_us: int
    is_ours: bool
    peer: str
    first_line: str
    head: str
    body: str = ""

    @property
    def status(self) -> int:
        """0: it is a request."""
        told = self.first_line.removeprefix("SIP/2.0 ")
        return int(told[:3]) if told is not self.first_line and told[:3].isdecimal() else 0

    @property
    def cseq(self) -> tuple[str, str]:
        found = _CSEQ.search(self.head)
        return (found[1], found[2].upper()) if found else ("", "")

    @property
    def branch(self) -> str:
        """Of its topmost Via: names the transaction."""
        found = _BRANCH.search(self.head)
        return found[1] if found else ""


def in_order(messages: Iterable[Captured]) -> list[Captured]:
    """By time, but nothing before what it answers: that gets the moment of its answer."""
    ordered: list[Captured] = []
    for one in sorted(messages, key=lambda message: message.at_us):
        place = len(ordered)
        if one.is_ours:
            for back in range(len(ordered) - 1, max(-1, len(ordered) - 1 - LOOK_BACK), -1):
                if one.at_us - ordered[back].at_us > TOLERANCE_US:
                    break
                if _answers(ordered[back], one):
                    place = back
        moment = one if place == len(ordered) else replace(one, at_us=ordered[place].at_us)
        ordered.insert(place, moment)
    return ordered


def _answers(later: Captured, first: Captured) -> bool:
    """Or follows: what we answer last comes after what we answered before."""
    if later.peer != first.peer:
        return False
    if later.status:
        is_same = later.branch == first.branch != "" and later.cseq == first.cseq
        return is_same and (_is_before(first.status, later.status) if later.is_ours else not first.status)
    number, method = later.cseq
    return not later.is_ours and method == "ACK" and first.status >= 200 and first.cseq == (number, "INVITE")


def _is_before(status: int, later: int) -> bool:
    return 0 < status < 200 <= later or status == 100 < later
