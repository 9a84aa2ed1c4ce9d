"""docs/tutorial/architects.md, walked through from an empty company: what it presses, types and shows is what the product has.

`make screenshots` walks through it as well, and writes its pictures.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.browser.conftest import Visitor
from tests.browser.test_accounts import code_in_mail
from tests.browser.tutorial import IMAGES, TUTORIAL, WIDTH, Walk, pictures
from tests.store.cast import Company
from tests.web.calls import MICROSECONDS, pay, write
from tests.web.cast import PASSWORD
from trunkline.store import clock
from trunkline.store.audit import audit
from trunkline.store.models import ChannelUse, Manager, Profile, Registration
from trunkline.usecases.demo import load_prices

SALES, ENGINEERING = "Sales.Architects", "Engineering.Architects"
LARGEST_PICTURE = 120_000


@pytest.fixture
def walk(visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """An instance with prices and numbers, and nobody in it; payments are the fake provider's."""
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRUNKLINE_WEB_PORT", str(urlsplit(visitor.site).port))
    load_prices(clock.now())
    return Walk(visitor)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_g_8_2_3_the_tutorial_is_true(walk: Walk) -> None:
    open_a_manager(walk)
    top_up(walk)
    walk.look("03-credit")
    make_the_profile_of_sales(walk)
    give_it_credit(walk)
    add_the_account_of_sales(walk)
    make_the_profile_of_engineering(walk)
    buy_a_number(walk)
    redirect_a_member(walk)
    show_the_number(walk)
    read_the_report(walk)
    walk.follow("Features")
    walk.follow("Schematic")
    walk.look("16-schematic")
    assert walk.ahead == []
    ChannelUse.objects.update(in_use=0)  # whoever talked in the pictures has hung up
    assert audit().ok


def test_each_picture_is_of_a_step_and_small() -> None:
    named = {picture.name for picture in pictures()}
    assert re.findall(r"images/[^)]*", TUTORIAL.read_text()) == [f"images/{picture.name}.png" for picture in pictures()]
    assert {path.name for path in IMAGES.iterdir()} == {f"{name}.png" for name in named}
    for path in IMAGES.iterdir():
        assert path.stat().st_size <= LARGEST_PICTURE, path.name
        with Image.open(path) as picture:
            assert picture.width == WIDTH, path.name


def open_a_manager(walk: Walk) -> None:
    walk.visitor.go("/")
    walk.follow("Open a Manager")
    walk.type("Company name", "Architects")
    walk.choose("Country", "United States")
    walk.choose("Time zone", "America/New York")
    walk.type("E-mail address", "admin@architects.example.com")
    walk.visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    walk.look("01-open-a-manager")
    walk.press("Open the Manager")
    walk.visitor.page.locator("input[name=code]").fill(code_in_mail())
    walk.press("Confirm")
    walk.look("02-overview")


def top_up(walk: Walk) -> None:
    walk.follow("Credit")
    walk.type("Amount", "100")
    walk.press("Next")
    walk.press("Go on to pay")
    walk.follow("Pay $100.00")
    walk.press("Approve")
    walk.visitor.sees("is on your Credit")


def make_the_profile_of_sales(walk: Walk) -> None:
    begin_a_profile(walk, SALES)
    walk.type("How many calls at the same time, at most?", "3")
    walk.visitor.sees("$20.85")
    walk.look("04-channels")
    walk.press("Next")
    walk.press("Next")
    walk.visitor.page.get_by_label("Auto-recharge its Credit").uncheck()
    walk.look("05-review")
    walk.press("Set up and create profile")
    walk.look("06-created")


def begin_a_profile(walk: Walk, name: str) -> None:
    walk.follow("Features")
    walk.follow("Trunks")
    walk.follow("Create a new profile")
    walk.type("Profile name", name)
    walk.press("Next")


def give_it_credit(walk: Walk) -> None:
    register(Profile.objects.get(name=SALES))
    ChannelUse.objects.filter(profile__name=SALES).update(in_use=1)
    walk.follow("View profile")
    walk.follow("Set up outgoing calls")
    allocate_and_recharge(walk)
    walk.look("07-auto-recharge")


def allocate_and_recharge(walk: Walk) -> None:
    walk.type("Amount", "10")
    walk.press("Add credit")
    walk.visitor.sees("has $10.00 of Credit now")
    walk.follow("Auto-recharge settings")
    walk.press("Save changes")
    walk.visitor.sees("Auto-recharge is on")


def register(profile: Profile) -> None:
    """By the one PBX of both, as a real one does in `./trunkline demo`."""
    now_us = int(time.time() * MICROSECONDS)
    Registration.objects.create(
        profile=profile, contact="sip:pbx@203.0.113.7:5060", source="udp:203.0.113.7:5060", socket="udp:127.0.0.1:5060", behind_nat=True,
        user_agent="Asterisk PBX 22.5.2", call_id="x", cseq=1, since_us=now_us, refreshed_us=now_us, expires_us=now_us + 600 * MICROSECONDS,
    )  # fmt: skip


