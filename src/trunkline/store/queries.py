"""Questions that several people ask: who is meant by what somebody typed, what is in a purse, which calls were there."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from trunkline.domain.errors import Conflict, NotFound
from trunkline.store.models import BundleProduct, CallRecord, Carrier, LiveCall, Manager, Number, Posting, Price, PriceList, Profile

Row = TypeVar("Row", bound=Model)


def manager(manager_id: int) -> Manager:
    """With its purse and prices; raises `NotFound`."""
    found = Manager.objects.select_related("account", "price_list").filter(pk=manager_id).first()
    if found is None:
        raise NotFound(f"There is no Manager {manager_id}.")
    return found


def profile(profile_id: int) -> Profile:
    """One that is not deleted, with its purse, and its Manager's purse and prices; raises `NotFound`."""
    known = Profile.objects.select_related("account", "manager__account", "manager__price_list").exclude(state=Profile.State.DELETED)
    found = known.filter(pk=profile_id).first()
    if found is None:
        raise NotFound(f"There is no SIP Profile {profile_id}.")
    return found


def manager_named(text: str) -> Manager:
    """By id, administrator account or company name."""
    wanted = Q(admin_account__iexact=text) | Q(company_name__iexact=text)
    return _only(Manager.objects.select_related("account", "price_list").filter(_by_id(text) | wanted), "Manager", text)


def profile_named(text: str) -> Profile:
    """By id, SIP user or name."""
    known = Profile.objects.select_related("account", "manager").exclude(state=Profile.State.DELETED)
    return _only(known.filter(_by_id(text) | Q(sip_user=text) | Q(name__iexact=text)), "SIP Profile", text)


def price_list_named(text: str) -> PriceList:
    return _only(PriceList.objects.filter(_by_id(text) | Q(name__iexact=text)), "price list", text)


def bundle_named(price_list_id: int, text: str) -> BundleProduct:
    """By its code."""
    return _only(BundleProduct.objects.filter(price_list_id=price_list_id, code=text), "minute bundle", text)


def carrier_named(text: str) -> Carrier:
    return _only(Carrier.objects.filter(_by_id(text) | Q(name__iexact=text)), "carrier", text)


def stock(*, manager_id: int | None = None) -> QuerySet[Number]:
    """Online Numbers, all or a Manager's."""
    numbers = Number.objects.select_related("manager", "profile").order_by("e164")
    return numbers if manager_id is None else numbers.filter(manager_id=manager_id)


def prices_in_force(price_list_id: int, now: datetime) -> QuerySet[Price]:
    return Price.objects.filter(_not_ended(now), price_list_id=price_list_id, effective_from__lte=now)


def records(*, profile_id: int | None = None, newest: int = 50) -> list[CallRecord]:
    """Call records, newest first: references ascend with time."""
    known = CallRecord.objects.select_related("profile", "peer_profile", "carrier").order_by("-call_ref")
    return list((known if profile_id is None else known.filter(profile_id=profile_id))[:newest])


def record(call_ref: int) -> CallRecord:
    found = CallRecord.objects.select_related("profile", "peer_profile", "carrier").filter(pk=call_ref).first()
    if found is None:
        raise NotFound(f"There is no record of call {call_ref}: it may be in progress, see `calls live`.")
    return found


def postings_of(call_ref: int) -> list[Posting]:
    return list(Posting.objects.filter(call_ref=call_ref).select_related("debit", "credit").order_by("id"))


def live_calls() -> list[LiveCall]:
    return list(LiveCall.objects.select_related("caller_profile", "callee_profile").order_by("call_ref"))


def _not_ended(now: datetime) -> Q:
    return Q(effective_until=None) | Q(effective_until__gt=now)


def _by_id(text: str) -> Q:
    return Q(pk=int(text)) if text.isascii() and text.isdecimal() and len(text) < 14 else Q(pk__in=[])


def _only(found: QuerySet[Row], what: str, text: str) -> Row:
    rows = list(found[:2])
    if not rows:
        raise NotFound(f"There is no {what} {text[:80]!r}.")
    if len(rows) > 1:
        raise Conflict(f"More than one {what} is meant by {text[:80]!r}: give its id.")
    return rows[0]
