"""Channels and minute bundles bought together, for a new SIP Profile or one that is there: one price, all or nothing (SPEC R2.1, R3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.db.models import Q

from trunkline.domain.bundles import BundleFacts, bundle_offer
from trunkline.domain.channels import ChannelFacts, channel_offer, rounded_channels
from trunkline.domain.errors import Conflict, Invalid
from trunkline.domain.names import check_name
from trunkline.domain.terms import Basket, Offer, basket
from trunkline.store import ledger, queries
from trunkline.store.models import Profile, Term
from trunkline.store.work import By, Work, work
from trunkline.usecases import bundles, subscriptions, terms
from trunkline.usecases.terms import Bought, Shelf
from trunkline.usecases.till import Till

CHANNELS = 0
"""The key of the channels in a basket; bundles have their product's id."""
LONGEST_REFERENCE = 32
"""A bundle's term is named after the purchase, with its product's id behind."""


@dataclass(frozen=True, slots=True)
class Order:
    """`bundles`: product ids and quantities. Those that are not named stay as they are; 0 channels are for a new profile without any."""

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
    manager = queries.manager(manager_id)
    found = _basket(Shelf(Profile(manager=manager, name=name), manager.account, []), order, now)
    taken = Profile.objects.filter(manager=manager, name=name).exclude(state=Profile.State.DELETED).exists()
    problems = [f"There is a SIP Profile {name} already: choose another name."] if taken else []
    return ProfileOffer(
        name,
        found.offers.get(CHANNELS),
        tuple(found.offers[product_id] for product_id, _ in order.bundles),
        found.to_pay_micros,
        found.balance_after_micros,
        manager.currency,
        (*problems, *found.problems),
    )


def preview_order(*, now: datetime, profile_id: int, order: Order) -> Basket:
    """What buying, or changing to, channels and bundles together would do (guide 7.1.1, 7.1.2). Keys: `CHANNELS`, and product ids.

    Raises `Invalid` when there can't be so many.
    """
    rounded_channels(order.channels)
    return _basket(terms.look(profile_id, now), order, now)


def buy_order(*, now: datetime, by: By, profile_id: int, order: Order, reference: str = "") -> dict[int, Bought]:
    """Both or neither. What is there already is changed: its unused part is refunded. `reference`: bought once under it."""
    reference = check_name(reference, "reference", longest=LONGEST_REFERENCE) if reference else ""
    rounded_channels(order.channels)
    with work(now=now, by=by) as doing:
        till, shelf = terms.lock_shelf(doing, profile_id, minutes=bool(order.bundles))
        return _bought_before(till, profile_id, order, reference) or carry_out(doing, till, shelf, order, reference)


def carry_out(doing: Work, till: Till, shelf: Shelf, order: Order, reference: str = "") -> dict[int, Bought]:
    """By the functions that each is bought with alone."""
    found, done = _basket(shelf, order, doing.now), {}
    found.must_be_possible()
    for key, offer in found.offers.items():
        if key == CHANNELS:
            done[key] = subscriptions.place(doing, till, shelf, offer, reference)
        else:
            product = terms.product_of(shelf.profile.manager, key)
            done[key] = bundles.place(doing, till, shelf, product, offer, reference=_reference(reference, key))
    return done


def _basket(shelf: Shelf, order: Order, now: datetime) -> Basket:
    """Each offer goes by how things will be when all are taken."""
    ordered, have = _once(order), shelf.channels
    kept = sum(term.quantity for term in shelf.bundles if term.product_id not in ordered)
    makers: dict[int, Callable[[int], Offer]] = {}
    room = have.quantity if have else 0
    if order.channels:
        room = rounded_channels(order.channels)
        channels = replace(subscriptions.channel_facts(shelf, now), bundles=0 if ordered else kept)
        makers[CHANNELS] = partial(_channels, order.channels, channels, now)
    for product_id, quantity in ordered.items():
        facts = bundles.bundle_facts(shelf, terms.product_of(shelf.profile.manager, product_id))
        others = kept + sum(ordered.values()) - quantity
        until = None if order.channels else facts.channels_until
        makers[product_id] = partial(_bundles, quantity, replace(facts, channels=room, channels_until=until, others=others), now)
    return basket(makers, ledger.free(shelf.credit), shelf.profile.manager.currency)


def _channels(asked: int, facts: ChannelFacts, now: datetime, free_micros: int) -> Offer:
    return channel_offer(asked, replace(facts, free_micros=free_micros), now)


def _bundles(asked: int, facts: BundleFacts, now: datetime, free_micros: int) -> Offer:
    return bundle_offer(asked, replace(facts, free_micros=free_micros), now)


def _once(order: Order) -> dict[int, int]:
    if len({product_id for product_id, _ in order.bundles}) < len(order.bundles):
        raise Invalid("bundles", "A minute bundle is there twice: give it once, with its number.")
    return dict(order.bundles)


def _reference(reference: str, key: int) -> str:
    return f"{reference}/{key}" if reference and key != CHANNELS else reference


def _bought_before(till: Till, profile_id: int, order: Order, reference: str) -> dict[int, Bought]:
    """The purchase that this reference named, if it was made. Raises `Conflict` when it named another."""
    if not reference:
        return {}
    wanted = {CHANNELS: rounded_channels(order.channels), **_once(order)}
    known = Term.objects.filter(Q(reference=reference) | Q(reference__startswith=f"{reference}/"), manager=till.manager)
    there = set(known.values_list("reference", "profile_id", "quantity"))
    if there and there != {(_reference(reference, key), profile_id, quantity) for key, quantity in wanted.items()}:
        raise Conflict(f"The reference {reference} was used for another purchase: take another.")
    found = {key: terms.bought_before(till, _reference(reference, key)) for key in wanted} if there else {}
    return {key: bought for key, bought in found.items() if bought}
