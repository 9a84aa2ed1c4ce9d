"""Minute bundles: what buying them takes (SPEC R5). What their minutes pay for is in `calls`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.errors import Invalid
from trunkline.domain.terms import Offer, Running, offer

SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What an offer depends on. `others`: bundles of other products on the profile."""

    name: str
    price_micros: int
    sold: bool
    currency: str
    free_micros: int
    channels: int
    channels_until: datetime | None = None
    running: Running | None = None
    others: int = 0
    suspended: bool = False


def bundle_offer(asked: int, facts: BundleFacts, now: datetime) -> Offer:
    """30 days of minutes from now, in place of those that run. Raises `Invalid` for a number of bundles that can't be."""
    if asked < 1:
        raise Invalid("bundles", "Choose one minute bundle or more; to have none, cancel them.")
    return offer(
        asked=asked,
        quantity=asked,
        unit_price_micros=facts.price_micros,
        running=facts.running,
        free_micros=facts.free_micros,
        currency=facts.currency,
        now=now,
        suspended=facts.suspended,
        problems=_problems(asked, facts),
        warnings=_warnings(facts),
    )


def _problems(asked: int, facts: BundleFacts) -> list[str]:
    found = []
    if not facts.sold:
        found.append(f"{facts.name} is not sold any more: choose another bundle.")
    if asked + facts.others > facts.channels:
        found.append(
            f"{asked + facts.others} minute bundles are more than the {facts.channels} calling channels: "
            f"buy more channels first, or at most {max(facts.channels - facts.others, 0)} of these bundles."
        )
    if facts.running and facts.running.quantity == asked:
        otherwise = "leave it as it is" if facts.running.renews else "extend them"
        found.append(f"There are {asked} of {facts.name} already: choose another number, or {otherwise}.")
    return found


def _warnings(facts: BundleFacts) -> list[str]:
    if facts.channels_until is None:
        return []
    return [f"The channels end on {facts.channels_until:%Y-%m-%d}: without channels the minutes can't be used."]
