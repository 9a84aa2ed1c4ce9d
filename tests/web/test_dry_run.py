"""Try a number: the decision in plain words, its price, how long it could last; and nothing is changed by it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from tests.store.cast import BY, NOW
from tests.web.calls import november
from tests.web.cast import Cast, join, make_cast, sell, signed_in
from tests.web.test_queries import queries
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.store.models import Membership, Number, Price, Profile, Role, Term
from trunkline.usecases import bundles, carriers, profiles
from trunkline.usecases.dry_run import dry_run

FRANCE = "011 33 1 23 45 67 89"


@pytest.fixture
def cast() -> Cast:
    """With a way to the world, and $5.00 on the profile: France costs $0.03 a minute."""
    made = make_cast()
    Price.objects.update(effective_from=datetime(2020, 1, 1, tzinfo=UTC))
    carrier = carriers.create_carrier(now=NOW, by=BY, name="Secret Carrier", gateway=carriers.Gateway(host="93.184.215.14"))
    carriers.set_route(now=NOW, by=BY, carrier_id=carrier, prefix="")
    return made


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(join(cast, Role.READ_ONLY))


def tried(client: Client, cast: Cast, **query: str) -> str:
    answer = client.get(f"/trunks/{cast.company.profile_ids[0]}/try", query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("&#x27;", "'")


def all_rows() -> dict[str, list[Any]]:
    """Everything that is stored, but sessions and who signed in when."""
    models = [model for model in apps.get_app_config("store").get_models() if model is not Membership]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def test_a_call_that_would_go_on(client: Client, cast: Cast) -> None:
    text = tried(client, cast, number=FRANCE)
    assert "The call would go on. The profile's Credit pays." in text
    assert "Number called +33 1 23 45 67 89 Destination France" in text
    assert "$0.03 a minute Connection fee $0.00 Charged for The first 60 s, then each 60 s 1 minute $0.03 5 minutes $0.15" in text
    assert "Could last 2:46:00 · then what is there is used up" in text
    assert "One way to the telephone network" in text
    assert "Secret Carrier" not in text


def test_nothing_is_changed(client: Client, cast: Cast) -> None:
    before = all_rows()
    for number in (FRANCE, "911", "Sales", "+1 760 660 4690", "12"):
        tried(client, cast, number=number)
    assert all_rows() == before


@pytest.mark.parametrize(
    ("number", "code"), [("911", "C14"), ("Architects.Sales", "C09"), ("12", "C10"), ("+49 30 1234567", "C15"), ("+1 900 555 0100", "C08")]
)
def test_a_refusal_says_what_to_do(client: Client, cast: Cast, number: str, code: str) -> None:
    answer = client.get(f"/trunks/{cast.company.profile_ids[0]}/try", {"number": number})
    assert f'href="/help/refusals/{code}"' in answer.content.decode()
    assert ("Barring and limits of this profile" in answer.content.decode()) is (code == "C08")
    text = tried(client, cast, number=number)
    assert "The call would be refused." in text
    assert "Could last" not in text


def test_the_echo_test_is_free(client: Client, cast: Cast) -> None:
    assert "It is free." in tried(client, cast, number="+17606604690")


def test_what_the_pbx_sends_matters(client: Client, cast: Cast) -> None:
    Number.objects.create(e164="12025550177", country="US", manager_id=cast.company.manager_id, profile_id=cast.company.profile_ids[0])
    assert "Caller ID shown +1 202-555-0177" in tried(client, cast, number=FRANCE, caller="+12025550177")
    assert "Caller ID shown Anonymous" in tried(client, cast, number=FRANCE, caller="+12025550177", anonymous="on")
    Profile.objects.update(srtp="force")
    assert "The call would go on." in tried(client, cast, number=FRANCE)
    assert "C13 · SRTP required" not in tried(client, cast, number=FRANCE)
    assert "C13 · SRTP required" in tried(client, cast, number=FRANCE, plain="on")


def test_bad_input_is_said_beside_its_field(client: Client, cast: Cast) -> None:
    assert "Number is required" in tried(client, cast, number="") or "This field is required" in tried(client, cast, number="")
    assert "at most 64 characters" in tried(client, cast, number="1" * 65)
    assert "at most 64 characters" in tried(client, cast, number="1\u200b2")
    assert "What would happen" in tried(client, cast)


def test_a_bundle_pays_first_and_lasts_longer(cast: Cast) -> None:
    profile_id = cast.company.profile_ids[0]
    product = sell(cast.company.price_list_id)
    at = clock.now() - timedelta(minutes=1)
    bundles.buy_bundles(now=at, by=BY, profile_id=profile_id, product_id=product, quantity=1)
    assert Term.objects.filter(kind=Term.Kind.BUNDLE, ended_at=None).count() == 1
    found = dry_run(engines_now=datetime.now(UTC), profile_id=profile_id, dialled="+1 212 555 0123")
    assert (found.bundle_seconds, found.lasts_seconds) == (5000 * 60, 4 * 3600)
    text = tried(signed_in(join(cast, Role.READ_ONLY)), cast, number="+1 212 555 0123")
    assert "Minute bundles pay first." in text
    assert "5,000 US minutes, then the Manager's Credit" in text
    assert "the longest that a call may be" in text


def test_a_refused_call_leads_here_with_its_number(cast: Cast) -> None:
    refs = november(cast.company)
    client = signed_in(join(cast, Role.ADMINISTRATOR))
    Membership.objects.update(records_acknowledged_at=NOW)
    url = f"/trunks/{cast.company.profile_ids[0]}/try?number=33123456789"
    page = client.get(f"/reports/calls/{refs[4]}").content.decode()
    assert f'href="{url}"' in page
    assert 'href="/help/refusals/C01"' in page
    assert client.get(url).status_code == 200
    assert "/try?" not in client.get(f"/reports/calls/{refs[0]}").content.decode()
    only_reports = signed_in(join(cast, Role.REPORTS))
    Membership.objects.update(records_acknowledged_at=NOW)
    assert "/try?" not in only_reports.get(f"/reports/calls/{refs[4]}").content.decode()


def test_another_companys_profile_is_not_named(client: Client, cast: Cast) -> None:
    other = make_cast("Builders")
    their = other.company.profile()
    profiles.rename_profile(now=NOW, by=BY, profile_id=their.pk, name="Their secret name")
    Number.objects.create(e164="12025550188", country="US", manager_id=their.manager_id, profile_id=their.pk)
    text = tried(client, cast, number="+12025550188")
    assert "C12" in text
    assert "secret" not in text


def test_it_asks_no_more_with_many_carriers_and_numbers(client: Client, cast: Cast) -> None:
    path = f"/trunks/{cast.company.profile_ids[0]}/try?number=33123456789"
    few = [queries(client, path) for _ in range(2)][-1]
    for number in range(5):
        ident = carriers.create_carrier(
            now=NOW, by=BY, name=f"Carrier {number}", gateway=carriers.Gateway(host=f"93.184.215.{20 + number}")
        )
        carriers.set_route(now=NOW, by=BY, carrier_id=ident, prefix="33")
        Number.objects.create(
            e164=f"1202555019{number}", country="US", manager_id=cast.company.manager_id, profile_id=cast.company.profile_ids[0]
        )
    assert queries(client, path) <= few
    assert few <= 30


def test_money_is_micro_units(cast: Cast) -> None:
    found = dry_run(engines_now=datetime.now(UTC), profile_id=cast.company.profile_ids[0], dialled="+33123456789")
    assert found.lasts_seconds == 5 * MICROS // 30_000 * 60
