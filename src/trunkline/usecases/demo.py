"""The demo company: what `make run` finds on its first start. Loading it again adds only what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from typing import Any

from trunkline.domain.errors import NotFound
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.domain.recharge import Recommended
from trunkline.runtime.settings import Settings
from trunkline.store import queries, sealing
from trunkline.store.models import Carrier, Manager, Number, PriceList, Profile
from trunkline.store.work import By
from trunkline.usecases import carriers, credit, managers, numbers, prices, products, profiles, recharge_rules, reminders
from trunkline.usecases.demo_accounts import load_demo_accounts

BY = By("demo", "trunkline")
COMPANY = "Architects"
PRICE_LIST = "Demo USD"
PRICES = files("trunkline.usecases") / "data" / "demo-usd.csv"
ECHO_NUMBER = "17606604690"
CARRIER = "Lab"
CREDIT_MICROS = 100 * MICROS
PROFILE_CREDIT_MICROS = 10 * MICROS
CHANNEL_MICROS = 6_950_000
BUNDLE_MICROS = 49 * MICROS
NOTICES = "architects.admin@example.com"
LOW_BALANCE_MICROS = 20 * MICROS
FOR_PROFILES = Recommended(threshold_micros=5 * MICROS, amount_micros=20 * MICROS)
FOR_MANAGERS = Recommended(threshold_micros=25 * MICROS, amount_micros=100 * MICROS)
# Name, channels, numbers; all from 555-0100 to 555-0199, which are kept for fiction.
PROFILES = (
    ("Sales.Architects", 5, ("12025550110", "12025550111")),
    ("Engineering.Architects", 3, ("12025550120",)),
)
FOR_RENT = ("12025550130", "12025550131")
AREA, NUMBER_MICROS = "Washington, DC", 4_500_000


@dataclass(frozen=True, slots=True)
class DemoProfile:
    profile_id: int
    name: str
    sip_user: str
    password: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoCompany:
    manager_id: int
    price_list_id: int
    carrier_id: int
    profiles: tuple[DemoProfile, ...]


def load_demo_company(*, now: datetime, settings: Settings) -> DemoCompany:
    """Company, prices, Credit, profiles, numbers and the lab's carrier."""
    price_list_id = load_prices(now)
    manager_id = _manager(now, price_list_id)
    credit.book_payment(now=now, by=BY, manager_id=manager_id, amount_micros=CREDIT_MICROS, reference="demo", note="demo Credit")
    made = tuple(_profile(now, settings, manager_id, row) for row in PROFILES)
    load_demo_accounts(now=now, manager_id=manager_id, profile_ids={each.name: each.profile_id for each in made})
    return DemoCompany(manager_id, price_list_id, _carrier(now, settings), made)


def load_prices(now: datetime) -> int:
    """What any company of this instance can buy: calls, channels, bundles, and numbers for rent."""
    _add_missing(now, FOR_RENT, area=AREA, monthly_price_micros=NUMBER_MICROS)
    known = PriceList.objects.filter(name=PRICE_LIST).first()
    ident = known.pk if known else prices.create_price_list(now=now, by=BY, name=PRICE_LIST, currency="USD", echo_number=ECHO_NUMBER)
    if known is None or known.version == 1:
        prices.import_price_list(now=now, by=BY, price_list_id=ident, data=PRICES.read_bytes())
    if known is None or known.channel_price_micros is None:
        _sell(now, ident)
    if known is None or known.recharge_amount_micros == 0:
        recharge_rules.recommend(now=now, by=BY, price_list_id=ident, profile=FOR_PROFILES, manager=FOR_MANAGERS)
    return ident


def _sell(now: datetime, price_list_id: int) -> None:
    """What a demo user can buy."""
    products.set_channel_price(now=now, by=BY, price_list_id=price_list_id, price_micros=CHANNEL_MICROS)
    products.set_bundle_product(
        now=now,
        by=BY,
        price_list_id=price_list_id,
        code="us-5000",
        name="5,000 US minutes",
        minutes=5000,
        price_micros=BUNDLE_MICROS,
        country="US",
        excluded_prefixes="us-traffic-exchanges",
    )


def _manager(now: datetime, price_list_id: int) -> int:
    known = Manager.objects.filter(company_name=COMPANY, country="US").first()
    ident = known.pk if known else _new_manager(now, price_list_id)
    if known is None or not known.email:
        reminders.set_notices(now=now, by=BY, manager_id=ident, email=NOTICES, low_balance_micros=LOW_BALANCE_MICROS)
    return ident


def _new_manager(now: datetime, price_list_id: int) -> int:
    return managers.create_manager(
        now=now,
        by=BY,
        company_name=COMPANY,
        country="US",
        currency="USD",
        time_zone="America/New_York",
        admin_account=f"{COMPANY}.Admin",
        price_list_id=price_list_id,
    ).manager_id


def _profile(now: datetime, settings: Settings, manager_id: int, row: tuple[str, int, tuple[str, ...]]) -> DemoProfile:
    name, channels, e164s = row
    if not Profile.objects.filter(manager_id=manager_id, name=name).exists():
        profiles.create_profile(now=now, by=BY, manager_id=manager_id, name=name, channels=channels, sip_domain=settings.sip_domain)
    profile = Profile.objects.get(manager_id=manager_id, name=name)
    credit.allocate_credit(now=now, by=BY, profile_id=profile.pk, amount_micros=PROFILE_CREDIT_MICROS, reference="demo")
    for e164 in _add_missing(now, e164s):
        numbers.assign_number(now=now, by=BY, e164=e164, profile_id=profile.pk)
        profiles.set_caller_id(now=now, by=BY, profile_id=profile.pk, caller_id=e164s[0])
    return DemoProfile(profile.pk, name, profile.sip_user, sealing.unseal(profile.password_sealed), e164s)


def _add_missing(now: datetime, e164s: tuple[str, ...], **about: Any) -> list[str]:
    known = set(Number.objects.filter(e164__in=e164s).values_list("e164", flat=True))
    missing = [e164 for e164 in e164s if e164 not in known]
    if missing:
        numbers.add_numbers(now=now, by=BY, stock=[replace(stock_number(e164), **about) for e164 in missing])
    return missing


def _carrier(now: datetime, settings: Settings) -> int:
    """The lab's carrier, where the settings say it listens now."""
    gateway = carriers.Gateway(host=settings.lab_carrier_address, port=settings.lab_carrier_port)
    try:
        known: Carrier = queries.carrier_named(CARRIER)
    except NotFound:
        ident = carriers.create_carrier(now=now, by=BY, name=CARRIER, gateway=gateway, allow_private=True)
        carriers.set_route(now=now, by=BY, carrier_id=ident, prefix="")
        return ident
    if (known.host, known.port) != (gateway.host, gateway.port):
        carriers.update_carrier(now=now, by=BY, carrier_id=known.pk, gateway=gateway, allow_private=True)
    return known.pk
