"""Online Numbers, carriers, and the demo company (SPEC R6.1, R7.1, R7.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.store.cast import BY, NOW, Company, make_manager, make_profile
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.number_sheet import stock_number
from trunkline.runtime.settings import Settings
from trunkline.store import sealing
from trunkline.store.audit import audit
from trunkline.store.models import Account, AuditEntry, BusinessAccount, Carrier, CarrierRoute, Change, Number, Price, Profile
from trunkline.usecases import carriers, numbers, profiles
from trunkline.usecases.demo import load_demo_company

ACTING: dict[str, Any] = {"now": NOW, "by": BY}
NUMBER = "+12025550100"


@pytest.fixture
def stocked(company: Company) -> Company:
    numbers.add_numbers(**ACTING, stock=[stock_number(NUMBER), stock_number("+442079460001")])
    return company


def where(e164: str = NUMBER) -> tuple[int | None, int | None]:
    number = Number.objects.get(e164=e164.lstrip("+"))
    return number.manager_id, number.profile_id


def test_a_number_goes_to_a_profile_and_back(stocked: Company) -> None:
    profile_id = stocked.profile_ids[0]
    numbers.assign_number(**ACTING, e164=NUMBER, profile_id=profile_id)
    assert where() == (stocked.manager_id, profile_id)
    profiles.set_caller_id(**ACTING, profile_id=profile_id, caller_id=NUMBER)
    numbers.release_number(**ACTING, e164=NUMBER)
    assert where() == (stocked.manager_id, None)
    assert stocked.profile().caller_id == ""
    numbers.release_number(**ACTING, e164=NUMBER, to_operator=True)
    assert where() == (None, None)
    with pytest.raises(Conflict, match="on no SIP Profile"):
        numbers.release_number(**ACTING, e164=NUMBER)
    whats = list(Change.objects.order_by("-id").values_list("what", flat=True))
    assert whats.count("numbers") == 4
    assert [entry.after for entry in AuditEntry.objects.filter(action="number.assign")] == [
        {"manager": stocked.manager_id, "profile": profile_id}
    ]


def test_a_number_is_on_one_profile_of_one_company(stocked: Company) -> None:
    numbers.assign_number(**ACTING, e164=NUMBER, profile_id=stocked.profile_ids[0])
    with pytest.raises(Conflict, match="already"):
        numbers.assign_number(**ACTING, e164=NUMBER, profile_id=stocked.profile_ids[0])
    with pytest.raises(Conflict, match="release it there first"):
        numbers.assign_number(**ACTING, e164=NUMBER, profile_id=make_profile(stocked.manager_id, "Second"))
    numbers.release_number(**ACTING, e164=NUMBER)
    stranger = make_profile(make_manager(stocked.price_list_id, "Bakers"), "Shop")
    with pytest.raises(Conflict, match="another company"):
        numbers.assign_number(**ACTING, e164=NUMBER, profile_id=stranger)
    assert where() == (stocked.manager_id, None)


def test_a_foreign_number_must_be_allowed(stocked: Company) -> None:
    foreign: dict[str, Any] = {"e164": "+442079460001", "profile_id": stocked.profile_ids[0]}
    with pytest.raises(Conflict, match="number of GB, the Manager is in US"):
        numbers.assign_number(**ACTING, **foreign)
    numbers.assign_number(**ACTING, **foreign, allow_foreign=True)
    assert where("+442079460001") == (stocked.manager_id, stocked.profile_ids[0])


def test_a_sheet_of_numbers_is_taken_whole_or_not(stocked: Company) -> None:
    with pytest.raises(Conflict, match=r"Already in the store: \+12025550100"):
        numbers.import_numbers(**ACTING, data=b"number\n+12025550101\n+12025550100\n")
    assert numbers.import_numbers(**ACTING, data=b"number\n+12025550101\n+12025550102\n") == 2
    assert Number.objects.count() == 4
    with pytest.raises(NotFound):
        numbers.assign_number(**ACTING, e164="+12025550199", profile_id=stocked.profile_ids[0])


@pytest.mark.usefixtures("store")
def test_a_carrier_is_made_changed_and_routed() -> None:
    gateway = carriers.Gateway(host="9.9.9.9", port=5070, transport="tcp", auth_user="u", auth_password="secret")
    ident = carriers.create_carrier(**ACTING, name="North", gateway=gateway)
    carrier = Carrier.objects.get(pk=ident)
    assert (carrier.host, carrier.port, carrier.transport, carrier.auth_user) == ("9.9.9.9", 5070, "tcp", "u")
    assert sealing.unseal(carrier.auth_password_sealed) == "secret"
    carriers.set_route(**ACTING, carrier_id=ident, prefix="+44", priority=1, cost_per_minute_micros=5)
    carriers.set_route(**ACTING, carrier_id=ident, prefix="44", priority=2)
    carriers.set_route(**ACTING, carrier_id=ident, prefix="")
    assert list(CarrierRoute.objects.order_by("prefix").values_list("prefix", "priority")) == [("", 10), ("44", 2)]
    carriers.remove_route(**ACTING, carrier_id=ident, prefix="44")
    with pytest.raises(NotFound):
        carriers.remove_route(**ACTING, carrier_id=ident, prefix="44")
    carriers.update_carrier(**ACTING, carrier_id=ident, gateway=carriers.Gateway(host="9.9.9.9"))
    carriers.set_carrier_enabled(**ACTING, carrier_id=ident, enabled=False)
    with pytest.raises(Conflict, match="disabled already"):
        carriers.set_carrier_enabled(**ACTING, carrier_id=ident, enabled=False)
    carrier.refresh_from_db()
    assert (carrier.port, carrier.auth_password_sealed, carrier.enabled) == (5060, "", False)
    assert "secret" not in str(list(AuditEntry.objects.values()))
    assert Change.objects.filter(what="carriers").count() == 7


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("address", {"host": "gw.example"}),
        ("address", {"host": "10.0.0.1"}),
        ("port", {"port": 0}),
        ("transport", {"transport": "sctp"}),
        ("auth_password", {"auth_user": "u"}),
        ("auth_password", {"auth_password": "p"}),
    ],
)
def test_wrong_gateways_are_refused_by_name(field: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as found:
        carriers.create_carrier(**ACTING, name="North", gateway=carriers.Gateway(**({"host": "9.9.9.9"} | wrong)))
    assert found.value.field == field
    assert not Carrier.objects.exists()


@pytest.mark.usefixtures("store")
def test_wrong_routes_are_refused_by_name() -> None:
    ident = carriers.create_carrier(**ACTING, name="North", gateway=carriers.Gateway(host="9.9.9.9"))
    attempts: list[tuple[str, dict[str, Any]]] = [
        ("prefix", {"prefix": "0044"}),
        ("priority", {"priority": -1}),
        ("cost_per_minute", {"cost_per_minute_micros": -1}),
    ]
    for field, wrong in attempts:
        with pytest.raises(Invalid) as found:
            carriers.set_route(**ACTING, carrier_id=ident, **({"prefix": "44"} | wrong))
        assert found.value.field == field


@pytest.mark.usefixtures("store")
def test_the_demo_company_is_loaded_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    first = load_demo_company(now=NOW, settings=settings)
    counted = [model.objects.count() for model in (Account, Profile, Number, BusinessAccount, Price, AuditEntry)]
    assert load_demo_company(now=NOW, settings=settings) == first
    assert [model.objects.count() for model in (Account, Profile, Number, BusinessAccount, Price, AuditEntry)] == counted
    assert [(profile.name, len(profile.numbers)) for profile in first.profiles] == [("Sales.Architects", 2), ("Engineering.Architects", 1)]
    purses = dict(Account.objects.filter(kind__in=["manager", "profile"]).values_list("name", "balance"))
    assert purses == {
        "Credit of Architects (US)": 80_000_000,
        "Credit of Sales.Architects": 10_000_000,
        "Credit of Engineering.Architects": 10_000_000,
    }
    assert Price.objects.count() > 400
    assert set(BusinessAccount.objects.values_list("name", "profile__name", "extension")) == {
        ("Architects.Sales", "Sales.Architects", ""),
        ("Architects.Engineering", "Engineering.Architects", "300"),
        ("Architects.Engineer", "Engineering.Architects", ""),
    }
    assert Number.objects.get(e164="12025550121").account == BusinessAccount.objects.get(name="Architects.Engineer")
    assert Number.objects.filter(manager=None, monthly_price_micros__gt=0).count() == 2
    assert audit().ok


@pytest.mark.usefixtures("store")
def test_the_demo_s_carrier_follows_the_settings(tmp_path: Path) -> None:
    first = load_demo_company(now=NOW, settings=Settings(home=tmp_path))
    load_demo_company(now=NOW, settings=Settings(home=tmp_path, lab_carrier_port=15080))
    carrier = Carrier.objects.get(pk=first.carrier_id)
    assert (carrier.host, carrier.port) == ("127.0.0.2", 15080)
    assert list(carrier.routes.values_list("prefix", flat=True)) == [""]
