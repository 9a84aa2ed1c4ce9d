"""The bench's company, made by use cases like any other. Needs an open store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bench.load import User
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.store.work import By
from trunkline.usecases import carriers, credit, managers, numbers, prices, profiles

BY = By("bench", "bench")
CHANNELS = 300
CREDIT_MICROS = 10_000 * MICROS
MOST_CALLS_PER_SECOND = 1000
PRICES = b"prefix,destination,rate per minute,connection fee,increments\n44,United Kingdom,0.02,0.01,60/60\n"
AREA_CODES = (202, 212, 213, 312, 404)
"""In each of them 555-0100 to 555-0199 are kept for fiction."""
CALLED = "4420794600{:02d}"
"""Of London's numbers for drama: nobody has them."""


@dataclass
class Company:
    now: datetime
    sip_domain: str
    manager_id: int
    free_numbers: Iterator[str]

    @classmethod
    def found(cls, *, now: datetime, sip_domain: str, carrier: tuple[str, int]) -> Company:
        """With prices, Credit, numbers, and a carrier for all numbers."""
        price_list_id = prices.create_price_list(now=now, by=BY, name="Bench USD", currency="USD")
        prices.import_price_list(now=now, by=BY, price_list_id=price_list_id, data=PRICES)
        manager_id = managers.create_manager(
            now=now,
            by=BY,
            company_name="Bench",
            country="US",
            currency="USD",
            time_zone="America/New_York",
            admin_account="Bench.Admin",
            price_list_id=price_list_id,
        ).manager_id
        host, port = carrier
        gateway = carriers.Gateway(host=host, port=port, probe=False)
        carrier_id = carriers.create_carrier(now=now, by=BY, name="Bench", gateway=gateway, allow_private=True)
        carriers.set_route(now=now, by=BY, carrier_id=carrier_id, prefix="")
        stock = [f"1{area}55501{last:02d}" for area in AREA_CODES for last in range(100)]
        numbers.add_numbers(now=now, by=BY, stock=[stock_number(e164) for e164 in stock])
        return cls(now, sip_domain, manager_id, iter(stock))

    def profile(self, media: str) -> User:
        """Active, with Credit, a number and its Caller ID. `media`: `direct` or `relay`."""
        number = next(self.free_numbers)
        name = f"PBX {number}"
        made = profiles.create_profile(
            now=self.now, by=BY, manager_id=self.manager_id, name=name, channels=CHANNELS, sip_domain=self.sip_domain
        )
        ident = made.profile_id
        credit.book_payment(now=self.now, by=BY, manager_id=self.manager_id, amount_micros=CREDIT_MICROS, reference=number)
        credit.allocate_credit(now=self.now, by=BY, profile_id=ident, amount_micros=CREDIT_MICROS, reference=number)
        numbers.assign_number(now=self.now, by=BY, profile_id=ident, e164=number)
        profiles.set_caller_id(now=self.now, by=BY, profile_id=ident, caller_id=number)
        profiles.set_limits(now=self.now, by=BY, profile_id=ident, calls_per_second=MOST_CALLS_PER_SECOND)
        profiles.set_media(now=self.now, by=BY, profile_id=ident, media=media)
        return User(made.sip_user, made.password, CALLED.format(int(number[-2:])))
