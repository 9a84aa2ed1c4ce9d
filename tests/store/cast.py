"""Who appears in these tests: a company made as an operator makes it, through the use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from trunkline.domain.money import MICROS
from trunkline.store.models import Account, Manager, Profile
from trunkline.store.work import By
from trunkline.usecases import credit, managers, prices, profiles

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BY = By("operator ada", "test")
SIP_DOMAIN = "trunkline.localhost"
SHEET = b"prefix,destination,rate\n1,United States,0.02\n33,France,0.03\n336,France mobile,0.06\n"


@dataclass(frozen=True)
class Company:
    manager_id: int
    price_list_id: int
    profile_ids: tuple[int, ...]

    @property
    def manager(self) -> Manager:
        return Manager.objects.select_related("account").get(pk=self.manager_id)

    def profile(self, number: int = 0) -> Profile:
        return Profile.objects.select_related("account", "manager").get(pk=self.profile_ids[number])

    def purse(self, number: int = 0) -> Account:
        return self.profile(number).account


def make_price_list(name: str = "Standard", currency: str = "USD", sheet: bytes = SHEET) -> int:
    ident = prices.create_price_list(now=NOW, by=BY, name=name, currency=currency, echo_number="17606604690")
    prices.import_price_list(now=NOW, by=BY, price_list_id=ident, data=sheet)
    return ident


def make_manager(price_list_id: int, company_name: str = "Architects", country: str = "US") -> int:
    return managers.create_manager(
        now=NOW,
        by=BY,
        company_name=company_name,
        country=country,
        currency="USD",
        time_zone="America/New_York",
        admin_account=f"{company_name.replace(' ', '')}.{country}.Admin",
        price_list_id=price_list_id,
    ).manager_id


def make_profile(manager_id: int, name: str, channels: int = 3) -> int:
    made = profiles.create_profile(now=NOW, by=BY, manager_id=manager_id, name=name, channels=channels, sip_domain=SIP_DOMAIN)
    return made.profile_id


def make_company(*, credit_units: int = 100, allocated_units: int = 0, profile_count: int = 1, company_name: str = "Architects") -> Company:
    """A Manager with Credit, and profiles that each have a part of it."""
    price_list_id = make_price_list(f"Prices of {company_name}")
    manager_id = make_manager(price_list_id, company_name)
    if credit_units:
        credit.book_payment(now=NOW, by=BY, manager_id=manager_id, amount_micros=credit_units * MICROS, reference="first")
    idents = tuple(make_profile(manager_id, f"Profile {number}") for number in range(profile_count))
    for ident in idents:
        if allocated_units:
            credit.allocate_credit(now=NOW, by=BY, profile_id=ident, amount_micros=allocated_units * MICROS, reference="first")
    return Company(manager_id, price_list_id, idents)
