"""The company whose calls are disturbed, made by use cases like any other."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.faults.instance import Instance
from tests.siptest import UserAgent
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.store.models import Profile
from trunkline.store.work import By
from trunkline.usecases import carriers, credentials, credit, managers, numbers, prices, profiles

BY = By("faults", "test")
SHEET = b"""prefix,destination,rate per minute,connection fee,increments
44,United Kingdom,0.02,0.01,60/60
49,Germany,0.60,0,1/1
33,France,0.60,0,5/5
39,Italy,0.60,0,60/60
"""
RATES = {"44": (20_000, 10_000, 60), "49": (600_000, 0, 1), "33": (600_000, 0, 5), "39": (600_000, 0, 60)}
"""By prefix, as in the sheet: micro-units a minute, connection fee, increment in seconds."""
FICTION = [f"1{area}55501{last:02d}" for area in (202, 212, 213, 312) for last in range(100)]


def fair_price(number: str, talked_us: int) -> int:
    """What a call costs, counted in the plainest way."""
    per_minute, fee, increment = RATES[number.lstrip("+")[:2]]
    increments = max(1, -(-talked_us // (increment * 1_000_000)))
    return fee + increments * per_minute * increment // 60


@dataclass(frozen=True)
class Pbx:
    """A SIP Profile, as its PBX knows it."""

    profile_id: int
    sip_user: str
    password: str
    number: str

    def agent(self, instance: Instance, port: int = 0) -> UserAgent:
        """`port`: the one of its IP authentication; it shows no password then."""
        return UserAgent(
            server=instance.server,
            domain=instance.domain,
            user=self.sip_user,
            password="" if port else self.password,
            host=instance.pbx_address,
            port=port,
        )

    @property
    def credit_micros(self) -> int:
        return Profile.objects.get(pk=self.profile_id).account.balance


@dataclass
class Company:
    instance: Instance
    manager_id: int
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _callees: itertools.count[int] = field(default_factory=lambda: itertools.count(199_001_000))

    @classmethod
    def found(cls, instance: Instance) -> Company:
        """With prices, numbers, and a carrier for all calls."""
        acting: dict[str, Any] = {"now": datetime.now(UTC), "by": BY}
        price_list_id = prices.create_price_list(**acting, name="Faults USD", currency="USD")
        prices.import_price_list(**acting, price_list_id=price_list_id, data=SHEET)
        manager_id = managers.create_manager(
            **acting, company_name="Architects", country="US", currency="USD", time_zone="America/New_York",
            admin_account="Architects.Admin", price_list_id=price_list_id,
        ).manager_id  # fmt: skip
        gateway = carriers.Gateway(host=instance.carrier_address, port=instance.carrier_port, probe=False)
        carrier_id = carriers.create_carrier(**acting, name="North", gateway=gateway, allow_private=True)
        carriers.set_route(**acting, carrier_id=carrier_id, prefix="")
        numbers.add_numbers(**acting, stock=[stock_number(e164) for e164 in FICTION])
        return cls(instance, manager_id)

    def pbx(self, *, credit_micros: int = 100 * MICROS, channels: int = 300, media: str = "direct", port: int = 0) -> Pbx:
        """A new profile with a number. `port`: no password, but IP authentication from there."""
        acting: dict[str, Any] = {"now": datetime.now(UTC), "by": BY}
        number = FICTION[next(self._numbers)]
        made = profiles.create_profile(
            **acting, manager_id=self.manager_id, name=f"PBX {number}", channels=channels, sip_domain=self.instance.domain
        )
        about: dict[str, Any] = {**acting, "profile_id": made.profile_id}
        if credit_micros:
            credit.book_payment(**acting, manager_id=self.manager_id, amount_micros=credit_micros, reference=number)
            credit.allocate_credit(**about, amount_micros=credit_micros, reference=number)
        numbers.assign_number(**about, e164=number)
        profiles.set_caller_id(**about, caller_id=number)
        profiles.set_limits(**about, calls_per_second=1000)
        profiles.set_media(**about, media=media)
        if port:
            credentials.set_ip_authentication(**about, address=self.instance.pbx_address, port=port, allow_private=True)
        return Pbx(made.profile_id, made.sip_user, made.password, number)

    def callee(self, prefix: str) -> str:
        """Somebody in that country whom nobody has called yet."""
        return f"+{prefix}{next(self._callees)}"

    def carrier(self) -> UserAgent:
        """The carrier's gateway."""
        instance = self.instance
        here: dict[str, Any] = {"host": instance.carrier_address, "port": instance.carrier_port}
        return UserAgent(server=instance.server, domain=instance.domain, user="carrier", **here)
