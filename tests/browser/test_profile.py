"""The guide's procedures about one SIP Profile, in its order: Features, Trunks, View profile, row or left menu."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.buyer import view_profile
from tests.browser.conftest import Visitor
from tests.web.cast import PASSWORD, Cast, join, make_cast
from trunkline.store.models import Profile, Registration, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast(site: str) -> Cast:
    return make_cast(profile_count=2)


def test_g_7_7_rename(administrator: Visitor, cast: Cast) -> None:
    administrator.looks_right("overview")
    view_profile(administrator, "Profile 0")
    administrator.looks_right("profile")
    administrator.follow("Profile name")
    administrator.looks_right("rename")
    administrator.page.get_by_label("Profile name").fill("Sales.Architects")
    administrator.press("Save")
    administrator.sees("The profile is called Sales.Architects now.")
    assert Profile.objects.get(pk=cast.company.profile_ids[0]).name == "Sales.Architects"


def test_g_7_9_retrieve_credentials(administrator: Visitor, cast: Cast) -> None:
    view_profile(administrator, "Profile 0")
    administrator.follow("Authentication details")
    administrator.looks_right("authentication")
    administrator.follow("Show the password")
    administrator.looks_right("authentication-password")
    shown = administrator.page.locator("#copy-password").inner_text()
    administrator.page.get_by_role("button", name="Copy Password").click()
    administrator.sees("Copied")
    assert administrator.page.evaluate("navigator.clipboard.readText()") == shown
    assert len(shown) == 20


def test_g_7_10_change_password(administrator: Visitor, cast: Cast) -> None:
    view_profile(administrator, "Profile 0")
    before = cast.company.profile().ha1
    administrator.follow("Authentication details")
    administrator.follow("Generate a new password")
    administrator.looks_right("new-password")
    administrator.page.get_by_label("4 hours", exact=True).check()
    administrator.press("Generate a new password")
    administrator.sees("This is the new password.")
    administrator.sees("The old password still works")
    administrator.looks_right("new-password-shown")
    profile = cast.company.profile()
    assert (profile.ha1 != before, profile.old_ha1) == (True, before)


def test_g_6_step_9_ip_authentication(administrator: Visitor, cast: Cast) -> None:
    view_profile(administrator, "Profile 0")
    administrator.follow("Authentication details")
    administrator.follow("IP authentication")
    administrator.looks_right("ip-authentication")
    administrator.page.get_by_label("Public IP address of the PBX").fill("192.168.1.1")
    administrator.press("Continue")
    administrator.sees("is not reachable over the Internet")
    administrator.looks_right("ip-authentication-wrong")
    administrator.page.get_by_label("Public IP address of the PBX").fill("9.9.9.9")
    administrator.press("Continue")
    administrator.sees("Calls from this address are this profile's now")
    assert cast.company.profile().ip_auth_address == "9.9.9.9"
    administrator.press("Stop IP authentication")
    administrator.sees("registers with its password from now on")
    assert cast.company.profile().ip_auth_address is None


def test_r2_8_pbx_setup(administrator: Visitor, cast: Cast) -> None:
    view_profile(administrator, "Profile 0")
    administrator.follow("PBX setup")
    administrator.looks_right("setup")
    administrator.page.get_by_label("PBX", exact=True).select_option("FreeSWITCH")
    administrator.press("Show")
    administrator.sees("sip_profiles/external")
    administrator.follow("Show it with the password")
    expect(administrator.page.locator("#snippet-0")).not_to_contain_text("YOUR-PASSWORD")
    administrator.sees("sip_profiles/external")


def test_r2_2_the_profile_page_follows_the_pbx(administrator: Visitor, cast: Cast) -> None:
    view_profile(administrator, "Profile 0")
    administrator.sees("Not registered")
    now_us = int(time.time() * 1_000_000)
    Registration.objects.create(
        profile_id=cast.company.profile_ids[0], contact="sip:pbx@9.9.9.9:5060", source="udp:9.9.9.9:5060", socket="udp:127.0.0.1:5060",
        behind_nat=True, user_agent="Asterisk PBX 22", call_id="x", cseq=1, since_us=now_us, refreshed_us=now_us,
        expires_us=now_us + 60_000_000, displaced_contact="sip:old@8.8.8.8", displaced_us=now_us,
    )  # fmt: skip
    administrator.sees("Asterisk PBX 22")
    administrator.sees("9.9.9.9:5060 by UDP, behind NAT")
    administrator.sees("Two devices use these credentials.")
    administrator.looks_right("profile-registered")


def test_a_profile_can_be_renamed_without_javascript_and_with_the_keyboard_alone(plain: BrowserContext, site: str, cast: Cast) -> None:
    person = join(cast, Role.ADMINISTRATOR, account="Architects.Admin")
    path = f"/trunks/{cast.company.profile_ids[0]}/name"
    page = plain.new_page()
    page.goto(f"{site}/sign-in?next={path}")
    page.get_by_label("Account or e-mail address").focus()
    for typed in (person.account, PASSWORD):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(site + path)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "name":
            break
    page.keyboard.press("Control+a")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The profile is called By keyboard now.")).to_be_visible()
