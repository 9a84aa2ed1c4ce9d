"""SIP Profiles: made, set, suspended; how a PBX proves who it is (SPEC R2, R6.7, R8.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Max

from tests.store.cast import BY, NOW, SIP_DOMAIN, Company, make_profile
from trunkline.domain.credentials import ha1
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.number_sheet import stock_number
from trunkline.store import sealing
from trunkline.store.models import AuditEntry, Change, ChannelUse, Profile
from trunkline.usecases import carriers, credentials, numbers, profiles


def given(company: Company) -> dict[str, Any]:
    return {"now": NOW, "by": BY, "profile_id": company.profile_ids[0]}


def changes_since(ident: int) -> list[tuple[str, str]]:
    return list(Change.objects.filter(id__gt=ident).order_by("id").values_list("what", "ident"))


def last_change() -> int:
    return Change.objects.aggregate(last=Max("id"))["last"] or 0


def test_a_profile_has_credentials_a_purse_and_room_for_calls(company: Company) -> None:
    made = profiles.create_profile(now=NOW, by=BY, manager_id=company.manager_id, name="Lobby", channels=2, sip_domain=SIP_DOMAIN)
    profile = Profile.objects.select_related("account").get(pk=made.profile_id)
    assert (len(made.sip_user), made.sip_user.isdigit(), len(made.password)) == (14, True, 20)
    assert profile.ha1 == ha1(made.sip_user, SIP_DOMAIN, made.password)
    assert made.password not in profile.password_sealed
    assert sealing.unseal(profile.password_sealed) == made.password
    assert (profile.account.balance, profile.account.guarded, profile.account.currency) == (0, True, "USD")
    assert ChannelUse.objects.get(pk=profile.pk).in_use == 0
    assert profile.barred_types == ["premium", "satellite", "international_network"]
    assert Change.objects.filter(what="profile", ident=str(profile.pk), sip_user=made.sip_user).exists()
    assert made.password not in str(list(AuditEntry.objects.values()))


def test_profiles_of_a_manager_have_names_of_their_own(company: Company) -> None:
    with pytest.raises(Conflict, match="another name"):
        make_profile(company.manager_id, "Profile 0")
    Profile.objects.filter(pk=company.profile_ids[0]).update(state="deleted")
    make_profile(company.manager_id, "Profile 0")


@pytest.mark.parametrize("channels", [-1, 301])
def test_a_profile_has_at_most_300_channels(company: Company, channels: int) -> None:
    with pytest.raises(Invalid, match="0 to 300"):
        make_profile(company.manager_id, "Lobby", channels)
    with pytest.raises(Invalid, match="0 to 300"):
        profiles.grant_channels(**given(company), channels=channels)


def test_each_setting_is_changed_logged_and_announced(company: Company) -> None:
    me = given(company)
    numbers.add_numbers(now=NOW, by=BY, stock=[stock_number("+12025550100")])
    numbers.assign_number(now=NOW, by=BY, e164="+12025550100", profile_id=me["profile_id"])
    before = last_change()
    profiles.rename_profile(**me, name="  Reception ")
    profiles.grant_channels(**me, channels=7)
    profiles.set_caller_id(**me, caller_id="+12025550100")
    profiles.set_media(**me, media="direct", srtp="force")
    profiles.set_number_format(**me, number_format="plus")
    profiles.set_limits(**me, calls_per_second=3, max_duration_seconds=60, barred_types=("premium", "mobile"))
    profiles.set_max_rate(**me, max_rate_per_minute_micros=500_000)
    profile = company.profile()
    assert (profile.name, profile.account.name, profile.channels, profile.caller_id) == (
        "Reception",
        "Credit of Reception",
        7,
        "12025550100",
    )
    assert (profile.media, profile.srtp) == ("direct", "force")
    assert (profile.number_format, profile.calls_per_second, profile.max_duration_seconds) == ("plus", 3, 60)
    assert (profile.barred_types, profile.max_rate_per_minute_micros) == (["mobile", "premium"], 500_000)
    profiles.set_limits(**me, barred_destinations=("+44 70", "cu"), calls_abroad=False)
    profile = company.profile()
    assert (profile.barred_destinations, profile.calls_abroad) == (["+4470", "CU"], False)
    assert changes_since(before) == [("profile", str(profile.pk))] * 8
    entry = AuditEntry.objects.get(action="profile.channels")
    assert (entry.before, entry.after) == ({"channels": 3}, {"channels": 7})


def test_setting_what_is_set_changes_nothing(company: Company) -> None:
    before = last_change()
    profiles.grant_channels(**given(company), channels=3)
    profiles.set_media(**given(company), media="relay")
    profiles.set_max_rate(**given(company), max_rate_per_minute_micros=None)
    assert changes_since(before) == []


def test_wrong_settings_are_refused_by_name(company: Company) -> None:
    me = given(company)
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("caller_id", lambda: profiles.set_caller_id(**me, caller_id="+12025550199")),
        ("media", lambda: profiles.set_media(**me, media="pigeon")),
        ("srtp", lambda: profiles.set_media(**me, srtp="maybe")),
        ("number_format", lambda: profiles.set_number_format(**me, number_format="roman")),
        ("calls_per_second", lambda: profiles.set_limits(**me, calls_per_second=0)),
        ("max_duration_seconds", lambda: profiles.set_limits(**me, max_duration_seconds=24 * 3600 + 1)),
        ("barred_types", lambda: profiles.set_limits(**me, barred_types=("fixed",))),
        ("barred_destinations", lambda: profiles.set_limits(**me, barred_destinations=("Cuba",))),
        ("max_rate_per_minute", lambda: profiles.set_max_rate(**me, max_rate_per_minute_micros=-1)),
        ("name", lambda: profiles.rename_profile(**me, name="")),
    ]
    for field, attempt in attempts:
        with pytest.raises(Invalid) as found:
            attempt()
        assert found.value.field == field


def test_suspended_and_resumed(company: Company) -> None:
    profiles.suspend_profile(**given(company), reason="fraud suspected")
    assert company.profile().state == "suspended"
    with pytest.raises(Conflict, match="already"):
        profiles.suspend_profile(**given(company), reason="again")
    profiles.resume_profile(**given(company))
    assert company.profile().state == "active"
    assert AuditEntry.objects.filter(action="profile.state").earliest("id").after["reason"] == "fraud suspected"


def test_a_deleted_profile_is_not_there(company: Company) -> None:
    Profile.objects.filter(pk=company.profile_ids[0]).update(state="deleted")
    use_cases: list[Callable[..., object]] = [profiles.resume_profile, credentials.reveal_password, credentials.remove_ip_authentication]
    for use_case in use_cases:
        with pytest.raises(NotFound):
            use_case(**given(company))


def test_a_new_password_ends_the_old_one_at_once(company: Company) -> None:
    made = credentials.rotate_password(**given(company), sip_domain=SIP_DOMAIN)
    profile = company.profile()
    assert (profile.ha1, profile.old_ha1, profile.old_valid_until) == (ha1(made.sip_user, SIP_DOMAIN, made.password), "", None)


def test_the_old_password_may_work_alongside_for_a_day(company: Company) -> None:
    old = company.profile().ha1
    made = credentials.rotate_password(**given(company), sip_domain=SIP_DOMAIN, keep_old_for=timedelta(hours=24))
    profile = company.profile()
    assert (profile.old_ha1, profile.old_valid_until, made.old_valid_until) == (old, NOW + timedelta(hours=24), NOW + timedelta(hours=24))
    assert profile.ha1 != old
    for wrong in (timedelta(hours=24, seconds=1), timedelta(seconds=-1)):
        with pytest.raises(Invalid, match="24 hours"):
            credentials.rotate_password(**given(company), sip_domain=SIP_DOMAIN, keep_old_for=wrong)


def test_looking_at_a_password_is_logged(company: Company) -> None:
    made = credentials.rotate_password(**given(company), sip_domain=SIP_DOMAIN)
    assert credentials.reveal_password(**given(company)).password == made.password
    assert AuditEntry.objects.filter(action="profile.reveal_password").count() == 1


def test_a_new_sip_domain_is_adopted_once(company: Company) -> None:
    made = credentials.rotate_password(**given(company), sip_domain=SIP_DOMAIN, keep_old_for=timedelta(hours=1))
    make_profile(company.manager_id, "Second")
    assert credentials.adopt_sip_domain(now=NOW, by=BY, sip_domain=SIP_DOMAIN) == 0
    assert credentials.adopt_sip_domain(now=NOW, by=BY, sip_domain="sip.example") == 2
    assert credentials.adopt_sip_domain(now=NOW, by=BY, sip_domain="sip.example") == 0
    profile = company.profile()
    assert (profile.ha1, profile.old_ha1) == (ha1(made.sip_user, "sip.example", made.password), "")


def test_a_pbx_is_known_by_address_and_port(company: Company) -> None:
    before = last_change()
    credentials.set_ip_authentication(**given(company), address=" 9.9.9.9 ", port=5060)
    credentials.set_ip_authentication(**given(company), address="::ffff:9.9.9.9", port=5062)
    credentials.set_ip_authentication(**given(company), address="2620:FE:0::fe", port=5060)
    profile = company.profile()
    assert (profile.ip_auth_address, profile.ip_auth_port) == ("2620:fe::fe", 5060)
    sources = {ident for what, ident in changes_since(before) if what == "source"}
    assert sources == {"9.9.9.9:5060", "9.9.9.9:5062", "2620:fe::fe:5060"}
    credentials.remove_ip_authentication(**given(company))
    assert (company.profile().ip_auth_address, company.profile().ip_auth_port) == (None, None)


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "192.168.1.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "192.0.2.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"],
)
def test_only_public_addresses_prove_anything(company: Company, address: str) -> None:
    with pytest.raises(Invalid, match="not reachable over the Internet"):
        credentials.set_ip_authentication(**given(company), address=address, port=5060)
    credentials.set_ip_authentication(**given(company), address=address, port=5060, allow_private=True)


@pytest.mark.parametrize(
    ("address", "port"),
    [("pbx.example", 5060), ("", 5060), ("0.0.0.0", 5060), ("224.0.0.1", 5060), ("9.9.9.9", 0), ("9.9.9.9", 65536)],
)
def test_what_is_no_address_is_refused(company: Company, address: str, port: int) -> None:
    with pytest.raises(Invalid):
        credentials.set_ip_authentication(**given(company), address=address, port=port, allow_private=True)


def test_an_address_and_port_belong_to_one(company: Company) -> None:
    other: dict[str, Any] = {"now": NOW, "by": BY, "profile_id": make_profile(company.manager_id, "Second")}
    credentials.set_ip_authentication(**given(company), address="9.9.9.9", port=5060)
    with pytest.raises(Conflict, match="another SIP Profile"):
        credentials.set_ip_authentication(**other, address="9.9.9.9", port=5060)
    credentials.set_ip_authentication(**other, address="9.9.9.9", port=5062)
    with pytest.raises(Conflict, match="PBX of a SIP Profile"):
        carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
    carriers.create_carrier(now=NOW, by=BY, name="North", gateway=carriers.Gateway(host="9.9.9.10"))
    with pytest.raises(Conflict, match="carrier's"):
        credentials.set_ip_authentication(**other, address="9.9.9.10", port=5060)
