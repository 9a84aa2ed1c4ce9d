"""The API keeps what its description says, whatever it is asked: requests are made from the description itself."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Store
from tests.web.cast import Cast
from tests.web.programs import program
from tests.web.shop import make_shop, product_of
from trunkline.api import door
from trunkline.api.documentation import schema
from trunkline.web.wsgi import application

REQUESTS_PER_OPERATION = 20
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, negative_data_rejection)
QUICK = settings(
    max_examples=REQUESTS_PER_OPERATION,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
KINDS = sorted({about["tags"][0] for methods in schema()["paths"].values() for about in methods.values()})


@pytest.mark.parametrize("area", KINDS)
def test_no_request_breaks_the_description(area: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of them fit the description, half of them do not; ids are those of things that are there. On one database: the other tests move the money
    on both."""
    if store.kind != "sqlite":
        pytest.skip("what is tried here is not the database")
    monkeypatch.setattr(door, "buckets", door.Buckets())
    monkeypatch.setattr(door, "BURST", 1e9)
    cast = make_shop()
    known = _known(cast)
    token = program(cast, call_details=True).token
    tried = 0
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", _near, headers={"Host": "localhost"})
    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if area not in (operation.tags or []):
            continue

        @QUICK
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
            case.call_and_validate(checks=list(CHECKS), headers={"Authorization": f"Bearer {token}", "Host": "localhost"})

        ask()
    assert tried > REQUESTS_PER_OPERATION / 2


def _near(environ: dict[str, Any], start_response: Any) -> Any:
    """As a server does, which knows who is at the other end."""
    return application(environ | {"REMOTE_ADDR": "127.0.0.1"}, start_response)


def _known(cast: Cast) -> dict[str, int]:
    return {"profile_id": cast.company.profile_ids[0], "product_id": product_of(cast)}
