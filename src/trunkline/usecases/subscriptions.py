"""Calling channels: a subscription of 30 days that renews by itself, paid from the Manager's Credit (SPEC R3)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from trunkline.domain.channels import ChannelFacts, channel_offer, fewer_than_bundles, rounded_channels
from trunkline.domain.errors import Conflict
from trunkline.domain.terms import TERM, Offer, same_day
from trunkline.store import ledger
from trunkline.store.models import Profile, Term
from trunkline.store.work import By, Work, work
from trunkline.usecases import terms
from trunkline.usecases.profile_changes import change
from trunkline.usecases.terms import Bought, Cancelled, Shelf
from trunkline.usecases.till import Till, end_term

WHAT = "calling channels"


def preview_channels(*, now: datetime, profile_id: int, channels: int) -> Offer:
    """What buying, or changing to, so many would do. Raises `Invalid` when there can't be so many."""
    return channel_offer(channels, channel_facts(terms.look(profile_id, now), now), now)


def buy_channels(*, now: datetime, by: By, profile_id: int, channels: int, reference: str = "") -> Bought:
    """A first subscription, or one after the last has ended. All or nothing. `reference`: bought once under it."""
    return _take(now=now, by=by, profile_id=profile_id, channels=channels, reference=reference, action="buy")


def change_channels(*, now: datetime, by: By, profile_id: int, channels: int, reference: str = "") -> Bought:
    """What is unused of the subscription is refunded, a new one of 30 days begins; once a day (R3.3). One that was cancelled runs on again."""
    return _take(now=now, by=by, profile_id=profile_id, channels=channels, reference=reference, action="change")


def preview_channel_cancellation(*, now: datetime, profile_id: int) -> Cancelled:
    """Until when the channels could be used (R3.4); and what they are needed for."""
    shelf = terms.look(profile_id, now)
    if shelf.channels is None:
        raise Conflict(f"{shelf.profile.name} has no channel subscription.")
    return _cancelled(shelf, shelf.channels)


def cancel_channels(*, now: datetime, by: By, profile_id: int) -> Cancelled:
    """Not renewed: usable until the end of what is paid, no refund. Undone with `undo_cancel_channels` until then."""
    with work(now=now, by=by) as doing:
        _, shelf = terms.lock_shelf(doing, profile_id)
        return _cancelled(shelf, terms.set_renewal(doing, shelf.channels, renews=False, what=WHAT))


def undo_cancel_channels(*, now: datetime, by: By, profile_id: int) -> Cancelled:
    """Renewed again at `ends_at`."""
    with work(now=now, by=by) as doing:
        _, shelf = terms.lock_shelf(doing, profile_id)
        term = terms.set_renewal(doing, shelf.channels, renews=True, what=WHAT)
        return Cancelled(term.pk, term.ends_at)


def set_granted_channels(doing: Work, till: Till, shelf: Shelf, channels: int) -> None:
    """By the operator: so many cost nothing, for as long as they renew. What was paid is refunded as in a change; 0: none any more."""
    old = shelf.channels
    if too_few := fewer_than_bundles(channels, sum(term.quantity for term in shelf.bundles)):
        raise Conflict(too_few)
    if old is not None and old.complimentary and old.quantity == channels and old.renews:
        return
    refund = terms.running(old).refund_micros(doing.now) if old is not None else 0
    if channels:
        term = _term(shelf, old, doing.now, quantity=channels, price_micros=0, complimentary=True)
        terms.put_on(doing, till, shelf, term, refund_micros=refund, action="grant")
    elif old is not None:
        end_term(doing, till, old, Term.End.CHANGED, refund_micros=refund)
        shelf.terms.remove(old)
    change(doing, shelf.profile, "channels", channels=channels)


def place(doing: Work, till: Till, shelf: Shelf, offer: Offer, reference: str = "") -> Bought:
    """The offer becomes the subscription."""
    offer.must_be_possible()
    about = {"quantity": offer.quantity, "price_micros": offer.price_micros, "reference": reference}
    term = _term(shelf, shelf.channels, offer.starts_at, **about)
    done = terms.put_on(doing, till, shelf, term, refund_micros=offer.refund_micros)
    change(doing, shelf.profile, "channels", channels=offer.quantity)
    return done


def channel_facts(shelf: Shelf, now: datetime) -> ChannelFacts:
    old, manager = shelf.channels, shelf.profile.manager
    return ChannelFacts(
        price_micros=manager.price_list.channel_price_micros,
        currency=manager.currency,
        free_micros=ledger.free(shelf.credit),
        running=terms.running(old) if old else None,
        bundles=sum(term.quantity for term in shelf.bundles),
        changed_today=old is not None and _changed_today(shelf.profile, now),
        suspended=manager.is_suspended,
    )


def _take(*, now: datetime, by: By, profile_id: int, channels: int, reference: str, action: str) -> Bought:
    reference, quantity = terms.check_reference(reference), rounded_channels(channels)
    with work(now=now, by=by) as doing:
        till, shelf = terms.lock_shelf(doing, profile_id)
        if known := terms.bought_before(till, reference, kind=Term.Kind.CHANNELS, profile_id=profile_id, quantity=quantity):
            return known
        if (shelf.channels is None) != (action == "buy"):
            missing = "has no channel subscription: buy one" if action == "change" else "has a channel subscription: change it"
            raise Conflict(f"{shelf.profile.name} {missing}.")
        return place(doing, till, shelf, channel_offer(channels, channel_facts(shelf, doing.now), doing.now), reference)


def _term(shelf: Shelf, previous: Term | None, starts_at: datetime, **about: object) -> Term:
    profile = shelf.profile
    return Term(
        kind=Term.Kind.CHANNELS,
        manager_id=profile.manager_id,
        profile=profile,
        previous=previous,
        starts_at=starts_at,
        ends_at=starts_at + TERM,
        **about,
    )


def _changed_today(profile: Profile, now: datetime) -> bool:
    """By the company; what the operator granted does not count."""
    changed = Term.objects.filter(profile=profile, kind=Term.Kind.CHANNELS, previous__end=Term.End.CHANGED, complimentary=False)
    last = changed.order_by("-pk").values_list("previous__ended_at", flat=True).first()
    return last is not None and same_day(last, now, ZoneInfo(profile.manager.time_zone))


def _cancelled(shelf: Shelf, term: Term) -> Cancelled:
    bundles = sum(bundle.quantity for bundle in shelf.bundles if bundle.ends_at > term.ends_at or bundle.renews)
    warning = f"{bundles} minute bundles go on, but without channels nobody can use their minutes: cancel them too."
    return Cancelled(term.pk, term.ends_at, warnings=(warning,) if bundles else ())
