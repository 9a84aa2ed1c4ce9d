"""What a movement is called, in the customer's words (SPEC R9.3).

A row's hash covers its words, so a month keeps those in which it was closed (`StatementHead.wording`): to change or add words for what is
booked already is a new `WORDING`, beside the ones before it.
"""

from __future__ import annotations

WORDING = 2

KINDS = {
    "payment": "Payment",
    "refund": "Payment refunded",
    "refund_back": "Refund returned",
    "dispute": "Payment disputed",
    "dispute_won": "Disputed payment returned",
    "allocate": "Credit allocated",
    "take_back": "Credit taken back",
    "recharge": "Auto-recharge",
    "channels": "Calling channels",
    "bundle": "Minute bundle",
    "number": "Online Number",
    "term_refund": "Unused part refunded",
    "minutes_granted": "Minutes of the bundle",
    "minutes": "Talk time",
    "minutes_back": "Talk time given back",
    "minutes_expired": "Minutes expired",
    "call": "Call",
    "call_back": "Part of a call given back",
}
"""What each kind is called; in the first wording the note simply followed."""

_WITH_NOTE = {
    "payment": "Payment: {}",
    "refund": "Refund: {}",
    "refund_back": "Refund failed, Credit returned: {}",
    "dispute": "Disputed: {}",
    "dispute_won": "Dispute won: {}",
    "allocate": "Credit allocated to {}",
    "take_back": "Credit taken back from {}",
    "recharge": "Auto-recharge of {}",
    "channels": "Subscription: {}",
    "bundle": "Minute bundles: {}",
    "number": "Online Number {}",
    "term_refund": "Refund: {}",
    "minutes_granted": "Minutes granted: {}",
    "minutes": "Call to {}",
    "minutes_back": "Part of a call given back: {}",
    "minutes_expired": "Minutes expired: {}",
    "call": "Call to {}",
    "call_back": "Part of a call given back: {}",
}
_COMPLETE = {
    "payment": ("Payment by card", "Auto-recharge by card"),
    "refund": ("Refund",),
    "recharge": ("Auto-recharge",),
    "dispute": ("Disputed payment",),
    "dispute_won": ("Disputed payment won",),
}
"""Notes that say it all."""


def what_text(kind: str, note: str, wording: int = WORDING) -> str:
    """Plain words. They begin with our own, so that no spreadsheet takes a note for a formula."""
    name = KINDS.get(kind, kind.replace("_", " ").capitalize())
    if not note.strip():
        return name
    if wording == 1:
        return f"{name}: {plain(note)}"
    return note if note in _COMPLETE.get(kind, ()) else _WITH_NOTE.get(kind, f"{name}: {{}}").format(plain(note))


def plain(text: str) -> str:
    """On one line, without what a terminal would obey."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())
