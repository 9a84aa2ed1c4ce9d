"""Webhooks and the fake provider's pages: signature first, stored before 2xx, and no fake where there is another provider."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import msgspec
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client

from tests.ports import PortBlock
from tests.store.cast import BY, NOW, Company, make_company
from trunkline.domain.money import MICROS
from trunkline.manager import webhooks
from trunkline.providers.payments import fake_desk
from trunkline.providers.payments.chosen import fake_payments
from trunkline.providers.payments.contract import Event, Told
from trunkline.providers.payments.fake import FakePayments
from trunkline.providers.payments.fake_seal import sign
from trunkline.store.audit import audit
from trunkline.store.models import Payment, PaymentMethod, ProviderEvent
from trunkline.usecases import payment_methods, payments
from trunkline.web.pace import Bucket

pytestmark = pytest.mark.usefixtures("store")
WEBHOOK = "/webhooks/payments/fake"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def company() -> Company:
    return make_company(credit_units=100, allocated_units=10)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePayments:
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(webhooks, "bucket", Bucket(webhooks.EVENTS_PER_SECOND, webhooks.BURST))
    return fake_payments()


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": "localhost"}, enforce_csrf_checks=False)


@pytest.fixture
def server(fake: FakePayments, ports: PortBlock, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The web process on a port of this machine: the fake provider sends its webhooks there."""
    application = get_wsgi_application()

    def served(environ: Any, start: Any) -> Any:
        try:
            return application(environ, start)
        finally:
            connections.close_all()

    httpd = make_server("127.0.0.1", ports.take(), served, handler_class=Quiet)
    monkeypatch.setenv("TRUNKLINE_WEB_PORT", str(httpd.server_port))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def top_up(company: Company, fake: FakePayments) -> payments.TopUp:
    return payments.start_top_up(
        now=NOW,
        by=BY,
        provider=fake,
        manager_id=company.manager_id,
        amount_micros=50 * MICROS,
        reference="one",
        return_url="/paid",
    )


def success(company: Company, fake: FakePayments) -> bytes:
    payment = Payment.objects.get(pk=top_up(company, fake).payment_id)
    event = Event(event_id="e1", told=Told.SUCCEEDED, reference=payment.reference, amount_micros=50 * MICROS, currency="USD")
    return msgspec.json.encode(event)


def send(visitor: Client, body: bytes, signature: str, path: str = WEBHOOK) -> int:
    return visitor.post(path, body, content_type="application/json", headers={"Fake-Signature": signature}).status_code


def balance(company: Company) -> int:
    return company.manager.account.balance // MICROS


def test_a_signed_webhook_is_stored_and_applied_once(company: Company, fake: FakePayments, visitor: Client) -> None:
    body = success(company, fake)
    assert [send(visitor, body, sign(body, fake.key)) for _ in range(3)] == [200, 200, 200]
    assert (balance(company), ProviderEvent.objects.count()) == (140, 1)
    assert audit().ok


def test_twenty_deliveries_at_once_book_once(company: Company, fake: FakePayments) -> None:
    body = success(company, fake)

    def deliver() -> int:
        try:
            return send(Client(headers={"host": "localhost"}), body, sign(body, fake.key))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        assert [each.result(60) for each in [pool.submit(deliver) for _ in range(20)]] == [200] * 20
    assert balance(company) == 140


def test_forged_old_and_odd_webhooks_store_nothing(company: Company, fake: FakePayments, visitor: Client) -> None:
    body = success(company, fake)
    good = sign(body, fake.key)
    assert send(visitor, body, "") == 400
    assert send(visitor, body, sign(body, b"x" * 32)) == 400
    assert send(visitor, body.replace(b"50000000", b"90000000"), good) == 400
    assert send(visitor, body, sign(body, fake.key, at=1_700_000_000)) == 400
    for junk in (
        b"",
        b"{}",
        b"[1]",
        b"\xff",
        b'{"event_id":"e","told":"nonsense"}',
        b'{"event_id":"e","told":"succeeded","amount_micros":1.5}',
    ):
        assert send(visitor, junk, sign(junk, fake.key)) == 400
    huge = b"x" * (webhooks.LARGEST_BYTES + 1)
    assert send(visitor, huge, sign(huge, fake.key)) == 413
    assert visitor.get(WEBHOOK).status_code == 405
    assert (ProviderEvent.objects.count(), balance(company)) == (0, 90)


def test_an_event_that_cannot_be_stored_is_not_acknowledged(company: Company, fake: FakePayments, visitor: Client) -> None:
    body = msgspec.json.encode(Event(event_id="e" * 200, told=Told.SUCCEEDED))
    assert send(visitor, body, sign(body, fake.key)) == 409
    assert not ProviderEvent.objects.exists()


def test_an_event_about_nobody_is_kept(fake: FakePayments, visitor: Client) -> None:
    body = msgspec.json.encode(Event(event_id="e1", told=Told.SUCCEEDED, reference="nobody"))
    assert send(visitor, body, sign(body, fake.key)) == 200
    assert ProviderEvent.objects.get().applied_at is None


