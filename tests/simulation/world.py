"""One service with many companies, a time of its own, and everything that may go wrong. The seed decides all of it."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.callcontrol.ground import Table
from tests.simulation.crash import Crash, Fuse, start_again
from tests.simulation.switch import Switch
from trunkline.callcontrol.batch import EndCall
from trunkline.callcontrol.protocol import Ended
from trunkline.domain.errors import Conflict, NotEnoughCredit, Problem
from trunkline.domain.money import MICROS
from trunkline.domain.payments import Limits, Means
from trunkline.providers.payments.fake import FakePayments
from trunkline.store.ledger import microseconds
from trunkline.store.models import BundleProduct, Manager, Number, Posting
from trunkline.store.work import By
from trunkline.usecases import carriers, credit, managers, numbers, prices, products, profiles, purchase_limits
from trunkline.usecases.profile_orders import Order

T = TypeVar("T")
START = datetime(2026, 3, 1, tzinfo=UTC)
BY = By("simulation", "test")
SHEET = b"prefix,destination,rate,connection fee\n1,United States,0.02,0\n33,France,0.03,0\n44,United Kingdom,0.024,0.05\n"
RATES = {"1": (20_000, 0), "33": (30_000, 0), "44": (24_000, 50_000)}
DIALLED = ("+12125550100", "+12125550101", "+33123456789", "+442079460000")
CHANNEL_PRICE = 6_950_001  # not to be divided by 30 days
BUNDLES = {"us-small": (30, 3_333_331), "us-large": (100, 7_000_003)}  # minutes, price
NUMBER_PRICE = 4_990_000
MOST_TURNS = 500_000  # a day
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")


@dataclass
class Company:
    manager_id: int
    zone: str
    profile_ids: list[int]


@dataclass
class World:
    seed: int
    home: Path
    company_count: int
    crash_chance: float
    now: datetime = START
    counts: Counter[str] = field(default_factory=Counter)
    companies: list[Company] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.fuse = Fuse()
        self._names = itertools.count(1)
        self._plans: list[tuple[int, int, Callable[[], None]]] = []
        self.provider = FakePayments(path=self.home / f"payments-{self.seed}.sqlite3", key=b"k" * 32)
        self._open_business()
        self.switch = Switch(Table(now_us=self.now_us), self.fuse, self._bad_luck, self._edge_ends)

    @property
    def now_us(self) -> int:
        return microseconds(self.now)

    def name(self) -> str:
        return f"s{next(self._names)}"

    # Time

    def plan(self, at: datetime, do: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (microseconds(at), next(self._names), do))

    def soon(self, most_seconds: float, do: Callable[[], None]) -> None:
        self.plan(self.now + timedelta(microseconds=self.chance.randint(1, int(most_seconds * 1_000_000))), do)

    def live_until(self, until: datetime) -> None:
        """Each thing at its moment: what is planned, and what call control has set itself."""
        until_us, turns = microseconds(until), 0
        while True:
            planned_us = self._plans[0][0] if self._plans else until_us + 1
            due_us = self.switch.next_us()
            if due_us is not None and due_us <= min(planned_us, until_us):
                self._pass_to(due_us)
                self.switch.wake(self.now_us)
                turns += 1
            elif planned_us <= until_us:
                _, _, do = heapq.heappop(self._plans)
                self._pass_to(planned_us)
                do()
            else:
                return self._pass_to(until_us)
            assert turns < MOST_TURNS, "call control has something due for ever"

    def _pass_to(self, at_us: int) -> None:
        self.now = max(self.now, START + timedelta(microseconds=at_us - microseconds(START)))
        self.switch.table.now_us = self.now_us

    # Doing

    def attempt(self, what: str, do: Callable[[], T]) -> T | Problem:
        """As a person or the clock does it: when the process dies on the way, it is done again. What was refused has booked nothing."""
        crashed, before = False, self.last_posting()
        for _ in range(2):
            statements = None if crashed else self._bad_luck()
            if statements is not None:
                self.fuse.light(statements)
            try:
                done = do()
            except Crash:
                crashed = True
                self.recover()
            except Problem as problem:
                self.fuse.put_out()
                self.counts[f"{what}: refused"] += 1
                if not crashed and self.last_posting() != before:
                    raise AssertionError(f"{what} was refused and booked something") from problem
                return problem
            else:
                self.counts[what] += 1
                return done
            finally:
                self.fuse.put_out()
        raise AssertionError("it crashes only once")

    def recover(self) -> None:
        start_again()
        if not self.switch.away:
            self.switch.start()

    @staticmethod
    def last_posting() -> int:
        return Posting.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def acting(self) -> dict[str, Any]:
        return {"now": self.now, "by": BY}

    def _bad_luck(self) -> int | None:
        return self.chance.randint(0, 45) if self.chance.random() < self.crash_chance else None

    def _edge_ends(self, command: EndCall) -> None:
        ended_us = max(command.at_us, self.now_us) + self.chance.randint(0, 200_000)
        at = START + timedelta(microseconds=ended_us - microseconds(START))
        self.plan(at, lambda: self.switch.tell(Ended(ended_us, str(command.ref), "edge")))

    # The beginning

    def _open_business(self) -> None:
        given = self.acting()
        self.price_list_id = prices.create_price_list(**given, name="Standard", currency="USD", echo_number="17606604690")
        prices.import_price_list(**given, price_list_id=self.price_list_id, data=SHEET)
        products.set_channel_price(**given, price_list_id=self.price_list_id, price_micros=CHANNEL_PRICE)
        for code, (minutes, price) in BUNDLES.items():
            products.set_bundle_product(
                **given, price_list_id=self.price_list_id, code=code, name=code, minutes=minutes, price_micros=price, country="US"
            )
        self.product_ids = {each.code: each.pk for each in BundleProduct.objects.all()}
        carrier_id = carriers.create_carrier(**given, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
        carriers.set_route(**given, carrier_id=carrier_id, prefix="")
        purchase_limits.set_limits(**given, currency="USD", means=Means.CARD, verified=True, limits=Limits(None, None))
        stock = "number,country\n" + "".join(f"+1646555{n:04d},US\n" for n in range(2 * self.company_count))
        numbers.import_numbers(**given, data=stock.encode())
        Number.objects.update(monthly_price_micros=NUMBER_PRICE)
        self.number_ids = list(Number.objects.values_list("pk", flat=True))
        self.companies = [self._company(number) for number in range(self.company_count)]

    def _company(self, number: int) -> Company:
        zone = ZONES[number % len(ZONES)]
        manager_id = managers.create_manager(
            **self.acting(), company_name=f"Company {number}", country="US", currency="USD", time_zone=zone,
            admin_account=f"Company{number}.Admin", price_list_id=self.price_list_id,
        ).manager_id  # fmt: skip
        if number % 2:
            Manager.objects.filter(pk=manager_id).update(verification=Manager.Verification.VERIFIED)
        credit.book_payment(**self.acting(), manager_id=manager_id, amount_micros=90 * MICROS, reference="first")
        return Company(manager_id, zone, [self.make_profile(manager_id) for _ in range(1 + number % 2)])

    def make_profile(self, manager_id: int) -> int:
        """With what the wizard sells, if that can be paid; a suspended company is sold nothing."""
        given: dict[str, Any] = {"manager_id": manager_id, "name": self.name(), "sip_domain": "trunkline.localhost"}
        order = Order(channels=self.chance.randint(1, 3), bundles=((self.product_ids["us-small"], 1),))
        if Manager.objects.get(pk=manager_id).state == Manager.State.SUSPENDED:
            with pytest.raises(Conflict, match="suspended"):
                profiles.create_profile(**self.acting(), **given, order=order)
            return profiles.create_profile(**self.acting(), **given).profile_id
        try:
            return profiles.create_profile(**self.acting(), **given, order=order).profile_id
        except NotEnoughCredit:
            return profiles.create_profile(**self.acting(), **given).profile_id
