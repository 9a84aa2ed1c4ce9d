"""A company, a carrier and a price, made directly in the store; and an edge that is played by the test."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Sum

from trunkline.callcontrol import live as live_calls
from trunkline.callcontrol.batch import Desk, Outcome, Turn
from trunkline.callcontrol.daemon import largest_ref
from trunkline.callcontrol.protocol import Admit, Answered, Ended, Event, Failed
from trunkline.callcontrol.registrations import Registrar
from trunkline.store.directory import StoreDirectory
from trunkline.store.hotpath import HotPath
from trunkline.store.models import (
    Account,
    BundleProduct,
    CallRecord,
    Carrier,
    CarrierRoute,
    ChannelUse,
    LiveCall,
    Manager,
    Number,
    Posting,
    Price,
    PriceList,
    Profile,
    Term,
    UsageBucket,
)  # fmt: skip

MICROSECONDS = 1_000_000
RATE_MICROS = 20_000
START = datetime(2026, 1, 1, tzinfo=UTC)
START_US = int(START.timestamp()) * MICROSECONDS
FRANCE = "+33123456789"


def make_company(
    *,
    credit_micros: int = 1_000_000,
    channels: int = 5,
    profiles: int = 1,
    first: int = 60,
    following: int = 60,
    manager_credit_micros: int = 0,
) -> list[Profile]:
    """Profiles with Credit that came from outside, one price for France, one carrier for everything."""
    revenue = Account.objects.create(kind="revenue", name="revenue", currency="USD", guarded=False)
    assert revenue.id
    funding = Account.objects.create(kind="funding", name="funding", currency="USD", guarded=False)
    price_list = PriceList.objects.create(name="test", currency="USD", echo_number="17606604690")
    Price.objects.create(
        price_list=price_list, prefix="33", destination="France", rate_per_minute_micros=RATE_MICROS, effective_from=START,
        first_increment_seconds=first, next_increment_seconds=following,
    )  # fmt: skip
    account = Account.objects.create(kind="manager", name="m", currency="USD", guarded=True)
    pay_in(funding, account, manager_credit_micros, "pay/manager")
    manager = Manager.objects.create(
        company_name="Architects", country="US", currency="USD", time_zone="UTC", admin_account="Architects.Admin", price_list=price_list,
        account=account, created_at=START,
    )  # fmt: skip
    carrier = Carrier.objects.create(name="north", host="127.0.0.1", port=5080)
    CarrierRoute.objects.create(carrier=carrier, prefix="")
    made = []
    for number in range(profiles):
        purse = Account.objects.create(kind="profile", name=f"p{number}", currency="USD", guarded=True)
        profile = Profile.objects.create(
            manager=manager, name=f"p{number}", channels=channels, calls_per_second=1000, account=purse, sip_user=f"{number:014d}",
            password_sealed="", ha1="0" * 32, created_at=START,
        )  # fmt: skip
        ChannelUse.objects.create(profile=profile)
        if channels:
            Term.objects.create(
                kind="channels", manager=manager, profile=profile, quantity=channels, price_micros=0, complimentary=True,
                starts_at=START, ends_at=START + timedelta(days=30),
            )  # fmt: skip
        Number.objects.create(e164=f"1202555{number:04d}", country="US", manager=manager, profile=profile)
        pay_in(funding, purse, credit_micros, f"pay/{number}")
        made.append(profile)
    return made


def give_minutes(profile: Profile, seconds: int, *, country: str = "FR", days: int = 30, quantity: int = 1) -> Account:
    """An open term of a bundle, and its purse."""
    funding, _ = Account.objects.get_or_create(kind="funding", currency="SEC", defaults={"name": "seconds", "guarded": False})
    Account.objects.get_or_create(kind="revenue", currency="SEC", defaults={"name": "used seconds", "guarded": False})
    purse = Account.objects.create(kind="bundle", name=f"minutes of {profile.name}", currency="SEC", guarded=True)
    product, _ = BundleProduct.objects.get_or_create(
        price_list=PriceList.objects.get(), code=f"{country}-{days}", name=f"{country} for {days} days", minutes=5000, price_micros=1,
        country=country, excluded_prefixes="us-traffic-exchanges" if country == "US" else "",
    )  # fmt: skip
    Term.objects.create(
        kind="bundle", manager=profile.manager, profile=profile, product=product, minutes=purse, quantity=quantity, granted_seconds=seconds,
        price_micros=0, starts_at=START, ends_at=START + timedelta(days=days),
    )  # fmt: skip
    pay_in(funding, purse, seconds, f"minutes/{purse.pk}", kind="minutes_granted")
    return purse


def pay_in(funding: Account, purse: Account, amount: int, key: str, kind: str = "start") -> None:
    if not amount:
        return
    Posting.objects.create(key=key, debit=funding, credit=purse, amount=amount, kind=kind, posted_us=START_US)
    for account, change in ((funding, -amount), (purse, amount)):
        account.refresh_from_db()
        account.balance += change
        account.save()


@dataclass
class Table:
    """A desk, a store and a clock. `crash` throws the memory away."""

    now_us: int = START_US + MICROSECONDS
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.crash()

    def crash(self) -> None:
        """What is in the store is all that remains."""
        self.store = HotPath()
        directory = StoreDirectory(sip_domain="trunkline.localhost", echo_uri="sip:echo@127.0.0.1:5070", now_us=self.now_us)
        registrar = Registrar(directory)
        registrar.load(self.store.registration_rows())
        self.desk = Desk("edge", directory, registrar, last_ref=largest_ref())
        for row in self.store.live_rows("edge"):
            live = live_calls.from_row(row)
            self.desk.calls.add(live)
            self.desk.schedule.set(live.ref, live.due_us(self.now_us))

    def turn(self, *items: Admit | Event, commit: bool = True) -> Outcome:
        """One turn at the present moment, with what is due."""
        questions = [(item, index) for index, item in enumerate(items) if isinstance(item, Admit)]
        events = [item for item in items if not isinstance(item, Admit)]
        self.store.begin()
        outcome = Turn(self.desk, self.store, self.now_us).run(questions, events, self.desk.schedule.take_due(self.now_us))
        if commit:
            self.store.commit()
        else:
            self.store.rollback()
        return outcome

    def admit(self, profile: Profile, dialled: str = FRANCE, **more: Any) -> Admit:
        number = next(self._numbers)
        key = hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()
        return Admit(number, key, "profile", profile.id, dialled, self.now_us, call_id=f"{number}@pbx", **more)

    def verdict(self, profile: Profile, dialled: str = FRANCE, **more: Any) -> dict[str, Any]:
        return self.turn(self.admit(profile, dialled, **more)).answers[0][1]

    def start_call(self, profile: Profile, dialled: str = FRANCE) -> str:
        verdict = self.verdict(profile, dialled)
        assert verdict["go"], verdict
        return str(verdict["call"])

    def answered_call(self, profile: Profile, dialled: str = FRANCE) -> str:
        ref = self.start_call(profile, dialled)
        self.turn(self.answered(ref))
        return ref

    def answered(self, ref: str, at_us: int | None = None) -> Answered:
        return Answered(self.now_us if at_us is None else at_us, ref, legs={"call_id": "x"})

    def ended(self, ref: str, at_us: int | None = None) -> Ended:
        return Ended(self.now_us if at_us is None else at_us, ref, "caller")

    def failed(self, ref: str, status: int = 486) -> Failed:
        return Failed(self.now_us, ref, status=status, phrase="x", by="callee")

    def pass_seconds(self, seconds: float) -> list[Outcome]:
        """Time passes; call control is woken at each moment that it has set."""
        until_us = self.now_us + int(seconds * MICROSECONDS)
        outcomes = []
        while (moment := self.desk.schedule.next_us()) is not None and moment <= until_us:
            self.now_us = max(self.now_us, moment)
            outcomes.append(self.turn())
        self.now_us = until_us
        return outcomes


def free_micros(profile: Profile) -> int:
    return free(Account.objects.get(id=profile.account_id))


def free(purse: Account) -> int:
    purse.refresh_from_db()
    return purse.balance - purse.held


def record(ref: str) -> CallRecord:
    return CallRecord.objects.get(call_ref=int(ref))


def differences() -> list[str]:
    """The ledger counted again, in the plainest way: not with the product's own audit."""
    found = []
    for account in Account.objects.all():
        came = Posting.objects.filter(credit=account).aggregate(n=Sum("amount"))["n"] or 0
        went = Posting.objects.filter(debit=account).aggregate(n=Sum("amount"))["n"] or 0
        held = LiveCall.objects.filter(purse=account).aggregate(n=Sum("held"))["n"] or 0
        held += LiveCall.objects.filter(minutes=account).aggregate(n=Sum("minutes_held_seconds"))["n"] or 0
        if account.balance != came - went:
            found.append(f"account {account.name}: {account.balance} != {came - went}")
        if account.held != held:
            found.append(f"account {account.name} holds {account.held} != {held}")
        if account.guarded and account.balance < account.held:
            found.append(f"account {account.name} is below zero")
    for use in ChannelUse.objects.all():
        count = (
            LiveCall.objects.filter(caller_profile=use.profile_id).count() + LiveCall.objects.filter(callee_profile=use.profile_id).count()
        )
        if use.in_use != count:
            found.append(f"profile {use.profile_id}: {use.in_use} channels != {count}")
    for call in CallRecord.objects.all():
        there = Posting.objects.filter(call_ref=call.call_ref, kind="call").aggregate(n=Sum("amount"))["n"] or 0
        back = Posting.objects.filter(call_ref=call.call_ref, kind="call_back").aggregate(n=Sum("amount"))["n"] or 0
        if call.cost_micros != there - back:
            found.append(f"call {call.call_ref}: cost {call.cost_micros} != {there - back}")
        drawn = Posting.objects.filter(call_ref=call.call_ref, kind="minutes").aggregate(n=Sum("amount"))["n"] or 0
        returned = Posting.objects.filter(call_ref=call.call_ref, kind="minutes_back").aggregate(n=Sum("amount"))["n"] or 0
        if call.bundle_seconds != drawn - returned:
            found.append(f"call {call.call_ref}: {call.bundle_seconds} s from bundles != {drawn - returned}")
    return found + differences_in_usage()


def differences_in_usage() -> list[str]:
    """Each quarter of an hour counted again, record by record."""
    counted: Counter[tuple[int, int, str]] = Counter()
    for call in CallRecord.objects.exclude(profile=None):
        starts_us = call.started_us // 900_000_000 * 900_000_000
        worth = 1 + 1000 * call.duration_seconds + 7 * call.billed_seconds + 3 * call.bundle_seconds + 11 * call.cost_micros
        counted[call.profile_id or 0, starts_us, call.direction] += worth + (5 if call.result == "answered" else 0)
        if call.peer_profile_id is not None:
            counted[call.peer_profile_id, starts_us, "incoming"] += (
                1 + 1000 * call.duration_seconds + (5 if call.result == "answered" else 0)
            )
    stored = {
        (each.profile_id, each.starts_us, each.direction): each.attempts + 1000 * each.duration_seconds + 7 * each.billed_seconds
        + 3 * each.bundle_seconds + 11 * each.cost_micros + 5 * each.answered
        for each in UsageBucket.objects.all()
    }  # fmt: skip
    return [f"bucket {key}: {counted[key]} != {stored.get(key)}" for key in {*counted, *stored} if counted[key] != stored.get(key)]
