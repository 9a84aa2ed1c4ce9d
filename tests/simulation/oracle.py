"""The same sums again, in the plainest way, from rows of the store and with arithmetic of its own: what a purchase must cost, what must be
given back, and how terms must follow each other. Nothing here asks the product's rules.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum

from tests.simulation.world import BUNDLES, CHANNEL_PRICE, NUMBER_PRICE, RATES
from trunkline.store.ledger import microseconds
from trunkline.store.models import Account, CallRecord, LiveCall, Manager, Number, Payment, Posting, Profile, Term

DAYS_30 = timedelta(days=30)
SECOND = timedelta(seconds=1)
HELD_BY_CALLS = 1_000_000  # of a Manager's Credit, at most


@dataclass(frozen=True)
class Deal:
    """What a purchase must come to."""

    quantity: int
    price: int
    refund: int
    starts_at: datetime
    ends_at: datetime


def total(**which: object) -> int:
    return Posting.objects.filter(**which).aggregate(total=Sum("amount"))["total"] or 0


def free(account_id: int) -> int:
    """From postings and live calls."""
    held = LiveCall.objects.filter(purse_id=account_id).aggregate(total=Sum("held"))["total"] or 0
    held += LiveCall.objects.filter(minutes_id=account_id).aggregate(total=Sum("minutes_held_seconds"))["total"] or 0
    return total(credit_id=account_id) - total(debit_id=account_id) - held


def refund(term: Term, now: datetime) -> int:
    """R3.3, R5.3: of the time that is left, in whole seconds; of a bundle no more than of the minutes that are left."""
    whole = (term.ends_at - term.starts_at) // SECOND
    left = min(max((term.ends_at - now) // SECOND, 0), whole)
    amount = term.price_micros * left // whole
    if term.kind == "bundle":
        assert term.minutes_id is not None
        amount = min(amount, term.price_micros * free(term.minutes_id) // term.granted_seconds)
    return amount


def sold(asked: int) -> int:
    """R3.1, with the guide's halves up."""
    if asked <= 100:
        return asked
    tens, rest = divmod(asked, 10)
    return (tens + (rest >= 5)) * 10


def running(profile_id: int, now: datetime) -> list[Term]:
    """What was cancelled and is over does not count, noted or not."""
    known = Term.objects.filter(profile_id=profile_id, ended_at=None, kind__in=["channels", "bundle"])
    return [term for term in known if term.renews or term.ends_at > now]


def channels_deal(profile: Profile, asked: int, now: datetime, *, change: bool) -> Deal | None:
    """None: it must be refused."""
    if not 1 <= asked <= 300:
        return None
    here = running(profile.pk, now)
    old = next((term for term in here if term.kind == "channels"), None)
    bundles = sum(term.quantity for term in here if term.kind == "bundle")
    quantity = sold(asked)
    if (old is not None) != change or quantity < bundles or (old is not None and old.quantity == quantity):
        return None
    if old is not None and changed_on(profile, now):
        return None
    return _paid(profile.manager, old, quantity, quantity * CHANNEL_PRICE, now)


def bundle_deal(profile: Profile, code: str, product_id: int, asked: int, now: datetime, *, change: bool) -> Deal | None:
    here = running(profile.pk, now)
    old = next((term for term in here if term.product_id == product_id), None)
    channels = sum(term.quantity for term in here if term.kind == "channels")
    others = sum(term.quantity for term in here if term.kind == "bundle" and term is not old)
    if asked < 1 or (old is not None) != change or asked + others > channels or (old is not None and old.quantity == asked):
        return None
    return _paid(profile.manager, old, asked, asked * BUNDLES[code][1], now)


def number_deal(manager: Manager, number: Number, now: datetime) -> Deal | None:
    if number.manager_id is not None or manager.state == "suspended" or free(manager.account_id) < NUMBER_PRICE:
        return None
    return Deal(1, NUMBER_PRICE, 0, now, month_later(now, now, manager.time_zone))


def month_later(first: datetime, starts_at: datetime, zone: str) -> datetime:
    """On the same day at the same hour there, or on the last day of a shorter month."""
    origin, begin = first.astimezone(ZoneInfo(zone)), starts_at.astimezone(ZoneInfo(zone))
    year, month = (begin.year + 1, 1) if begin.month == 12 else (begin.year, begin.month + 1)
    day = min(origin.day, calendar.monthrange(year, month)[1])
    return origin.replace(year=year, month=month, day=day).astimezone(starts_at.tzinfo)


def changed_on(profile: Profile, now: datetime) -> bool:
    zone = ZoneInfo(profile.manager.time_zone)
    changes = Term.objects.filter(profile=profile, kind="channels", end="changed").values_list("ended_at", flat=True)
    return any(at is not None and at.astimezone(zone).date() == now.astimezone(zone).date() for at in changes)


def _paid(manager: Manager, old: Term | None, quantity: int, price: int, now: datetime) -> Deal | None:
    back = refund(old, now) if old is not None else 0
    if manager.state == "suspended" or free(manager.account_id) + back < price:
        return None
    starts_at = now if old is None else min(now, old.ends_at)
    return Deal(quantity, price, back, starts_at, starts_at + DAYS_30)


# What is looked at every day


def differences(since: datetime, after_term: int) -> list[str]:
    """What happened on a day, after the terms that were known; and each Manager's sums from the beginning."""
    found = []
    new = Term.objects.filter(Q(pk__gt=after_term) | Q(ended_at__gte=since))
    for term in new.select_related("previous", "manager", "product"):
        found += [f"term {term.pk} ({term.kind}): {each}" for each in _about(term)]
    for manager in Manager.objects.select_related("account"):
        found += [f"manager {manager.pk}: {each}" for each in _sums(manager)]
    for record in CallRecord.objects.filter(call_ref__gte=int(since.timestamp() * 1_000_000) << 10, answered_us__isnull=False):
        found += [f"call {record.call_ref}: {each}" for each in _cost(record)]
    return found


