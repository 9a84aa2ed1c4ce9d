"""Companies to draw: the guide's Architects (G 9), and one with many profiles."""

from __future__ import annotations

import time
from typing import Any

from tests.store.cast import BY, make_profile
from tests.web.cast import Cast
from tests.web.shop import make_shop, product_of
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.store.models import Account, BusinessAccount, CallerIdRule, ChannelUse, Landline, Manager, Number, Profile, Registration
from trunkline.usecases import account_places, accounts, bundles, credit, subscriptions


def make_architects() -> Cast:
    """Sales with a number that it shows, a name at an extension, a bundle, Credit and a PBX; Engineering with a number, and with somebody who is
    away and has one, too; a member with a web phone; and one of each kind that is on no profile."""
    cast = make_shop()
    now, manager_id = clock.now(), cast.company.manager_id
    sales, engineering = cast.company.profile_ids
    for profile_id in (sales, engineering):
        subscriptions.buy_channels(now=now, by=BY, profile_id=profile_id, channels=4)
        credit.allocate_credit(now=now, by=BY, profile_id=profile_id, amount_micros=10 * MICROS, reference="first")
    bundles.buy_bundles(now=now, by=BY, profile_id=sales, product_id=product_of(cast), quantity=2)
    number(manager_id, "12125550100", profile_id=sales)
    number(manager_id, "12026555376", profile_id=engineering)
    number(manager_id, "13125550188")
    for name, profile_id, extension in (("Sales", sales, "100"), ("Engineering", engineering, "200"), ("Hiroshi.Tanaka", engineering, "")):
        accounts.create_account(now=now, by=BY, manager_id=manager_id, name=f"Architects.{name}")
        account_places.add_account(now=now, by=BY, profile_id=profile_id, name=f"Architects.{name}", extension=extension)
    number(manager_id, "14155550123", account=BusinessAccount.objects.get(name="Architects.Hiroshi.Tanaka"))
    accounts.create_account(now=now, by=BY, manager_id=manager_id, name="Architects.Model.Shop")
    accounts.create_account(now=now, by=BY, manager_id=manager_id, name="Architects.Reception", email="reception@example.com")
    show_caller_ids(manager_id, sales, engineering)
    register(sales)
    ChannelUse.objects.update_or_create(profile_id=sales, defaults={"in_use": 2})
    return cast


def show_caller_ids(manager_id: int, sales: int, engineering: int) -> None:
    """Sales its own number, and to the UK a landline there, which is all that Engineering shows; a third landline waits."""
    for e164, proof in (("442079460018", Landline.Proof.OPERATOR), ("12125550177", Landline.Proof.WAITING)):
        proven_at = clock.now() if proof != Landline.Proof.WAITING else None
        Landline.objects.create(manager_id=manager_id, e164=e164, proof=proof, proven_at=proven_at, created_at=clock.now())
    Manager.objects.filter(pk=manager_id).update(verification=Manager.Verification.VERIFIED)
    Profile.objects.filter(pk=sales).update(caller_id="12125550100")
    Profile.objects.filter(pk=engineering).update(caller_id="442079460018")
    CallerIdRule.objects.create(profile_id=sales, country="GB", e164="442079460018")


def make_many(profile_count: int = 100, numbers_each: int = 3, company_name: str = "Architects") -> Cast:
    """Each profile with numbers and a name; nine of ten have a PBX, and some a bundle. Beside them are the two of the shop, with nothing."""
    cast = make_shop(company_name, credit_units=100_000)
    for at in range(profile_count):
        profile_id = make_profile(cast.company.manager_id, f"Branch {at:03}.Architects", channels=10)
        add_things(cast, profile_id, at, numbers_each)
    return cast


def add_things(cast: Cast, profile_id: int, at: int, numbers_each: int) -> None:
    manager_id = cast.company.manager_id
    for each in range(numbers_each):
        number(manager_id, f"1212{at:03}{manager_id:02}{each:02}", profile_id=profile_id)
    name = f"Branch.{manager_id}.{at}.Desk"
    BusinessAccount.objects.create(manager_id=manager_id, name=name, profile_id=profile_id, extension=str(at), created_at=clock.now())
    if at < 3:
        bundles.buy_bundles(now=clock.now(), by=BY, profile_id=profile_id, product_id=product_of(cast), quantity=1)
    if at % 10:
        register(profile_id)


def number(manager_id: int, e164: str, **place: Any) -> Number:
    return Number.objects.create(e164=e164, country="US", manager_id=manager_id, **place)


def register(profile_id: int, user_agent: str = "Asterisk PBX 22", **other: Any) -> None:
    """Now, for an hour."""
    now_us = int(time.time()) * MICROS
    facts = {
        "since_us": now_us,
        "refreshed_us": now_us,
        "expires_us": now_us + 3_600 * MICROS,
        "behind_nat": True,
        "call_id": "x",
        "cseq": 1,
    }
    place = {"contact": "sip:pbx@9.9.9.9:5060", "source": "udp:9.9.9.9:5060", "socket": "udp:127.0.0.1:5060", "user_agent": user_agent}
    Registration.objects.create(profile_id=profile_id, **place | facts | other)


def hold(profile_id: int, amount_micros: int) -> None:
    """As a call in progress would."""
    Account.objects.filter(profile=profile_id).update(held=amount_micros)
