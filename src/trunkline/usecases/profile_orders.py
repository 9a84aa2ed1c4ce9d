"""What is bought together with a new SIP Profile: channels and bundles, with the exact price before (SPEC R2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from trunkline.domain.bundles import BundleFacts, bundle_offer
from trunkline.domain.channels import ChannelFacts, channel_offer
from trunkline.domain.errors import Invalid
from trunkline.domain.names import check_name
from trunkline.domain.terms import Offer
from trunkline.store import ledger
from trunkline.store.models import Manager, Profile
from trunkline.store.work import Work
from trunkline.usecases import bundles, subscriptions, terms
from trunkline.usecases.terms import Shelf, Till


@dataclass(frozen=True, slots=True)
class Order:
    """`bundles`: product ids and quantities."""

    channels: int = 0
    bundles: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileOffer:
    """What creating the profile would do; it can be done when there are no `problems`. `channels` None: it will be inactive."""

    name: str
    channels: Offer | None
    bundles: tuple[Offer, ...]
    to_pay_micros: int
    balance_after_micros: int
    currency: str
    problems: tuple[str, ...]


NOTHING = Order()


def preview_profile(*, now: datetime, manager_id: int, name: str, order: Order = NOTHING) -> ProfileOffer:
    """The wizard's review. Raises `Invalid` for what can't be typed: a name without letters, 301 channels."""
    name = check_name(name, "name", longest=80)
    manager = terms.manager_of(manager_id)
    free = ledger.free(manager.account)
    channels = channel_offer(order.channels, _channel_facts(manager, free), now) if order.channels else None
    offers = tuple(_bundle_offers(manager, order, channels, free, now))
    all_offers = (*((channels,) if channels else ()), *offers)
    to_pay = sum(each.to_pay_micros for each in all_offers)
    taken = Profile.objects.filter(manager=manager, name=name).exclude(state=Profile.State.DELETED).exists()
    problems = [f"There is a SIP Profile {name} already: choose another name."] if taken else []
    problems += [problem for each in all_offers for problem in each.problems]
    return ProfileOffer(name, channels, offers, to_pay, free - to_pay, manager.currency, tuple(problems))


def carry_out(doing: Work, till: Till, shelf: Shelf, order: Order) -> None:
    """Channels, then bundles, by the functions that everybody buys with."""
    if order.channels:
        offer = channel_offer(order.channels, subscriptions.channel_facts(shelf, doing.now), doing.now)
        subscriptions.place(doing, till, shelf, offer)
    for product_id, quantity in _once(order):
        product = terms.product_of(shelf.profile.manager, product_id)
        bundles.place(doing, till, shelf, product, bundle_offer(quantity, bundles.bundle_facts(shelf, product), doing.now))


def _channel_facts(manager: Manager, free_micros: int) -> ChannelFacts:
    return ChannelFacts(manager.price_list.channel_price_micros, manager.currency, free_micros)


def _bundle_offers(manager: Manager, order: Order, channels: Offer | None, free_micros: int, now: datetime) -> Iterator[Offer]:
    """Each after the one before has been paid and has taken its room."""
    facts = BundleFacts("", 0, sold=True, currency=manager.currency, free_micros=free_micros, channels=channels.quantity if channels else 0)
    facts = replace(facts, free_micros=channels.balance_after_micros) if channels else facts
    for product_id, quantity in _once(order):
        product = terms.product_of(manager, product_id)
        offer = bundle_offer(quantity, replace(facts, name=product.name, price_micros=product.price_micros, sold=product.sold), now)
        yield offer
        facts = replace(facts, free_micros=offer.balance_after_micros, others=facts.others + quantity)


def _once(order: Order) -> tuple[tuple[int, int], ...]:
    if len({product_id for product_id, _ in order.bundles}) < len(order.bundles):
        raise Invalid("bundles", "A minute bundle is there twice: give it once, with its number.")
    return order.bundles
