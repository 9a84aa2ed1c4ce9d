"""The till: where terms of channels, bundles and numbers are begun, paid, refunded and ended (SPEC R3, R5, R7.1).

A purchase locks the accounts that it moves, then the profile: whatever runs on a profile is changed under the profile's lock, a number's term
under the number's. What a term costs goes from the Manager's Credit to the operator's income under `term/<id>`, and back under
`term/<id>/refund`. A bundle's minutes are seconds in a purse of their own, one for each term: nothing rolls over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.bundles import SECONDS_PER_MINUTE
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.names import check_name
from trunkline.domain.terms import Running
from trunkline.store import ledger
from trunkline.store.models import Account, BundleProduct, Manager, Posting, Profile, Term
from trunkline.store.work import Work
from trunkline.usecases.profile_changes import announce, change, lock_profile

SECONDS = "SEC"
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
class Till:
    """Who pays and who earns, locked; `seconds`: where the minutes of bundles come from."""

    manager: Manager
    credit: Account
    revenue: Account
    seconds: Account | None
    accounts: dict[int, Account]


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
    known = Profile.objects.select_related("manager__account", "manager__price_list").exclude(state=Profile.State.DELETED)
    profile = known.filter(pk=profile_id).first()
    if profile is None:
        raise NotFound(f"There is no SIP Profile {profile_id}.")
    terms = [term for term in open_terms(profile_id) if not running(term).is_over(now)]
    return Shelf(profile, profile.manager.account, terms)


def lock_shelf(doing: Work, profile_id: int, *, minutes: bool = False, at: datetime | None = None) -> tuple[Till, Shelf]:
    """For a purchase, of `minutes` or not. What was cancelled and has run out by `at` (now) is ended on the way."""
    profile = look(profile_id, doing.now).profile
    purses = [term.minutes_id for term in open_terms(profile_id) if term.minutes_id is not None]
    till = open_till(doing, profile.manager, more=[profile.account_id, *purses], minutes=minutes or bool(purses))
    shelf = Shelf(lock_profile(doing, profile_id), till.credit, open_terms(profile_id))
    if any(term.minutes_id is not None and term.minutes_id not in till.accounts for term in shelf.terms):
        raise Conflict("The minute bundles were changed at this moment: look at them, then do it again.")
    for term in [term for term in shelf.terms if running(term).is_over(at or doing.now)]:
        take_off(doing, till, shelf, term, Term.End.CANCELLED)
    return till, shelf


def open_till(doing: Work, manager: Manager, *, more: Iterable[int] = (), minutes: bool = False) -> Till:
    """Locks the accounts: the first locks of a transaction. `more`: others that it will move."""
    revenue_id = ledger.outside(Account.Kind.REVENUE, manager.currency).pk
    seconds_id = ledger.outside(Account.Kind.FUNDING, SECONDS).pk if minutes else None
    if minutes:
        ledger.outside(Account.Kind.REVENUE, SECONDS)  # where calls post what they use
    wanted = {manager.account_id, revenue_id, *more} | ({seconds_id} if seconds_id else set())
    accounts = doing.locks.many(Account, wanted)
    seconds = accounts[seconds_id] if seconds_id else None
    return Till(manager, accounts[manager.account_id], accounts[revenue_id], seconds, accounts)


def manager_of(manager_id: int) -> Manager:
    manager = Manager.objects.select_related("account", "price_list").filter(pk=manager_id).first()
    if manager is None:
        raise NotFound(f"There is no Manager {manager_id}.")
    return manager


def begin(doing: Work, till: Till, term: Term, note: str) -> Term:
    """It runs from now on, and is paid. `note` describes it to the customer; a bundle gets its minutes."""
    if term.kind == Term.Kind.BUNDLE:
        term.minutes = ledger.open_account(kind=Account.Kind.BUNDLE, name=note, currency=SECONDS)
        till.accounts[term.minutes.pk] = term.minutes
    term.save(force_insert=True)
    key, until = f"term/{term.pk}", f"until {term.ends_at:%Y-%m-%d}"
    if term.price_micros:
        ledger.post(
            key=key,
            debit=till.credit,
            credit=till.revenue,
            amount=term.price_micros,
            kind=term.kind,
            now=doing.now,
            note=f"{note}, {until}",
        )
    if term.minutes is not None and till.seconds is not None:
        ledger.post(
            key=f"{key}/minutes",
            debit=till.seconds,
            credit=term.minutes,
            amount=term.granted_seconds,
            kind="minutes_granted",
            now=doing.now,
            note=f"{note}, {until}",
        )
    return term


def end(doing: Work, till: Till, term: Term, how: Term.End, *, refund_micros: int = 0) -> None:
    """It does not run any more: what was unused may be paid back, minutes that are left expire."""
    term.ended_at, term.end, term.refunded_micros = doing.now, how, refund_micros
    term.save(update_fields=["ended_at", "end", "refunded_micros"])
    if refund_micros:
        ledger.post(
            key=f"term/{term.pk}/refund",
            debit=till.revenue,
            credit=till.credit,
            amount=refund_micros,
            kind="term_refund",
            now=doing.now,
            note=f"unused part of {describe(term)}",
        )
    expire_minutes(doing, till, term)


def take_off(doing: Work, till: Till, shelf: Shelf, term: Term, how: Term.End, *, refund_micros: int = 0) -> None:
    """It ends, and no other takes its place: the profile has no channels, or no such minutes, any more."""
    end(doing, till, term, how, refund_micros=refund_micros)
    shelf.terms.remove(term)
    log(doing, f"{term.kind}.{how}", term, refund_micros=refund_micros)
    if term.kind == Term.Kind.CHANNELS:
        change(doing, shelf.profile, "channels", reason=f"subscription {how}", channels=0)
    else:
        announce(doing, shelf.profile)


def expire_minutes(doing: Work, till: Till, term: Term) -> bool:
    """What calls hold is left to them; what they don't use is taken by a later sweep. True if something expired."""
    if term.minutes_id is None or till.seconds is None:
        return False
    purse = till.accounts[term.minutes_id]
    left = ledger.free(purse)
    if left <= 0:
        return False
    key = f"term/{term.pk}/expired/{Posting.objects.filter(debit=purse, kind='minutes_expired').count() + 1}"
    note = f"minutes left of {describe(term)}"
    ledger.post(key=key, debit=purse, credit=till.seconds, amount=left, kind="minutes_expired", now=doing.now, note=note)
    return True


def bought_before(till: Till, reference: str, **same: object) -> Bought | None:
    """The purchase that this reference named, if it was made. Raises `Conflict` when it named another."""
    term = Term.objects.filter(manager=till.manager, reference=reference).first() if reference else None
    if term is None:
        return None
    if any(getattr(term, name) != value for name, value in same.items()):
        raise Conflict(f"The reference {reference} was used for {describe(term)}: take another.")
    refund = term.previous.refunded_micros if term.previous else 0
    return Bought(term.pk, term.quantity, term.price_micros, refund, term.starts_at, term.ends_at, till.credit.balance, repeated=True)


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


def describe(term: Term) -> str:
    """In the customer's words."""
    if term.kind == Term.Kind.NUMBER:
        return f"+{term.number.e164 if term.number else ''}"
    thing = "calling channels" if term.product is None else f"x {term.product.name}"
    return f"{term.quantity} {thing} for {term.profile.name if term.profile else ''}"


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