def _about(term: Term) -> list[str]:
    wrong = []
    unit = {"channels": CHANNEL_PRICE, "number": NUMBER_PRICE}.get(term.kind) or BUNDLES[term.product.code if term.product else ""][1]
    if term.price_micros != term.quantity * unit or total(key=f"term/{term.pk}") != term.price_micros:
        wrong.append(f"{term.quantity} cost {term.price_micros}, {total(key=f'term/{term.pk}')} was posted")
    if total(key=f"term/{term.pk}/refund") != term.refunded_micros:
        wrong.append(f"{term.refunded_micros} refunded, another amount posted")
    ends_at = term.starts_at + DAYS_30
    if term.kind == "number":
        ends_at = month_later(_first_of(term).starts_at, term.starts_at, term.manager.time_zone)
    if term.ends_at != ends_at:
        wrong.append(f"ends at {term.ends_at}, not at {ends_at}")
    if term.previous is not None and term.previous.end == "renewed":
        wrong += _renewal(term.previous, term)
    if term.ended_at is not None:
        wrong += _end(term)
    return wrong


def _first_of(term: Term) -> Term:
    while term.previous is not None:
        term = term.previous
    return term


def _renewal(old: Term, new: Term) -> list[str]:
    wrong = []
    if new.starts_at != old.ends_at or old.refunded_micros or not old.renews:
        wrong.append(f"renewed from {new.starts_at}, the one before ended at {old.ends_at} and was refunded {old.refunded_micros}")
    if new.quantity > old.quantity or (new.quantity != old.quantity and new.kind != "bundle"):
        wrong.append(f"{new.quantity} in place of {old.quantity}")
    assert old.ended_at is not None
    if old.ended_at < old.ends_at:
        wrong.append(f"renewed at {old.ended_at}, before its end")
    return wrong


def _end(term: Term) -> list[str]:
    wrong = []
    followed = Term.objects.filter(previous=term).exists()
    if (term.end in {"renewed", "changed"}) != followed:
        wrong.append(f"it was {term.end}, and {'something' if followed else 'nothing'} follows")
    if term.end in {"renewed", "lapsed"} and (term.refunded_micros or not term.renews):
        wrong.append(f"{term.end}, but refunded {term.refunded_micros} or cancelled")
    if term.end == "lapsed" and term.kind != "bundle" and not _was_short(term):
        wrong.append("it lapsed, though the Manager could have paid")
    if term.minutes_id is not None and free(term.minutes_id) > 0:
        wrong.append(f"{free(term.minutes_id)} s are left of what ended")
    return wrong


def _was_short(term: Term) -> bool:
    """At some point among the movements of that very moment the Manager had too little. A bundle may lapse for want of channels, too."""
    account_id, ended_us = term.manager.account_id, microseconds(term.ended_at or term.ends_at)
    balance = total(credit_id=account_id, posted_us__lt=ended_us) - total(debit_id=account_id, posted_us__lt=ended_us)
    lowest = balance
    for posting in Posting.objects.filter(Q(debit_id=account_id) | Q(credit_id=account_id), posted_us=ended_us).order_by("pk"):
        balance += posting.amount if posting.credit_id == account_id else -posting.amount
        lowest = min(lowest, balance)
    return lowest < term.price_micros + HELD_BY_CALLS


def _sums(manager: Manager) -> list[str]:
    """Each kind of movement of the Manager's Credit, against what it is about."""
    mine = Term.objects.filter(manager=manager)
    account_id = manager.account_id
    paid = Payment.objects.filter(manager=manager, state="succeeded").aggregate(total=Sum("amount_micros"))["total"] or 0
    prices = mine.aggregate(total=Sum("price_micros"))["total"] or 0
    refunds = mine.aggregate(total=Sum("refunded_micros"))["total"] or 0
    posted = {
        "payments": (total(credit_id=account_id, kind="payment"), paid),
        "terms": (total(debit_id=account_id, kind__in=["channels", "bundle", "number"]), prices),
        "refunds of terms": (total(credit_id=account_id, kind="term_refund"), refunds),
    }
    return [f"{what}: {there} posted, {follows} follows" for what, (there, follows) in posted.items() if there != follows]


def _cost(record: CallRecord) -> list[str]:
    """60/60 and a fee that is paid once, unless minutes came first. What nobody paid (call control was away) is no debt."""
    if "unpaid_us" in record.trace or record.paid_by == "":
        return []
    rate, fee = next(price for prefix, price in RATES.items() if record.callee.startswith(prefix))
    assert record.answered_us is not None
    beyond_us = record.ended_us - record.answered_us - record.bundle_seconds * 1_000_000
    minutes = max(-(-beyond_us // 60_000_000), 0 if record.bundle_seconds else 1)
    cost = minutes * rate + (0 if record.bundle_seconds else fee)
    return (
        [] if record.cost_micros == cost else [f"cost {record.cost_micros}, {cost} follows ({record.paid_by}, {record.bundle_seconds} s)"]
    )


def purses() -> list[Account]:
    return list(Account.objects.filter(guarded=True).order_by("pk"))


def overdue(now: datetime) -> list[int]:
    """Terms that the clock has left as they were, though nobody tries to get them paid."""
    late = Term.objects.filter(ended_at=None, ends_at__lt=now - timedelta(hours=7), unpaid_since=None)
    return list(late.values_list("pk", flat=True))


def last_term() -> int:
    return Term.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
