"""The schematic (SPEC R11, guide 9): everything is in it, each thing once, and it says what is missing."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.web.cast import Cast, join, make_cast, signed_in
from tests.web.wired import hold, make_architects
from trunkline.store.models import Role


@pytest.fixture
def cast() -> Cast:
    return make_architects()


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(join(cast, Role.READ_ONLY))


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/schematic{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("query", ["", "?as=list"])
def test_everything_is_in_it(cast: Cast, client: Client, query: str) -> None:
    hold(cast.company.profile_ids[0], 40_000)
    shown = page(client, query)
    for text in (
        "Sales.Architects", "+1 212-555-0100", "Architects.Sales", "extension 100", "Active · 2 of 4 channels in use", "Credit $10.00, $0.04 held",
        "2 × 5,000 US minutes: 10,000 min left", "Asterisk PBX 22", "9.9.9.9:5060", "Engineering.Architects", "+1 202-655-5376", "called by its name",
        "+1 415-555-0123", "Not registered", "+44 20 7946 0018", "landline, Caller ID to GB", "+1 312-555-0188", "Architects.Model.Shop",
        "Architects.Reception", "Web phones", "On no SIP Profile", "Waiting for proof",
    ):  # fmt: skip
        assert text in shown, text


def test_a_company_without_profiles_is_told_how_to_begin() -> None:
    empty = make_cast(profile_count=0)
    shown = page(signed_in(join(empty, Role.ADMINISTRATOR)))
    assert "No SIP Profile yet" in shown
    assert "schematic-now" not in shown