def add_the_account_of_sales(walk: Walk) -> None:
    walk.follow("Profile")
    to_accounts(walk)
    create_account(walk, "Architects.Sales")
    walk.look("08-account")
    walk.press("Confirm")
    walk.visitor.sees("reach the PBX")
    walk.look("09-profile-of-sales")


def to_accounts(walk: Walk) -> None:
    walk.follow("Add a number or business account")
    walk.follow("Add business account")


def create_account(walk: Walk, name: str) -> None:
    walk.follow("Create a new account")
    walk.type("Name", name)
    walk.press("Create account")
    walk.visitor.sees("is there")


def make_the_profile_of_engineering(walk: Walk) -> None:
    top_up(walk)
    begin_a_profile(walk, ENGINEERING)
    walk.type("How many calls at the same time, at most?", "2")
    walk.press("Next")
    walk.type("5,000 US minutes", "1")
    walk.press("Next")
    walk.visitor.page.get_by_label("Auto-recharge its Credit").uncheck()
    walk.look("10-review-of-engineering")
    walk.press("Set up and create profile")
    register(Profile.objects.get(name=ENGINEERING))
    walk.follow("Add Credit")
    allocate_and_recharge(walk)
    walk.follow("Profile")
    to_accounts(walk)
    create_account(walk, "Architects.Engineering")
    walk.type("Extension", "300")
    walk.press("Confirm")
    walk.visitor.sees("reach the PBX")


def buy_a_number(walk: Walk) -> None:
    walk.follow("Add a number or business account")
    choose_number(walk, "+1 202-555-0130")
    walk.look("11-number")
    walk.press("Buy now")
    walk.visitor.sees("is yours")
    walk.look("12-profile-of-engineering")


def choose_number(walk: Walk, number: str) -> None:
    walk.follow("Buy an Online Number")
    walk.follow("Choose", of=number)
    walk.visitor.page.get_by_label("I agree to these terms").check()


def redirect_a_member(walk: Walk) -> None:
    walk.follow("People")
    walk.follow("Business accounts")
    create_account(walk, "Architects.Engineer")
    walk.follow("Features")
    walk.follow("Online Numbers")
    choose_number(walk, "+1 202-555-0131")
    walk.press("Buy now")
    walk.follow("Reallocate number")
    walk.type("Or a member's business account", "Architects.Engineer")
    walk.press("Confirm")
    walk.look("13-number-of-a-member")
    walk.follow("Trunks")
    walk.follow("View profile", of=ENGINEERING)
    to_accounts(walk)
    walk.type("Business account", "Architects.Engineer")
    walk.press("Confirm")
    walk.visitor.sees("reach the PBX")
    walk.follow("Incoming calls")
    walk.look("14-incoming")


def show_the_number(walk: Walk) -> None:
    walk.follow("Profile")
    walk.follow("Set up Caller ID")
    walk.follow("Use an Online Number")
    walk.choose("Number that is shown", "+1 202-555-0130")
    walk.press("Save settings")
    walk.visitor.sees("Calls show")


def read_the_report(walk: Walk) -> None:
    manager = Manager.objects.get()
    ids = tuple(Profile.objects.get(name=name).pk for name in (SALES, ENGINEERING))
    made_a_day_of_calls(Company(manager.pk, manager.price_list_id, ids))
    walk.follow("Trunks")
    walk.follow("View profile", of=SALES)
    walk.follow_left("Reports", menu=SALES)
    walk.press("I understand")
    walk.look("15-usage")


def made_a_day_of_calls(company: Company) -> None:
    """Of Sales, as call control writes them: one that costs, one that is free, one that nobody answered."""
    began = int(time.time() * MICROSECONDS) - 20 * MICROSECONDS  # in the month that the report shows by itself
    talked = {"duration_seconds": 75, "billed_seconds": 120, "answered_us": began}
    abroad = {"started_us": began, "callee": "442079460100", "destination": "United Kingdom", "cost_micros": 70_000, "paid_by": "profile"}
    echo = {
        "started_us": began + 8 * MICROSECONDS,
        "callee": "17606604690",
        "destination": "Echo test",
        "rate_per_minute_micros": 0,
        "connection_fee_micros": 0,
    }
    refs = write(
        company,
        abroad | talked,
        echo | talked,
        {"started_us": began + 16 * MICROSECONDS, "callee": "33123456789", "result": "no_answer", "sip_status": 480},
    )
    pay(company, refs[0], 1, 40_000, began)
    pay(company, refs[0], 2, 30_000, began + 60 * MICROSECONDS)
