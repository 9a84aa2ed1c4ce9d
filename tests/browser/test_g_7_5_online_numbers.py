"""Guide 7.5: Online Numbers for incoming calls."""

from __future__ import annotations

import pytest

from tests.browser.buyer import view_profile
from tests.browser.conftest import Visitor
from tests.store.cast import BY, NOW
from tests.web.cast import Cast, make_cast
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.store.models import BusinessAccount, Number, NumberAgreement, Term
from trunkline.usecases import accounts
from trunkline.usecases.numbers import add_numbers, assign_number

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
WASHINGTON, BOSTON = "12025550100", "16175550100"


@pytest.fixture
def cast(site: str) -> Cast:
    made = make_cast(profile_count=2)
    add_numbers(now=NOW, by=BY, stock=[stock_number(WASHINGTON), stock_number(BOSTON)])
    Number.objects.filter(e164=WASHINGTON).update(
        area="Washington, DC", monthly_price_micros=3 * MICROS, residency="an address in the area"
    )
    return made


def test_g_7_5_1_add_an_online_number(administrator: Visitor, cast: Cast) -> None:
    Number.objects.filter(e164=BOSTON).update(manager_id=cast.company.manager_id)
    view_profile(administrator, "Profile 0")
    administrator.follow("Add a number or business account")
    administrator.page.get_by_label("Online Number", exact=True).select_option("+1 617-555-0100")
    administrator.press("Allocate number")
    administrator.sees("+1 617-555-0100 is on Profile 0")
    administrator.follow("Add a number or business account")
    administrator.follow("Buy an Online Number")
    administrator.page.get_by_label("City or area").fill("wash")
    administrator.press("Search")
    administrator.looks_right("number-shop")
    administrator.follow("Choose +1 202-555-0100")
    administrator.looks_right("number-buy")
    administrator.page.get_by_label("I agree to these terms").check()
    administrator.press("Buy now")
    administrator.sees("+1 202-555-0100 is yours. Next payment:")
    administrator.looks_right("profile-numbers")
    assert (Number.objects.get(e164=WASHINGTON).profile_id, NumberAgreement.objects.count()) == (cast.company.profile_ids[0], 1)


def test_g_7_5_2_reallocate_cancel_and_keep(administrator: Visitor, cast: Cast) -> None:
    """From the profile's page; to another profile, to a member, and to none."""
    accounts.create_account(now=NOW, by=BY, manager_id=cast.company.manager_id, name="Architects.Engineer")
    administrator.go("/numbers")
    administrator.looks_right("numbers-empty")
    administrator.go(f"/numbers/buy/{Number.objects.get(e164=WASHINGTON).pk}?profile={cast.company.profile_ids[0]}")
    administrator.page.get_by_label("I agree to these terms").check()
    administrator.press("Buy now")
    administrator.sees("is yours")
    view_profile(administrator, "Profile 0")
    administrator.follow("+1 202-555-0100")
    administrator.looks_right("number")
    administrator.follow("Reallocate number")
    administrator.looks_right("number-reallocate")
    administrator.page.get_by_label("Or a member's business account").fill("Architects.Engineer")
    administrator.press("Confirm")
    administrator.sees("Choose a SIP Profile or a member, not both.")
    administrator.page.get_by_label("SIP Profile").select_option("")
    administrator.press("Confirm")
    administrator.sees("on no SIP Profile")
    administrator.looks_right("number-of-member")
    assert Number.objects.get(e164=WASHINGTON).account == BusinessAccount.objects.get()
    administrator.follow("Reallocate number")
    administrator.page.get_by_label("SIP Profile").select_option("Profile 1")
    administrator.press("Confirm")
    administrator.sees("is allocated anew")
    administrator.follow("Cancel number")
    administrator.sees("It can be used until")
    administrator.looks_right("number-cancel")
    administrator.press("Cancel number")
    administrator.sees("is cancelled, and can be used until")
    administrator.looks_right("number-cancelled")
    administrator.press("Undo the cancellation")
    administrator.sees("stays yours")
    assert (Number.objects.get(e164=WASHINGTON).profile_id, Term.objects.get(kind="number").renews) == (cast.company.profile_ids[1], True)
    assign_number(now=NOW, by=BY, e164=BOSTON, profile_id=cast.company.profile_ids[0])
    administrator.follow("Online Numbers")
    administrator.sees("+1 617-555-0100")
    administrator.looks_right("numbers")
