"""Money and numbers through the API: payments, rented numbers, profiles that come and go; the ledger stays sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import pytest

from tests.store.cast import BY
from tests.web.programs import program
from tests.web.shop import make_shop, product_of
from trunkline.api import door
from trunkline.domain.money import MICROS
from trunkline.domain.number_sheet import stock_number
from trunkline.providers.payments.contract import ProviderUnreachable, Started
from trunkline.store import clock
from trunkline.store.audit import audit
from trunkline.store.models import Number, NumberAgreement, Payment
from trunkline.usecases.numbers import add_numbers


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(door, "buckets", door.Buckets())
    yield
    assert audit().differences == []


def test_channels_and_bundles_are_bought_together_or_not_at_all() -> None:
    cast = make_shop()
    asks, path = program(cast), f"/profiles/{cast.company.profile_ids[0]}/purchase"
    wanted = {"channels": 3, "bundles": [{"product_id": product_of(cast), "quantity": 4}]}
    assert "more than the 3 calling channels" in asks.post(f"{path}/preview", wanted)["problems"][0]
    asks.post(path, wanted, expect=409)
    wanted["channels"] = 4
    offer = asks.post(f"{path}/preview", wanted)
    assert (offer["to_pay"]["amount"], offer["balance_after"]["amount"], offer["problems"]) == ("100.00", "400.00", [])
    done = asks.post(path, wanted, key="once")
    assert (done["channels"]["quantity"], [each["quantity"] for each in done["bundles"]]) == (4, [4])
    assert asks.post(path, wanted, key="once") == done
    assert asks.get("/manager")["free"]["amount"] == "400.00"
    assert asks.post(path, {"channels": 300}, expect=402)["error"]["code"] == "not_enough_credit"


def test_a_number_is_rented_once_moved_and_cancelled() -> None:
    cast = make_shop()
    add_numbers(now=clock.now(), by=BY, stock=[replace(stock_number("12025550100"), monthly_price_micros=3 * MICROS)])
    asks = program(cast)
    [found] = asks.get("/numbers/available")["items"]
    path, profile_id = f"/numbers/{found['id']}", cast.company.profile_ids[0]
    assert asks.post(f"{path}/preview")["price"]["amount"] == "3.00"
    assert "agreement" in asks.post(f"{path}/rent", {"agreed": False}, expect=409)["error"]["message"]
    first = asks.post(f"{path}/rent", {"agreed": True, "profile_id": profile_id}, key="rent")
    assert asks.post(f"{path}/rent", {"agreed": True, "profile_id": profile_id}, key="rent") == first
    assert asks.get("/manager")["free"]["amount"] == "497.00"
    assert NumberAgreement.objects.count() == 1
    assert asks.get("/numbers")["items"][0]["profile_id"] == profile_id
    assert asks.post(f"{path}/assign", {"profile_id": None})["profile_id"] is None
    asks.post(f"{path}/cancel")
    assert asks.get("/numbers")["items"][0]["renews"] is False
    asks.post(f"{path}/undo")
    stranger = program(make_shop("Builders"))
    for step, body in (("preview", None), ("rent", {"agreed": True}), ("assign", {"profile_id": None}), ("cancel", None), ("undo", None)):
        stranger.post(f"{path}/{step}", body, expect=404)
    assert Number.objects.get().manager_id == cast.company.manager_id


def test_a_payment_goes_on_at_its_page_and_is_asked_for_once() -> None:
    cast = make_shop()
    asks = program(cast)
    provider = mock.Mock(name="provider")
    provider.name = "fake"
    provider.create_payment.return_value = Started("pi_1", "https://pay.example.com/1")
    with mock.patch("trunkline.api.credit.payment_provider", return_value=provider):
        first = asks.post("/payments", {"amount": "25.00"}, key="top-up")
        again = asks.post("/payments", {"amount": "25.00"}, key="top-up")
    assert (first["state"], first["action_url"]) == ("action_needed", "https://pay.example.com/1")
    assert first == again == asks.get(f"/payments/{first['id']}")
    assert provider.create_payment.call_count == 1
    assert Payment.objects.filter(why=Payment.Why.TOP_UP).count() == 1
    program(make_shop("Builders")).get(f"/payments/{first['id']}", expect=404)


def test_a_provider_that_does_not_answer_is_no_fault_of_ours() -> None:
    asks = program(make_shop())
    provider = mock.Mock(name="provider")
    provider.name = "fake"
    provider.create_payment.side_effect = ProviderUnreachable("no answer")
    with mock.patch("trunkline.api.credit.payment_provider", return_value=provider):
        assert asks.post("/payments", {"amount": "25.00"})["state"] == "created"


def test_a_profile_is_bought_whole_and_deleted_with_what_it_gives_back() -> None:
    cast = make_shop()
    product_id, asks = product_of(cast), program(cast)
    wanted = {"name": "Munich", "channels": 2, "bundles": [{"product_id": product_id, "quantity": 1}]}
    offer = asks.post("/profiles/preview", wanted)
    made = asks.post("/profiles", wanted, expect=201)["profile"]
    assert (offer["to_pay"]["amount"], asks.get("/manager")["free"]["amount"]) == ("30.00", offer["balance_after"]["amount"])
    path = f"/profiles/{made['id']}"
    asks.post(f"{path}/credit/allocate", {"amount": "7.00"})
    plan = asks.get(f"{path}/deletion")
    assert (plan["credit"]["amount"], plan["channels"], plan["problems"]) == ("7.00", 2, [])
    asks.ask("DELETE", path)
    asks.get(path, expect=404)
    assert asks.post("/profiles", wanted | {"name": "Munich", "channels": 300}, expect=402)["error"]["code"] == "not_enough_credit"
