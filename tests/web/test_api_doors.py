"""Who comes into the API, as what, how often, and what is said to whom it is not for."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from tests.store.cast import BY
from tests.web.cast import Cast, join, make_cast, signed_in
from tests.web.programs import API, Program, program
from tests.web.shop import make_shop, product_of
from trunkline.api import documentation, door
from trunkline.api.door import Right
from trunkline.domain.errors import Conflict, Invalid
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.store.models import ApiRequest, ApiToken, AuditEntry, Posting, Profile, Role
from trunkline.usecases import api_requests, api_tokens
from trunkline.web.access import Audience


@pytest.fixture(autouse=True)
def fresh_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "buckets", door.Buckets())


def test_every_operation_states_its_right() -> None:
    operations = documentation.operations()
    assert len(operations) > 50
    for operation in operations:
        [right] = operation.auth_callbacks
        assert isinstance(right, Right), operation.view_func.__name__
        assert right.audience.of_company
        assert operation.summary
        changes = not {"GET"} & set(operation.methods)
        only_looks = re.search("preview|dry_run", operation.view_func.__name__)
        assert not changes or only_looks or right.audience in (Audience.PAY, Audience.ADMINISTER), operation.view_func.__name__


def _operations(cast: Cast) -> list[tuple[str, str, Right]]:
    """Method, path with the cast's own things in it, right."""
    samples = {
        "profile_id": cast.company.profile_ids[0],
        "product_id": 1,
        "payment_id": 1,
        "number_id": 1,
        "webhook_id": 1,
        "delivery_id": 1,
        "call_id": 1,
        "method_id": 1,
        "landline_id": 1,
        "country": "GB",
        "account_id": 1,
        "group_id": 1,
        "membership_id": 1,
        "invitation_id": 1,
    }
    rights = {operation.view_func.__name__: operation.auth_callbacks[0] for operation in documentation.operations()}
    return [
        (method.upper(), path.removeprefix(API).format(**samples), rights[about["operationId"]])
        for path, methods in documentation.schema()["paths"].items()
        for method, about in methods.items()
    ]


