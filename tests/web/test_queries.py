"""No page asks more when there is more to show."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.store.cast import BY, NOW, make_profile
from tests.web.cast import join, make_cast, signed_in, staff
from trunkline.store.models import Person, Role
from trunkline.usecases import people


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200, path
    return len(asked)


@pytest.mark.parametrize("path", ["/overview", "/trunks", "/trunks/{profile}", "/members", "/history"])
def test_a_companys_pages_ask_the_same_with_many_profiles_and_people(path: str) -> None:
    cast = make_cast()
    client = signed_in(join(cast, Role.ADMINISTRATOR))
    path = path.format(profile=cast.company.profile_ids[0])
    few = [queries(client, path) for _ in range(2)][-1]
    for number in range(5):
        make_profile(cast.company.manager_id, f"Many {number}")
        join(cast, Role.READ_ONLY, account=f"Many.{number}")
        people.invite(now=NOW, by=BY, manager_id=cast.company.manager_id, email=f"invited{number}@example.com", role=Role.BILLING)
    assert queries(client, path) <= few
    assert few <= 14


@pytest.mark.parametrize("path", ["/operator/", "/operator/companies/{manager}"])
def test_the_operators_pages_ask_the_same_with_many_companies(path: str) -> None:
    cast = make_cast()
    client = signed_in(staff(Person.Staff.OPERATOR))
    path = path.format(manager=cast.company.manager_id)
    few = [queries(client, path) for _ in range(2)][-1]
    for number in range(3):
        make_cast(f"Company {number}")
        make_profile(cast.company.manager_id, f"Many {number}")
        join(cast, Role.READ_ONLY, account=f"Many.{number}")
    assert queries(client, path) <= few
