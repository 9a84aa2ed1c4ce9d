"""The decision trace of a call in plain words (SPEC R13 "Explain this call").

A trace is written for the operator: it names carriers, and what another company has. A company reads of itself only (R10.4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from trunkline.domain.money import for_people
from trunkline.domain.refusals import REFUSALS, Refusal
from trunkline.web.templatetags.components import phones

TITLES = {
    "identity": "Who calls",
    "subscription": "Channel subscription",
    "number": "Number",
    "rate": "Price",
    "barring": "Barring",
    "caller_id": "Caller ID",
    "route": "Way",
    "media": "Media",
    "channel": "Calling channel",
    "purse": "Who pays",
    "admitted": "Decision",
    "refused": "Decision",
    "tried": "Way tried",
    "answered": "Answered",
    "failed": "Not connected",
    "cut": "Ended by the service",
    "ended": "Ended",
    "reconciled": "Ended afterwards",
}
BAD = ("refused", "failed", "cut", "reconciled")
_MICROS = re.compile(r"(?P<first>[0-9]{1,18} of )?(?P<amount>[0-9]{1,18}) micro-(?P<currency>[A-Z]{3})")
_FEE = re.compile(r"fee (?P<amount>[0-9]{1,18})")
_FREE = re.compile(r"needed, (?P<amount>[0-9]{1,18}) free")
_INCREMENTS = re.compile(r"increments (?P<first>[0-9]+)/(?P<next>[0-9]+)")


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """Who reads: `other` is the name of a SIP Profile of another company on the other side; empty: there is none."""

    currency: str
    direction: str
    other: str = ""


def steps_of(trace: str, seen: Viewpoint) -> list[Step]:
    """In the order in which it was decided. A trace that is not ours has none."""
    facts = json.loads(trace)
    return in_words(facts.get("steps", []) if isinstance(facts, dict) else [], seen)


def in_words(steps: Iterable[tuple[str, str]], seen: Viewpoint) -> list[Step]:
    """A trace that was not written down, too: that of a dry run."""
    shown = ((step, _told(step, text, seen)) for step, text in steps)
    return [Step(TITLES.get(step, step.capitalize()), phones(_in_money(text, seen.currency)), step in BAD) for step, text in shown if text]


def refusal_of(name: str) -> Refusal | None:
    return REFUSALS.get(name)


def _told(step: str, text: str, seen: Viewpoint) -> str:
    """Without carriers' names, and without what another company has; empty: not told."""
    if step == "identity" and text.startswith("carrier "):
        return "A call from the telephone network"
    if step == "route" and not text.startswith("PBX of "):
        ways = text.count(",") + 1
        return f"{ways} ways to the telephone network" if ways > 1 else "One way to the telephone network"
    if seen.other and step in ("route", "media", "channel", "number", "refused") and seen.other in text:
        return _of_others(step, text)
    return text


def _of_others(step: str, text: str) -> str:
    if step == "refused":
        code = text.split(" ", 1)[0]
        return next((f"{code} {refusal.text}" for refusal in REFUSALS.values() if refusal.code == code), code)
    return {"route": "Directly to the PBX of another company on this service", "number": "A number of another company on this service"}.get(
        step, ""
    )


def _in_money(text: str, currency: str) -> str:
    """Micro-units as people write amounts."""
    text = _FREE.sub(lambda found: f"needed, {for_people(int(found['amount']), currency)} free", text)
    text = _FEE.sub(lambda found: f"connection fee {for_people(int(found['amount']), currency)}", text)
    text = _INCREMENTS.sub(lambda found: f"charged for the first {found['first']} s, then for each {found['next']} s", text)
    return _MICROS.sub(_amount, text)


def _amount(found: re.Match[str]) -> str:
    amount = for_people(int(found["amount"]), found["currency"])
    if not found["first"]:
        return amount
    return f"{for_people(int(found['first'].split()[0]), found['currency'])} of {amount}"
