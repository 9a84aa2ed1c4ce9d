"""Calling channels: how many can be bought, and what may stand against it (SPEC R3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.errors import Invalid
from trunkline.domain.terms import Offer, Running, offer

MOST_CHANNELS = 300
EXACT_UP_TO = 100


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What an offer depends on. `price_micros` of one channel; None: not sold. `bundles`: all that run on the profile."""

    price_micros: int | None
    currency: str
    free_micros: int
    running: Running | None = None
    bundles: int = 0
    changed_today: bool = False
    suspended: bool = False


def rounded_channels(asked: int) -> int:
    """What is sold when `asked` are wanted: above 100 the nearest 10, halves up. Raises `Invalid` outside of 1 to 300."""
    if not 1 <= asked <= MOST_CHANNELS:
        raise Invalid("channels", f"A SIP Profile has 1 to {MOST_CHANNELS} calling channels: make a second profile for more.")
    return asked if asked <= EXACT_UP_TO else (asked + 5) // 10 * 10


def channel_offer(asked: int, facts: ChannelFacts, now: datetime) -> Offer:
    """30 days of channels from now, in place of those that run."""
    quantity = rounded_channels(asked)
    return offer(
        asked=asked,
        quantity=quantity,
        unit_price_micros=facts.price_micros or 0,
        running=facts.running,
        free_micros=facts.free_micros,
        currency=facts.currency,
        now=now,
        suspended=facts.suspended,
        problems=_problems(quantity, facts),
    )


def _problems(quantity: int, facts: ChannelFacts) -> list[str]:
    found = []
    if facts.price_micros is None:
        found.append("Calling channels have no price: the operator sets it in the price list.")
    if too_few := fewer_than_bundles(quantity, facts.bundles):
        found.append(too_few)
    if facts.running and facts.running.quantity == quantity:
        otherwise = "leave it as it is" if facts.running.renews else "undo the cancellation"
        found.append(f"There are {quantity} calling channels already: choose another number, or {otherwise}.")
    if facts.changed_today:
        found.append("The channels were changed today: change them again tomorrow.")
    return found


def fewer_than_bundles(channels: int, bundles: int) -> str:
    """The way out, if there would be fewer channels than bundles; else empty."""
    if channels >= bundles:
        return ""
    return f"{channels} calling channels are fewer than the {bundles} minute bundles: reduce the bundles to {channels} first."
