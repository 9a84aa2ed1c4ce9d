"""Guide 7.4: business accounts for incoming calls; and how they are made (SPEC R1.3)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.buyer import view_profile
from tests.browser.conftest import Visitor
from tests.store.cast import BY, NOW
from tests.web.cast import Cast, join, make_cast
from trunkline.domain.number_sheet import stock_number
from trunkline.store.models import BusinessAccount, Number, Person, Role
from trunkline.usecases import account_places, accounts, number_places, numbers

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

NUMBER = "12025550100"


@pytest.fixture
def cast(site: str) -> Cast:
    return make_cast(profile_count=2)


def make(cast: Cast, name: str) -> None:
    accounts.create_account(now=NOW, by=BY, manager_id=cast.company.manager_id, name=name)


def test_g_7_4_1_add_a_business_account(administrator: Visitor, cast: Cast) -> None:
    for name in ("Architects.Sales", "Architects.Engineering"):
        make(cast, name)
    view_profile(administrator, "Profile 0")
    administrator.follow("Add a number or business account")
    administrator.looks_right("incoming-number")
    administrator.follow("Add business account")
    administrator.page.get_by_label("Business account", exact=True).press_sequentially("sal")
    expect(administrator.page.locator("#found")).not_to_contain_text("Architects.Engineering")
    administrator.looks_right("incoming-account")
    administrator.follow("Architects.Sales")
    expect(administrator.page.get_by_label("Business account", exact=True)).to_have_value("Architects.Sales")
    administrator.page.get_by_label("Extension").fill("204")
    administrator.press("Confirm")
    administrator.sees("Calls to Architects.Sales reach the PBX of Profile 0 now.")
    administrator.looks_right("profile-account")
    account = BusinessAccount.objects.get(name="Architects.Sales")
    assert (account.profile_id, account.extension) == (cast.company.profile_ids[0], "204")


def test_g_7_4_1_a_new_business_account(administrator: Visitor, cast: Cast) -> None:
    """Step 6, the other way: made on the way, then added like any other."""
    view_profile(administrator, "Profile 0")
    administrator.follow("Add a number or business account")
    administrator.follow("Add business account")
    administrator.follow("Create a new account")
    administrator.page.get_by_label("Name", exact=True).fill("Architects.Reception")
    administrator.looks_right("account-create")
    administrator.press("Create account")
    administrator.sees("The account Architects.Reception is there.")
    expect(administrator.page.get_by_label("Business account", exact=True)).to_have_value("Architects.Reception")
    administrator.press("Confirm")
    administrator.sees("Calls to Architects.Reception reach the PBX of Profile 0 now.")
    assert BusinessAccount.objects.get().profile_id == cast.company.profile_ids[0]


def test_g_7_4_1_an_administrators_own_account(administrator: Visitor, cast: Cast) -> None:
    join(cast, Role.ADMINISTRATOR, account="Architects.Second")
    view_profile(administrator, "Profile 0")
    administrator.follow("Add a number or business account")
    administrator.follow("Add business account")
    administrator.page.get_by_label("Business account", exact=True).fill("Architects.Second")
    administrator.press("Confirm")
    administrator.sees("This shuts somebody out.")
    administrator.looks_right("incoming-account-warning")
    administrator.page.get_by_label("Add it all the same").check()
    administrator.press("Confirm")
    administrator.sees("Calls to Architects.Second reach the PBX")
    assert not Person.objects.get(account="Architects.Second").is_active


def test_g_7_4_2_change_a_business_account(administrator: Visitor, cast: Cast) -> None:
    make(cast, "Architects.Sales")
    account_places.add_account(now=NOW, by=BY, profile_id=cast.company.profile_ids[0], name="Architects.Sales", extension="204")
    numbers.add_numbers(now=NOW, by=BY, stock=[stock_number(NUMBER)])
    numbers.assign_number(now=NOW, by=BY, e164=NUMBER, profile_id=cast.company.profile_ids[1])
    number_id = Number.objects.get().pk
    number_places.put_on_account(now=NOW, by=BY, manager_id=cast.company.manager_id, number_id=number_id, name="Architects.Sales")
    view_profile(administrator, "Profile 0")
    administrator.follow("Incoming calls")
    administrator.sees("+1 202-555-0100")
    administrator.looks_right("incoming")
    administrator.follow("Architects.Sales")
    administrator.looks_right("profile-account-change")
    administrator.page.get_by_label("Extension").fill("205")
    administrator.press("Save")
    administrator.sees("forwarded to extension 205")
    administrator.follow("Architects.Sales")
    administrator.press("Clear number")
    administrator.sees("carry its name")
    administrator.follow("Architects.Sales")
    administrator.follow("View account details")
    administrator.looks_right("account")
    administrator.follow("Profile 0")
    administrator.press("Remove account")
    administrator.sees("Architects.Sales is off Profile 0")
    assert BusinessAccount.objects.get().profile_id is None


def test_r1_3_accounts_one_by_one_in_bulk_and_in_groups(administrator: Visitor, cast: Cast) -> None:
    administrator.follow("People")
    administrator.follow("Business accounts")
    administrator.looks_right("accounts-empty")
    administrator.follow("Create many")
    administrator.page.get_by_label("E-mail addresses").fill("anna@example.com\nnobody\nbob@example.com")
    administrator.press("Show what would be made")
    administrator.sees("1 of 3 addresses")
    administrator.looks_right("accounts-bulk-wrong")
    administrator.page.get_by_label("E-mail addresses").fill("anna@example.com\nbob@example.com")
    administrator.press("Show what would be made")
    administrator.looks_right("accounts-bulk")
    administrator.press("Create 2 accounts")
    administrator.sees("2 accounts are there")
    administrator.follow("Groups")
    administrator.page.get_by_label("Name of the group").fill("Front desk")
    administrator.press("Create group")
    administrator.looks_right("groups")
    administrator.follow("Business accounts")
    administrator.page.get_by_label("Name", exact=True).press_sequentially("ann")
    expect(administrator.page.locator("#found")).not_to_contain_text("Architects.Bob")
    administrator.follow("Architects.Anna")
    administrator.page.get_by_label("Front desk").check()
    administrator.press("Save groups")
    administrator.looks_right("account-groups")
    administrator.follow("Delete this account")
    administrator.looks_right("account-delete")
    administrator.press("Delete account")
    administrator.sees("The account Architects.Anna is gone.")
    administrator.looks_right("accounts")
    assert BusinessAccount.objects.get().name == "Architects.Bob"
