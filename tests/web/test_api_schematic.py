"""By program: how everything is connected (SPEC R11), the same as the picture shows."""

from __future__ import annotations

from tests.store.cast import BY, NOW
from tests.web.cast import make_cast
from tests.web.programs import program
from trunkline.store.models import BusinessAccount, CallerIdRule, Landline, Number, Role
from trunkline.usecases import accounts, number_places


def test_the_schematic_says_what_is_on_which_profile_and_what_is_on_none() -> None:
    cast = make_cast(profile_count=2)
    manager_id, (home, other) = cast.company.manager_id, sorted(cast.company.profile_ids)
    assert cast.samples, "made now"
    sales = BusinessAccount.objects.get(manager_id=manager_id)
    own, loose = Number.objects.get(manager_id=manager_id), Number.objects.create(e164="12125550199", country="US", manager_id=manager_id)
    number_places.put_on_account(now=NOW, by=BY, manager_id=manager_id, number_id=own.pk, name=sales.name)
    accounts.create_account(now=NOW, by=BY, manager_id=manager_id, name="Architects.Idle")
    CallerIdRule.objects.create(profile_id=home, country="GB", e164=own.e164)
    found = program(cast, Role.READ_ONLY).get("/schematic")
    profiles = {each["id"]: each for each in found["profiles"]}
    [account] = profiles[home]["accounts"]
    assert profiles.keys() == {home, other}
    assert (account["name"], account["signs_in"], [one["number"] for one in account["numbers"]]) == (sales.name, False, [f"+{own.e164}"])
    assert profiles[home]["countries"] == [{"country": "GB", "number": f"+{own.e164}"}]
    assert (profiles[home]["numbers"], profiles[other]["accounts"], profiles[home]["bundles"]) == ([], [], [])
    assert profiles[home]["credit"]["currency"] == "USD"
    assert found["numbers"] == [{"id": loose.pk, "number": "+12125550199"}]
    assert [each["name"] for each in found["accounts"]] == ["Architects.Idle"]
    assert [each["number"] for each in found["landlines"]] == [f"+{one.e164}" for one in Landline.objects.filter(manager_id=manager_id)]
    assert found["incomplete"] is False


def test_the_schematic_is_the_companys_own() -> None:
    make_cast()
    other = make_cast("Builders")
    assert [each["id"] for each in program(other, Role.READ_ONLY).get("/schematic")["profiles"]] == [*other.company.profile_ids]
    program(other, Role.REPORTS).get("/schematic", expect=403)
