"""A company that can buy: prices, Credit, and profiles without a subscription. Made at the instance's time, which pages go by."""

from __future__ import annotations

from datetime import timedelta

from tests.store.cast import BY, SIP_DOMAIN, Company, make_manager, make_price_list
from tests.web.cast import Cast, sell
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.usecases import credit, profiles

CHANNEL = 5 * MICROS
BUNDLE = 20 * MICROS


def make_shop(company_name: str = "Architects", *, credit_units: int = 500) -> Cast:
    """Two profiles, without channels and without Credit."""
    price_list_id = make_price_list(f"Prices of {company_name}")
    sell(price_list_id)
    manager_id = make_manager(price_list_id, company_name)
    now = clock.now()
    if credit_units:
        credit.book_payment(now=now, by=BY, manager_id=manager_id, amount_micros=credit_units * MICROS, reference="first")
    names = ("Sales.Architects", "Engineering.Architects")
    made = (profiles.create_profile(now=now, by=BY, manager_id=manager_id, name=name, sip_domain=SIP_DOMAIN) for name in names)
    return Cast(Company(manager_id, price_list_id, tuple(each.profile_id for each in made)))


def product_of(cast: Cast) -> int:
    return sell(cast.company.price_list_id)


def wait(**time: int) -> None:
    """The instance's clock is put forward."""
    clock.put_forward(clock.now() + timedelta(**time))