def test_a_flood_is_slowed_and_forgeries_do_not_count(fake: FakePayments, visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "bucket", Bucket(per_second=0.0, burst=1.0))
    body = msgspec.json.encode(Event(event_id="e1", told=Told.NOTHING))
    assert [send(visitor, body, "t=1,v1=00") for _ in range(3)] == [400] * 3
    assert [send(visitor, body, sign(body, fake.key)) for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("other", ["stripe", "none"])
def test_the_fake_is_not_there_with_another_provider(
    company: Company, fake: FakePayments, visitor: Client, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    page = top_up(company, fake).action_url
    body = msgspec.json.encode(Event(event_id="e1", told=Told.NOTHING))
    for name, value in (("PAYMENT_PROVIDER", other), ("STRIPE_SECRET_KEY", "sk"), ("STRIPE_WEBHOOK_SECRET", "whsec")):
        monkeypatch.setenv(f"TRUNKLINE_{name}", value)
    assert send(visitor, body, sign(body, fake.key)) == 404
    assert visitor.get(page).status_code == 404
    assert visitor.post(page, {"decision": "approve"}).status_code == 404
    assert visitor.get("/pay/fake").status_code == 404
    assert visitor.post("/pay/fake/clerk/x", {"do": "send"}).status_code == 404
    assert balance(company) == 90


def test_an_instance_that_others_can_reach_has_no_fake_by_itself(
    visitor: Client, fake: FakePayments, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert visitor.get("/pay/fake").status_code == 200
    monkeypatch.setenv("TRUNKLINE_SIP_ADDRESS", "192.0.2.1")
    assert visitor.get("/pay/fake").status_code == 404


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("decision", "then"),
    [
        ("approve", ("succeeded", 140, 1)),
        ("approve_twice", ("succeeded", 140, 2)),
        ("approve_later", ("action_needed", 90, 0)),
        ("pending", ("processing", 90, 1)),
        ("fail", ("failed", 90, 1)),
        ("cancel", ("cancelled", 90, 1)),
        ("decline", ("action_needed", 90, 1)),
    ],
)
def test_a_click_on_the_payers_page(
    company: Company, fake: FakePayments, visitor: Client, decision: str, then: tuple[str, int, int]
) -> None:
    started = top_up(company, fake)
    assert b"$50.00" in visitor.get(started.action_url).content
    answer = visitor.post(started.action_url, {"decision": decision})
    assert (answer.status_code, answer.headers["Location"]) == (302, started.action_url if decision == "decline" else "/paid")
    sent = fake_desk.everything(fake)["event"][0]["deliveries"]
    assert (Payment.objects.get(pk=started.payment_id).state, balance(company), sent) == then


@pytest.mark.usefixtures("server")
def test_a_late_webhook_a_refund_and_a_dispute_from_the_desk(company: Company, fake: FakePayments, visitor: Client) -> None:
    started = top_up(company, fake)
    assert visitor.post(started.action_url, {"decision": "authenticate"}).headers["Location"].endswith("?step=authenticate")
    assert b"Your bank asks" in visitor.get(started.action_url + "?step=authenticate").content
    visitor.post(started.action_url, {"decision": "approve_later"})
    assert visitor.post(started.action_url, {"decision": "approve"}).status_code == 409

    def do(ident: str, what: str) -> None:
        assert visitor.post(f"/pay/fake/clerk/{ident}", {"do": what}).status_code == 302

    do(fake_desk.everything(fake)["event"][0]["id"], "send")
    assert balance(company) == 140
    paid = fake_desk.everything(fake)["payment"][0]["id"]
    do(paid, "dispute")
    assert (balance(company), company.manager.state) == (90, "suspended")
    do(fake_desk.everything(fake)["dispute"][0]["id"], "won")
    assert balance(company) == 140
    do(paid, "refund")
    assert balance(company) == 90
    page = visitor.get("/pay/fake").content
    assert b"dispute_won" in page
    assert b"refunded" in page
    assert audit().ok


@pytest.mark.usefixtures("server")
def test_a_card_is_stored_by_a_click(company: Company, fake: FakePayments, visitor: Client) -> None:
    started = payment_methods.add_method(
        now=NOW, by=BY, manager_id=company.manager_id, reference="card", return_url="/methods", provider=fake
    )
    assert b"Demo card that pays" in visitor.get(started.action_url).content
    assert visitor.post(started.action_url, {"card": "nonsense"}).status_code == 404
    assert visitor.post(started.action_url, {"card": "good"}).headers["Location"] == "/methods"
    assert PaymentMethod.objects.get().label == "Demo card that pays"
    assert b"A card was stored" in visitor.get(started.action_url).content


def test_pages_that_nobody_made_are_not_there(fake: FakePayments, visitor: Client) -> None:
    assert visitor.get("/pay/fake/payment/nobody").status_code == 404
    assert visitor.post("/pay/fake/clerk/nobody", {"do": "refund"}).status_code == 404
    assert visitor.post("/pay/fake/clerk/nobody", {"do": "nonsense"}).status_code == 409