@pytest.mark.parametrize("role", Role.values)
def test_each_role_comes_as_far_as_the_operation_says(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BURST", 1000.0)
    cast = make_cast()
    asks = program(cast, role)
    for method, path, right in _operations(cast):
        answer = asks.client.generic(method, API + path, headers={"authorization": f"Bearer {asks.token}"})
        let_in = role in right.audience.roles and right.audience is not Audience.RECORDS
        assert (answer.status_code != 403) == let_in, f"{method} {path} as {role}: {answer.status_code}"
        assert answer.status_code < 500, f"{method} {path}"


def test_a_strangers_things_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BURST", 1000.0)
    cast, stranger = make_cast(), program(make_cast("Builders"), call_details=True)
    bodies: dict[str, Any] = {
        "ip-authentication": {"address": "198.51.100.7"},
        "allocate": {"amount": "1.00"},
        "recharge": {"threshold": "5.00", "amount": "10.00"},
        "channels": {"channels": 2},
        "purchase": {"channels": 2},
        "bundles": {"quantity": 1},
        "caller-id": {"number": "+12025550100"},
        "extension": {"extension": "100"},
        "accounts": {"name": "Builders.Sales"},
    }
    for method, path, _ in _operations(cast):
        if f"/profiles/{cast.company.profile_ids[0]}" not in path:
            continue
        steps = path.split("/")
        body: dict[str, Any] = next(
            (body for step, body in bodies.items() if step in steps and steps[-1] not in ("cancel", "undo", "extend", "reset")), {}
        )
        body = {"name": "Taken"} if method == "PATCH" else body
        stranger.ask(method, path, body, expect=404)
    assert stranger.get(f"/calls?profile_id={cast.company.profile_ids[0]}", expect=404)["error"]["code"] == "not_found"
    assert stranger.get(f"/statement?profile_id={cast.company.profile_ids[0]}", expect=404)["error"]["code"] == "not_found"
    stranger.post("/dry-run", {"profile_id": cast.company.profile_ids[0], "number": "+14155550100"}, expect=404)
    assert Profile.objects.get(pk=cast.company.profile_ids[0]).name == "Profile 0"


def test_errors_have_one_shape() -> None:
    cast = make_cast()
    asks = program(cast)
    profile = f"/profiles/{cast.company.profile_ids[0]}"
    answers = {
        "not_found": asks.get("/nothing/here", expect=404),
        "method_not_allowed": asks.ask("DELETE", "/manager", expect=405),
        "invalid": asks.post(f"{profile}/credit/allocate", {"amount": "twelve"}, expect=422),
        "not_enough_credit": asks.post(f"{profile}/credit/allocate", {"amount": "1000000.00"}, expect=402),
        "bad_request": asks.client.post(
            f"{API}/profiles", "{", content_type="application/json", headers={"authorization": f"Bearer {asks.token}"}
        ).json(),
        "unauthorized": Program("tl_nobody").get("/manager", expect=401),
        "forbidden": program(cast, Role.READ_ONLY).post(f"{profile}/credit/allocate", {"amount": "1.00"}, expect=403),
        "conflict": asks.post(f"{profile}/channels/undo", expect=409),
    }
    for code, answer in answers.items():
        assert set(answer) == {"error"}
        assert set(answer["error"]) == {"code", "message", "field", "help"}
        assert answer["error"]["code"] == code
        assert answer["error"]["message"]
        assert answer["error"]["help"].endswith(f"/api/v1/docs#{code}")
    assert answers["invalid"]["error"]["field"] == "amount"


def test_a_fault_is_told_in_the_same_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("trunkline.api.company.money", fail)
    answer = program(make_cast()).get("/manager", expect=500)
    assert answer["error"]["code"] == "internal"
    assert "secret" not in str(answer)


def test_tokens_run_out_are_revoked_and_are_never_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    cast, now = make_cast(), clock.now()
    about: dict[str, Any] = {"by": BY, "manager_id": cast.company.manager_id, "name": "ERP", "role": Role.BILLING}
    made = api_tokens.create_token(now=now, **about, days=1)
    row = ApiToken.objects.get(pk=made.token_id)
    assert made.token.startswith(row.prefix)
    assert made.token not in (row.digest, row.prefix)
    Program(made.token).get("/manager")
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert api_tokens.recognise(now + timedelta(days=1), made.token) is None
    api_tokens.revoke_token(now=now, by=BY, manager_id=cast.company.manager_id, token_id=made.token_id)
    Program(made.token).get("/manager", expect=401)
    with pytest.raises(Conflict, match="revoked before"):
        api_tokens.revoke_token(now=now, by=BY, manager_id=cast.company.manager_id, token_id=made.token_id)
    with pytest.raises(Invalid, match="sees no call records"):
        api_tokens.create_token(now=now, **(about | {"role": Role.READ_ONLY}), call_details=True)
    actions = AuditEntry.objects.filter(manager_id=cast.company.manager_id, action__startswith="api_token.")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == ["api_token.create", "api_token.revoke"]


def test_what_a_program_does_is_in_the_history_under_its_name() -> None:
    cast = make_cast()
    asks = program(cast)
    asks.ask("PATCH", f"/profiles/{cast.company.profile_ids[0]}", {"name": "Sales"})
    entry = AuditEntry.objects.filter(action="profile.rename").get()
    assert entry.actor == f"ERP administrator (API {asks.token[:11]})"
    assert entry.source == "127.0.0.1"


def test_too_many_requests_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BURST", 3.0)
    monkeypatch.setattr(door, "REQUESTS_PER_SECOND", 0.0)
    cast = make_cast()
    asks, other = program(cast), program(cast)
    for _ in range(3):
        asks.get("/manager")
    answer = asks.client.get(f"{API}/manager", headers={"authorization": f"Bearer {asks.token}"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    other.get("/manager")


def test_a_key_does_it_once_and_answers_the_same() -> None:
    cast = make_shop()
    asks = program(cast)
    first = asks.post("/profiles", {"name": "Munich"}, key="one", expect=201)
    again = asks.post("/profiles", {"name": "Munich"}, key="one", expect=201)
    assert first == again
    assert Profile.objects.filter(name="Munich").count() == 1
    assert first["password"] not in str(list(ApiRequest.objects.values_list("answer_sealed", flat=True)))
    other = asks.post("/profiles", {"name": "Hamburg"}, key="one", expect=409)
    assert other["error"]["code"] == "idempotency_key_reused"
    program(cast).post("/profiles", {"name": "Hamburg"}, key="one", expect=201)  # each token has its own keys


def test_a_refused_request_does_not_use_its_key_up() -> None:
    cast = make_shop(credit_units=0)
    asks = program(cast)
    path = f"/profiles/{cast.company.profile_ids[0]}/credit/allocate"
    asks.post(path, {"amount": "5.00"}, key="pay", expect=402)
    assert not ApiRequest.objects.exists()


def test_the_same_key_at_once_moves_the_money_once() -> None:
    cast = make_shop()
    asks = program(cast)
    path = f"{API}/profiles/{cast.company.profile_ids[0]}/credit/allocate"

    def send(_: int) -> int:
        headers = {"authorization": f"Bearer {asks.token}", "idempotency-key": "once"}
        try:
            return Program(asks.token).client.post(path, {"amount": "5.00"}, content_type="application/json", headers=headers).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(send, range(6)))
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert Posting.objects.filter(kind="allocate").count() == 1


def test_a_request_whose_worker_died_is_taken_up_again_and_pays_once() -> None:
    cast, now = make_shop(), clock.now()
    manager_id = cast.company.manager_id
    assert api_requests.begin(now=now, manager_id=manager_id, key="k", request=b"r") is None
    with pytest.raises(api_requests.UnderWay):
        api_requests.begin(now=now, manager_id=manager_id, key="k", request=b"r")
    later = now + api_requests.ABANDONED
    assert api_requests.begin(now=later, manager_id=manager_id, key="k", request=b"r") is None
    asks = program(cast)
    path = f"/profiles/{cast.company.profile_ids[0]}/channels/buy"
    first = asks.post(path, {"channels": 2}, key="buy")
    ApiRequest.objects.exclude(key="k").delete()  # as if the worker had died before it could say that it was done
    again = asks.post(path, {"channels": 2}, key="buy")
    assert (first["term_id"], first["repeated"], again["repeated"]) == (again["term_id"], False, True)
    assert Posting.objects.filter(kind="channels").count() == 1
    assert api_requests.prune(now + timedelta(days=2)) == 2


def test_a_token_is_made_shown_once_and_revoked_in_the_manager() -> None:
    cast = make_cast()
    client = signed_in(join(cast, Role.ADMINISTRATOR))
    made = client.post("/members/api-tokens", {"name": "ERP", "role": "billing", "days": "365", "call_details": "on"})
    found = re.search(r"tl_[\w-]{43}", made.content.decode())
    assert found, made.content.decode()
    assert Program(found[0]).get("/manager")["company_name"] == "Architects"
    token = ApiToken.objects.get()
    assert found[0] not in client.get("/members/api-tokens").content.decode()
    wrong = client.post("/members/api-tokens", {"name": "ERP", "role": "read_only", "days": "0", "call_details": "on"})
    assert "sees no call records" in wrong.content.decode()
    assert client.get(f"/members/api-tokens/{token.pk}/revoke").status_code == 200
    assert client.post(f"/members/api-tokens/{token.pk}/revoke").status_code == 302
    Program(found[0]).get("/manager", expect=401)


def test_lists_come_in_pages_and_ask_no_more_for_more_rows() -> None:
    cast = make_cast(profile_count=5)
    asks = program(cast)
    seen, cursor, pages = [], "", 0
    while pages < 9:
        found = asks.get(f"/profiles?limit=2&cursor={cursor}")
        seen += [each["id"] for each in found["items"]]
        pages, cursor = pages + 1, found["next_cursor"]
        if cursor is None:
            break
    assert (pages, sorted(seen)) == (3, sorted(cast.company.profile_ids))
    counts = []
    for limit in (1, 5):
        with CaptureQueriesContext(connection) as queries:
            asks.get(f"/profiles?limit={limit}")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5
    assert asks.get("/profiles?cursor=x", expect=422)["error"]["field"] == "cursor"


def test_the_description_and_its_page_are_for_everybody() -> None:
    client = Program("").client
    assert client.get(f"{API}/openapi.json").json()["openapi"].startswith("3.")
    page = client.get(f"{API}/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for operation in documentation.operations():
        name = operation.view_func.__name__
        assert f"/docs/{name}" in text
    assert "channels" in client.get(f"{API}/docs/buy_channels").content.decode()
    assert client.get(f"{API}/docs/nothing").status_code == 404


def test_what_can_be_sold_is_bought_at_the_price_that_was_shown() -> None:
    cast = make_shop()
    product_id, asks = product_of(cast), program(cast, Role.BILLING)
    profile = f"/profiles/{cast.company.profile_ids[0]}"
    offer = asks.post(f"{profile}/channels/preview", {"channels": 3})
    assert (offer["price"], offer["problems"]) == ({"amount": "15.00", "currency": "USD"}, [])
    assert asks.post(f"{profile}/channels/buy", {"channels": 3})["price"]["amount"] == "15.00"
    assert asks.post(f"{profile}/bundles/{product_id}/buy", {"quantity": 1})["price"]["amount"] == "20.00"
    assert asks.get("/manager")["free"]["amount"] == "465.00"
    kinds = [(each["kind"], each["quantity"]) for each in asks.get(f"{profile}/subscriptions")["items"]]
    assert kinds == [("bundle", 1), ("channels", 3)]
    asks.post(f"{profile}/bundles/{product_id}/cancel", {})
    asks.post(f"{profile}/bundles/{product_id}/extend")
    asks.post(f"{profile}/channels/cancel")
    asks.post(f"{profile}/channels/undo")
    moved = asks.post(f"{profile}/credit/allocate", {"amount": "10.50"})
    assert (moved["profile_free"]["amount"], moved["manager_free"]["amount"]) == ("10.50", "454.50")
    back = asks.post(f"{profile}/credit/take-back", {"amount": None})
    assert (back["profile_free"]["amount"], back["manager_free"]["amount"]) == ("0.00", "465.00")
    assert Posting.objects.filter(kind="channels").get().amount == 15 * MICROS


def test_recharge_below_what_is_recommended_wants_a_second_word() -> None:
    cast = make_shop()
    product_of(cast)
    asks, path = program(cast), f"/profiles/{cast.company.profile_ids[0]}/recharge"
    wanted = {"threshold": "1.00", "amount": "2.00"}
    assert "confirmed" in asks.ask("PUT", path, wanted, expect=409)["error"]["message"]
    assert asks.ask("PUT", path, wanted | {"confirmed": True})["amount"]["amount"] == "2.00"
    assert asks.post(f"{path}/reset")["amount"]["amount"] == "10.00"
    asks.ask("DELETE", path)
    assert asks.get(path)["enabled"] is False
