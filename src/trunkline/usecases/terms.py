"""What runs on a SIP Profile, and how that is changed by what is bought, cancelled and ended (SPEC R3, R5, R7.1). Money moves at the `till`.

A purchase locks the accounts that it moves, then the profile: whatever runs on a profile is changed under the profile's lock, a number's term
under the number's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.bundles import SECONDS_PER_MINUTE
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.names import check_name
from trunkline.domain.terms import Running
from trunkline.store import ledger, queries
from trunkline.store.models import Account, BundleProduct, Manager, Profile, Term
from trunkline.store.work import Work
from trunkline.usecases.profile_changes import announce, change, lock_profile
from trunkline.usecases.till import Till, begin_term, describe, end_term, open_till

LONGEST_REFERENCE = 40


@dataclass(frozen=True, slots=True)
class Bought:
    """`balance_micros`: the Manager's Credit. `repeated`: the same reference was bought before, nothing happened this time."""

    term_id: int
    quantity: int
    price_micros: int
    refund_micros: int
    starts_at: datetime
    ends_at: datetime
    balance_micros: int
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Usable until `ends_at`, and until then it can be undone. `refund_micros`: of what ended at once."""

    term_id: int
    ends_at: datetime
    refund_micros: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Shelf:
    """A profile and what runs on it; `credit` is its Manager's."""

    profile: Profile
    credit: Account
    terms: list[Term]

    @property
    def channels(self) -> Term | None:
        return next((term for term in self.terms if term.kind == Term.Kind.CHANNELS), None)

    @property
    def bundles(self) -> list[Term]:
        return [term for term in self.terms if term.kind == Term.Kind.BUNDLE]

    def bundle(self, product_id: int) -> Term | None:
        return next((term for term in self.bundles if term.product_id == product_id), None)


def look(profile_id: int, now: datetime) -> Shelf:
    """For a preview: nothing is locked."""
    profile = queries.profile(profile_id)
    terms = [term for term in open_terms(profile_id) if not running(term).is_over(now)]
    return Shelf(profile, profile.manager.account, terms)


def lock_shelf(doing: Work, profile_id: int, *, minutes: bool = False, at: datetime | None = None) -> tuple[Till, Shelf]:
    """For a purchase, of `minutes` or not. What was cancelled and has run out by `at` (now) is ended on the way."""
    profile = queries.profile(profile_id)
    purses = [term.minutes_id for term in open_terms(profile_id) if term.minutes_id is not None]
    till = open_till(doing, profile.manager, more=[profile.account_id, *purses], minutes=minutes or bool(purses))
    shelf = Shelf(lock_profile(doing, profile_id), till.credit, open_terms(profile_id))
    if any(term.minutes_id is not None and term.minutes_id not in till.accounts for term in shelf.terms):
        raise Conflict("The minute bundles were changed at this moment: look at them, then do it again.")
    for term in [term for term in shelf.terms if running(term).is_over(at or doing.now)]:
        take_off(doing, till, shelf, term, Term.End.CANCELLED)
    return till, shelf


def put_on(doing: Work, till: Till, shelf: Shelf, term: Term, *, refund_micros: int, action: str = "") -> Bought:
    """It begins, in place of `term.previous` if there is one, which ends with that refund. `action`: for the log, if it is neither."""
    old = term.previous
    if old is not None:
        end_term(doing, till, old, Term.End.CHANGED, refund_micros=refund_micros)
        shelf.terms.remove(old)
    shelf.terms.append(begin_term(doing, till, term))
    log(doing, f"{term.kind}.{action or ('change' if old else 'buy')}", term, refund_micros=refund_micros)
    return bought(till, term, refund_micros)


def bought(till: Till, term: Term, refund_micros: int = 0, *, repeated: bool = False) -> Bought:
    balance = till.credit.balance
    return Bought(term.pk, term.quantity, term.price_micros, refund_micros, term.starts_at, term.ends_at, balance, repeated=repeated)


def take_off(doing: Work, till: Till, shelf: Shelf, term: Term, how: Term.End, *, refund_micros: int = 0) -> None:
    """It ends, and no other takes its place: the profile has no channels, or no such minutes, any more."""
    end_term(doing, till, term, how, refund_micros=refund_micros)
    shelf.terms.remove(term)
    log(doing, f"{term.kind}.{how}", term, refund_micros=refund_micros)
    if term.kind == Term.Kind.CHANNELS:
        change(doing, shelf.profile, "channels", reason=f"subscription {how}", channels=0)
    else:
        announce(doing, shelf.profile)


def bought_before(till: Till, reference: str, **same: object) -> Bought | None:
    """The purchase that this reference named, if it was made. Raises `Conflict` when it named another."""
    term = Term.objects.filter(manager=till.manager, reference=reference).first() if reference else None
    if term is None:
        return None
    if any(getattr(term, name) != value for name, value in same.items()):
        raise Conflict(f"The reference {reference} was used for {describe(term)}: take another.")
    return bought(till, term, term.previous.refunded_micros if term.previous else 0, repeated=True)


def check_reference(reference: str) -> str:
    """The buyer's name for a purchase, so that it is made once; may be empty."""
    return check_name(reference, "reference", longest=LONGEST_REFERENCE) if reference else ""


def running(term: Term) -> Running:
    """As the rules see it; a bundle's purse as it was when the term was loaded."""
    left = ledger.free(term.minutes) if term.minutes is not None else 0
    return Running(term.quantity, term.price_micros, term.starts_at, term.ends_at, term.renews, term.granted_seconds, left)


def set_renewal(doing: Work, term: Term | None, *, renews: bool, what: str) -> Term:
    """Cancelled, or not any more; logged."""
    if term is None or running(term).is_over(doing.now):
        raise NotFound(f"There is nothing to {'extend' if renews else 'cancel'}: no {what} run here.")
    if term.renews == renews:
        state = "renew by themselves already" if renews else f"were cancelled already and end on {term.ends_at:%Y-%m-%d %H:%M} UTC"
        raise Conflict(f"The {what} {state}.")
    term.renews = renews
    term.save(update_fields=["renews"])
    action = f"{term.kind}.{'keep' if renews else 'cancel'}"
    doing.audit(action, f"term {term.pk}", manager_id=term.manager_id, before={"renews": not renews}, after={"renews": renews})
    return term


def log(doing: Work, action: str, term: Term, *, refund_micros: int = 0) -> None:
    after = {"what": describe(term), "quantity": term.quantity, "price_micros": term.price_micros, "ends_at": term.ends_at.isoformat()}
    doing.audit(
        action, f"term {term.pk}", manager_id=term.manager_id, after=after | ({"refund_micros": refund_micros} if refund_micros else {})
    )


def product_of(manager: Manager, product_id: int) -> BundleProduct:
    """A bundle of the Manager's price list."""
    product = BundleProduct.objects.filter(pk=product_id, price_list_id=manager.price_list_id).first()
    if product is None:
        raise Invalid("product", "There is no such minute bundle in this company's price list: choose one of it.")
    return product


def granted_seconds(product: BundleProduct, quantity: int) -> int:
    return quantity * product.minutes * SECONDS_PER_MINUTE


def open_terms(profile_id: int) -> list[Term]:
    known = Term.objects.filter(profile_id=profile_id, ended_at=None, kind__in=[Term.Kind.CHANNELS, Term.Kind.BUNDLE])
    return list(known.select_related("product", "minutes", "profile").order_by("pk"))
