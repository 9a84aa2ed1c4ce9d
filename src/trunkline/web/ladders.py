"""A call's SIP ladder as a list of rungs: one line of SVG for each message, that opens to its headers. No script.

Who looks decides what of a leg is seen (SPEC R10.4): all of it, only that something was said, or nothing.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from django.conf import settings
from django.http import HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from trunkline.domain.sip_order import Captured
from trunkline.store.ladders import Ladder, Wanted, read_ladder
from trunkline.store.models import CallRecord

LEFT, MIDDLE, RIGHT = 12, 50, 88
"""Where the three lines of life are, in percent."""
HEIGHT, ARROW_Y, TEXT_Y = 36, 25, 17
US_NAME = "Trunkline"
BAD_STATUS, CHALLENGES = 400, (401, 407)


class View(Enum):
    """What is seen of a leg."""

    WHOLE = auto()
    OUTLINE = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Sight:
    """Of somebody who looks at a ladder: what is seen of each leg, and the names above them. `with_addresses`: also where the other ends are."""

    caller: View
    callee: View
    caller_name: str
    callee_name: str
    with_addresses: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """`text`: method, or status and phrase. `lines`: the message, as far as it may be seen."""

    at_us: int
    after_us: int
    sender: str
    receiver: str
    text: str
    drawing: SafeString
    peer: str
    lines: str
    is_again: bool
    is_bad: bool

    @property
    def after(self) -> str:
        """Since the first message, in seconds."""
        return f"{self.after_us // 1_000_000}.{self.after_us // 1000 % 1000:03}"


@dataclass(frozen=True, slots=True)
class Shown:
    """`trouble`: it can't be read. `is_paused`: in this time not all was captured. `has_bodies`: some were kept."""

    sight: Sight
    rungs: Sequence[Rung]
    is_paused: bool = False
    trouble: bool = False
    days: int = 0


def ladder_of(wanted: Wanted, sight: Sight) -> Shown:
    """From this instance's capture."""
    days = settings.INSTANCE.capture_days if settings.INSTANCE.capture_calls_per_second else 0
    try:
        found = read_ladder(settings.INSTANCE.capture_path, wanted)
    except sqlite3.Error:
        return Shown(sight, (), trouble=True, days=days)
    if found is None:
        return Shown(sight, (), days=days)
    return Shown(sight, list(_rungs(found, sight)), found.is_paused, days=days)


def _rungs(ladder: Ladder, sight: Sight) -> Iterator[Rung]:
    """Both legs in one order. What is repeated says so: an answer was lost, or is late."""
    legs = [(one, True) for one in ladder.caller if sight.caller is not View.NOTHING]
    legs += [(one, False) for one in ladder.callee if sight.callee is not View.NOTHING]
    ordered = sorted(legs, key=lambda leg: leg[0].at_us)
    seen: Counter[tuple[object, ...]] = Counter()
    for one, is_caller in ordered:
        same = (is_caller, one.is_ours, one.peer, one.first_line, one.cseq, one.branch)
        yield _rung(one, sight, is_caller=is_caller, after_us=one.at_us - ordered[0][0].at_us, is_again=same in seen)
        seen[same] += 1


def _rung(one: Captured, sight: Sight, *, is_caller: bool, after_us: int, is_again: bool) -> Rung:
    other = sight.caller_name if is_caller else sight.callee_name
    sender, receiver = (US_NAME, other) if one.is_ours else (other, US_NAME)
    is_whole = (sight.caller if is_caller else sight.callee) is View.WHOLE
    text = _text(one, with_phrase=is_whole)
    is_bad = one.status >= BAD_STATUS and one.status not in CHALLENGES
    drawing = _drawing(
        text, is_left=is_caller, to_right=one.is_ours != is_caller, kind="bad" if is_bad else "again" if is_again else "plain"
    )
    peer = one.peer if sight.with_addresses else ""
    lines = "\n".join(filter(None, (one.first_line, one.head, one.body and f"\n{one.body}"))) if is_whole else ""
    return Rung(one.at_us, after_us, sender, receiver, text, drawing, peer, lines, is_again, is_bad)


def _text(one: Captured, *, with_phrase: bool) -> str:
    """A phrase may name whoever wrote it."""
    if one.status:
        return one.first_line.removeprefix("SIP/2.0 ").strip()[:60] if with_phrase else str(one.status)
    return one.first_line.partition(" ")[0][:20]


def _drawing(text: str, *, is_left: bool, to_right: bool, kind: str) -> SafeString:
    """The three lines of life, and an arrow between two of them."""
    word, _, phrase = text.partition(" ")
    lives = format_html_join("", '<line x1="{0}%" x2="{0}%" y1="0" y2="{1}"/>', ((x, HEIGHT) for x in (LEFT, MIDDLE, RIGHT)))
    start, end = (LEFT, MIDDLE) if is_left else (MIDDLE, RIGHT)
    tip, head = (end, f"M0 {ARROW_Y}l-8-4v8z") if to_right else (start, f"M0 {ARROW_Y}l8-4v8z")
    return format_html(
        '<svg class="rung rung-{}" width="100%" height="{}" aria-hidden="true" focusable="false"><g class="rung-lives">{}</g>'
        '<line class="rung-arrow" x1="{}%" x2="{}%" y1="{}" y2="{}"/><svg x="{}%" overflow="visible"><path d="{}"/></svg>'
        '<text x="{}%" y="{}">{}<tspan class="rung-phrase"> {}</tspan></text></svg>',
        kind, HEIGHT, lives, start, end, ARROW_Y, ARROW_Y, tip, head, (start + end) // 2, TEXT_Y, word, phrase,
    )  # fmt: skip


def text_answer(shown: Shown, record: CallRecord) -> HttpResponse:
    """To keep as a file."""
    began = datetime.fromtimestamp(record.started_us // 1_000_000, tz=UTC)
    text = as_text(shown, f"SIP messages of call {record.pk}, {began:%Y-%m-%d %H:%M:%S} UTC")
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="call-{record.pk}.txt"', "X-Content-Type-Options": "nosniff"},
    )


def as_text(shown: Shown, title: str) -> str:
    """The same for a ticket or a mail."""
    blocks = [title]
    for rung in shown.rungs:
        peer = f"  ({rung.peer})" if rung.peer else ""
        again = "  (again)" if rung.is_again else ""
        head = f"{rung.after:>10}  {rung.sender} -> {rung.receiver}{peer}  {rung.text}{again}"
        blocks.append("\n".join([head, *(f"    {line}".rstrip() for line in rung.lines.splitlines())]))
    if shown.is_paused:
        blocks.append("More calls began than are captured: messages may be missing.")
    return "\n\n".join(blocks) + "\n"
