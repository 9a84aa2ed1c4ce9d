"""Minute bundles: bought, changed, cancelled, extended; paid from the Manager's Credit (SPEC R5.2, R5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.bundles import BundleFacts, bundle_offer
from trunkline.domain.errors import Conflict, NotFound
from trunkline.domain.terms import TERM, Offer
from trunkline.store import ledger
from trunkline.store.models import BundleProduct, Term
from trunkline.store.work import By, Work, work
from trunkline.usecases import terms
from trunkline.usecases.profile_changes import announce
from trunkline.usecases.terms import Bought, Cancelled, Shelf
from trunkline.usecases.till import Till

WHAT = "minute bundles"


@dataclass(frozen=True, slots=True)
class BundleCancellation:
    """Kept until `ends_at` without a refund, or ended at once for `refund_micros`."""

    term_id: int
    ends_at: datetime
    free_seconds: int
    refund_micros: int


def preview_bundles(*, now: datetime, profile_id: int, product_id: int, quantity: int) -> Offer:
    """What buying, or changing to, so many would do."""
    shelf = terms.look(profile_id, now)
    return bundle_offer(quantity, bundle_facts(shelf, terms.product_of(shelf.profile.manager, product_id)), now)


def buy_bundles(*, now: datetime, by: By, profile_id: int, product_id: int, quantity: int, reference: str = "") -> Bought:
    """All or nothing. `reference`: bought once under it."""
    return _take(now=now, by=by, profile_id=profile_id, product_id=product_id, quantity=quantity, reference=reference, action="buy")


def change_bundles(*, now: datetime, by: By, profile_id: int, product_id: int, quantity: int, reference: str = "") -> Bought:
    """What is unused is refunded by the smaller share of time and minutes (R5.3); new minutes for 30 days begin at once."""
    return _take(now=now, by=by, profile_id=profile_id, product_id=product_id, quantity=quantity, reference=reference, action="change")


def preview_bundle_cancellation(*, now: datetime, profile_id: int, product_id: int) -> BundleCancellation:
    shelf = terms.look(profile_id, now)
    term = _there(shelf, product_id)
    running = terms.running(term)
    return BundleCancellation(term.pk, term.ends_at, running.free_seconds, running.refund_micros(now))


def cancel_bundles(*, now: datetime, by: By, profile_id: int, product_id: int, at_once: bool = False) -> Cancelled:
    """Not renewed, the minutes usable until the end. `at_once`: ended now, and refunded by the smaller share (R5.3)."""
    with work(now=now, by=by) as doing:
        till, shelf = terms.lock_shelf(doing, profile_id)
        if not at_once:
            term = terms.set_renewal(doing, shelf.bundle(product_id), renews=False, what=WHAT)
            return Cancelled(term.pk, term.ends_at)
        return end_at_once(doing, till, shelf, _there(shelf, product_id), Term.End.CANCELLED)


def extend_bundles(*, now: datetime, by: By, profile_id: int, product_id: int) -> Cancelled:
    """Bundles that were cancelled get their renewal back: `ends_at` is the next payment date (R5.2)."""
    with work(now=now, by=by) as doing:
        _, shelf = terms.lock_shelf(doing, profile_id)
        term = terms.set_renewal(doing, shelf.bundle(product_id), renews=True, what=WHAT)
        return Cancelled(term.pk, term.ends_at)


def end_at_once(doing: Work, till: Till, shelf: Shelf, term: Term, how: Term.End) -> Cancelled:
    refund = terms.running(term).refund_micros(doing.now)
    terms.take_off(doing, till, shelf, term, how, refund_micros=refund)
    return Cancelled(term.pk, doing.now, refund)


def place(doing: Work, till: Till, shelf: Shelf, product: BundleProduct, offer: Offer, *, reference: str = "") -> Bought:
    """The offer becomes the bundle."""
    offer.must_be_possible()
    term = _term(shelf, product, offer, reference)
    done = terms.put_on(doing, till, shelf, term, refund_micros=offer.refund_micros)
    announce(doing, shelf.profile)
    return done


def bundle_facts(shelf: Shelf, product: BundleProduct) -> BundleFacts:
    old, channels = shelf.bundle(product.pk), shelf.channels
    return BundleFacts(
        name=product.name,
        price_micros=product.price_micros,
        sold=product.sold,
        currency=shelf.profile.manager.currency,
        free_micros=ledger.free(shelf.credit),
        channels=channels.quantity if channels else 0,
        channels_until=channels.ends_at if channels and not channels.renews else None,
        running=terms.running(old) if old else None,
        others=sum(term.quantity for term in shelf.bundles if term is not old),
        suspended=shelf.profile.manager.is_suspended,
    )


def _take(*, now: datetime, by: By, profile_id: int, product_id: int, quantity: int, reference: str, action: str) -> Bought:
    reference = terms.check_reference(reference)
    with work(now=now, by=by) as doing:
        till, shelf = terms.lock_shelf(doing, profile_id, minutes=True)
        same = {"kind": Term.Kind.BUNDLE, "profile_id": profile_id, "product_id": product_id, "quantity": quantity}
        if known := terms.bought_before(till, reference, **same):
            return known
        product = terms.product_of(shelf.profile.manager, product_id)
        if (shelf.bundle(product_id) is None) != (action == "buy"):
            missing = "There are none yet: buy them" if action == "change" else "There are some already: change their number"
            raise Conflict(f"{product.name} on {shelf.profile.name}: {missing}.")
        return place(doing, till, shelf, product, bundle_offer(quantity, bundle_facts(shelf, product), doing.now), reference=reference)


def _term(shelf: Shelf, product: BundleProduct, offer: Offer, reference: str) -> Term:
    return Term(
        kind=Term.Kind.BUNDLE,
        manager_id=shelf.profile.manager_id,
        profile=shelf.profile,
        product=product,
        quantity=offer.quantity,
        price_micros=offer.price_micros,
        granted_seconds=terms.granted_seconds(product, offer.quantity),
        starts_at=offer.starts_at,
        ends_at=offer.starts_at + TERM,
        previous=shelf.bundle(product.pk),
        reference=reference,
    )


def _there(shelf: Shelf, product_id: int) -> Term:
    term = shelf.bundle(product_id)
    if term is None:
        raise NotFound(f"No such minute bundles run on {shelf.profile.name}.")
    return term
