"""A SIP Profile is deleted: what happens is shown first (SPEC R2.7). Its call records and postings stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trunkline.domain.errors import Conflict
from trunkline.store import ledger
from trunkline.store.models import Account, Change, LiveCall, Number, Profile, RechargeRule, Term
from trunkline.store.work import By, Work, work
from trunkline.usecases import bundles, terms
from trunkline.usecases.account_places import release_accounts
from trunkline.usecases.numbers import send_back
from trunkline.usecases.profile_changes import change
from trunkline.usecases.terms import Shelf
from trunkline.usecases.till import Till


@dataclass(frozen=True, slots=True)
class ProfileDeletion:
    """What goes back to the Manager, and what is given up. It can be deleted when there are no `problems`.

    `credit_micros`: the profile's Credit. `refund_micros`: of unused bundles. Channels that are paid until `channels_until` are not refunded.
    """

    name: str
    currency: str
    credit_micros: int
    refund_micros: int
    numbers: tuple[str, ...]
    accounts: tuple[str, ...]
    channels: int
    channels_until: datetime | None
    problems: tuple[str, ...]


def preview_profile_deletion(*, now: datetime, profile_id: int) -> ProfileDeletion:
    shelf = terms.look(profile_id, now)
    return _plan(shelf, shelf.profile.account, now)


def delete_profile(*, now: datetime, by: By, profile_id: int) -> ProfileDeletion:
    """Credit to the Manager, numbers to its stock, accounts off it, bundles refunded by what is unused, channels and credentials ended; or nothing.

    Raises `Conflict` while outgoing calls are in progress: they hold its Credit. Incoming ones go on to their end.
    """
    with work(now=now, by=by) as doing:
        till, shelf = terms.lock_shelf(doing, profile_id)
        profile = shelf.profile
        purse = till.accounts[profile.account_id]
        plan = _plan(shelf, purse, doing.now)
        if plan.problems:
            raise Conflict(plan.problems[0])
        release_accounts(doing, profile)
        numbers = doing.locks.many(Number, profile.numbers.values_list("pk", flat=True))
        for number in numbers.values():
            send_back(doing, number, profile, manager_id=profile.manager_id)
        _return_credit(doing, till, profile, purse)
        for term in list(shelf.terms):
            _end(doing, till, shelf, term)
        _stop_recharge(doing, purse)
        _bury(doing, profile)
    return plan


def _plan(shelf: Shelf, purse: Account, now: datetime) -> ProfileDeletion:
    profile, channels = shelf.profile, shelf.channels
    talking = LiveCall.objects.filter(caller_profile=profile, purse__isnull=False).count()
    problems = []
    if talking or purse.held:
        problems.append(
            f"{talking} outgoing calls are in progress and hold Credit: suspend {profile.name}, wait until they end, then delete it."
        )
    return ProfileDeletion(
        name=profile.name,
        currency=purse.currency,
        credit_micros=purse.balance,
        refund_micros=sum(terms.running(term).refund_micros(now) for term in shelf.bundles),
        numbers=tuple(profile.numbers.order_by("e164").values_list("e164", flat=True)),
        accounts=tuple(profile.business_accounts.order_by("name").values_list("name", flat=True)),
        channels=channels.quantity if channels else 0,
        channels_until=channels.ends_at if channels else None,
        problems=tuple(problems),
    )


def _return_credit(doing: Work, till: Till, profile: Profile, purse: Account) -> None:
    if purse.balance:
        key, note = f"take_back/{profile.pk}/deleted", f"{profile.name}, which was deleted"
        ledger.post(key=key, debit=purse, credit=till.credit, amount=purse.balance, kind="take_back", now=doing.now, note=note)


def _end(doing: Work, till: Till, shelf: Shelf, term: Term) -> None:
    """Like a cancellation at once: bundles are refunded then (R5.3), channels are not (R3.4)."""
    if term.kind == Term.Kind.BUNDLE:
        bundles.end_at_once(doing, till, shelf, term, Term.End.DELETED)
    else:
        terms.take_off(doing, till, shelf, term, Term.End.DELETED)


def _stop_recharge(doing: Work, purse: Account) -> None:
    for ident in RechargeRule.objects.filter(account=purse, enabled=True).values_list("pk", flat=True):
        rule = doing.locks.one(RechargeRule, ident)
        rule.enabled = False
        rule.save(update_fields=["enabled"])


def _bury(doing: Work, profile: Profile) -> None:
    """Nobody gets in with its password, or from its address, any more; the address is free for another."""
    if profile.ip_auth_address:
        doing.changed(Change.What.SOURCE, f"{profile.ip_auth_address}:{profile.ip_auth_port}", sip_user=profile.sip_user)
    profile.password_sealed, profile.ha1, profile.old_ha1, profile.old_valid_until = "", "", "", None
    profile.ip_auth_address, profile.ip_auth_port = None, None
    profile.save(update_fields=["password_sealed", "ha1", "old_ha1", "old_valid_until", "ip_auth_address", "ip_auth_port"])
    change(doing, profile, "delete", state=Profile.State.DELETED)
