"""Webhooks in the Manager: set up, tried, given a new secret, switched off, deleted; what was sent, and sending it again."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.store.cast import BY
from tests.web.cast import Cast, join, signed_in
from tests.web.shop import make_shop
from trunkline.manager.webhook_endpoints import EVENTS
from trunkline.providers.webhooks import Told
from trunkline.store import clock, sealing
from trunkline.store.models import Membership, Role, WebhookDelivery, WebhookEndpoint
from trunkline.usecases import webhooks
from trunkline.usecases.webhook_endpoints import KINDS

URL = "https://erp.example.com/told"
WANTED = {"url": URL, "events": ["payment.succeeded", "call.ended"]}


@pytest.fixture
def cast() -> Cast:
    return make_shop()


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(join(cast, Role.ADMINISTRATOR))


def secret_on(page: str) -> str:
    found = re.search(r"whsec_[\w-]+", page)
    assert found, page
    return found[0]


def add(client: Client) -> WebhookEndpoint:
    assert client.post("/members/webhooks/add", WANTED).status_code == 200
    return WebhookEndpoint.objects.latest("pk")


def send(answer: Told) -> webhooks.Sent:
    at = clock.now()
    return webhooks.send_due(now=at, engines_now=at, by=BY, limit=100, is_test=True, send=lambda *args, **kwargs: answer)


def test_every_event_can_be_chosen() -> None:
    assert tuple(name for name, _ in EVENTS) == KINDS


def test_a_webhook_is_set_up_and_its_secret_is_shown_once(client: Client) -> None:
    assert "No webhook yet" in client.get("/members/webhooks").content.decode()
    answer = client.post("/members/webhooks/add", WANTED)
    made = WebhookEndpoint.objects.get()
    assert secret_on(answer.content.decode()) == sealing.unseal(made.secret_sealed)
    assert "no-store" in answer.headers["Cache-Control"]
    assert made.events == sorted(WANTED["events"])
    for path in ("/members/webhooks", f"/members/webhooks/{made.pk}"):
        page = client.get(path).content.decode()
        assert URL in page
        assert "whsec_" not in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "ftp://erp.example.com/"}, "https://"),
        ({"url": "https://user:secret@erp.example.com/"}, "neither a password"),
        ({"url": ""}, "required"),
        ({"events": []}, "required"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_made(client: Client, changed: dict[str, object], said: str) -> None:
    page = client.post("/members/webhooks/add", WANTED | changed).content.decode()
    assert said in page
    assert 'class="wrong"' in page
    assert not WebhookEndpoint.objects.exists()


def test_it_is_changed_and_switched_off_and_on(client: Client) -> None:
    made = add(client)
    here = f"/members/webhooks/{made.pk}"
    assert client.post(f"{here}/change", {"url": "https://erp.example.com/new", "events": ["term.lapsed"]}).status_code == 302
    assert client.post(f"{here}/switch", {"enabled": "no"}).status_code == 302
    made.refresh_from_db()
    assert (made.url, made.events, made.disabled_at is not None) == ("https://erp.example.com/new", ["term.lapsed"], True)
    assert "It is disabled." in client.get(here).content.decode()
    assert client.post(f"{here}/test").status_code == 409
    client.post(f"{here}/switch", {"enabled": "yes"})
    made.refresh_from_db()
    assert made.disabled_at is None


def test_a_test_event_is_sent_shown_and_sent_again(client: Client) -> None:
    made = add(client)
    answer = client.post(f"/members/webhooks/{made.pk}/test")
    delivery = WebhookDelivery.objects.get()
    here = f"/members/webhooks/deliveries/{delivery.pk}"
    assert answer.headers["Location"] == here
    assert "On its way" in client.get(f"{here}/state").content.decode()
    assert send(Told(500, "It answered 500; only 2xx counts.")).failed == 1
    page = client.get(here).content.decode()
    assert "It answered 500" in page
    assert "Failed, tried again" in page
    assert "&quot;type&quot;:&quot;test&quot;" in page
    assert client.post(f"{here}/again").status_code == 302
    assert send(Told(200)).sent == 1
    assert "Taken" in client.get(f"{here}/state").content.decode()
    assert "Taken" in client.get(f"/members/webhooks/{made.pk}").content.decode()


def test_a_new_secret_is_asked_for_and_shown_once(client: Client) -> None:
    made = add(client)
    before = sealing.unseal(made.secret_sealed)
    here = f"/members/webhooks/{made.pk}/secret"
    assert "What happens" in client.get(here).content.decode()
    shown = secret_on(client.post(here).content.decode())
    made.refresh_from_db()
    assert (sealing.unseal(made.secret_sealed), sealing.unseal(made.former_secret_sealed)) == (shown, before)


def test_deleting_says_what_happens_first(client: Client) -> None:
    made = add(client)
    client.post(f"/members/webhooks/{made.pk}/test")
    assert "1 message that waits is given up" in client.get(f"/members/webhooks/{made.pk}/delete").content.decode()
    assert client.post(f"/members/webhooks/{made.pk}/delete").status_code == 302
    assert client.get(f"/members/webhooks/{made.pk}").status_code == 404
    assert "Given up" in client.get(f"/members/webhooks/deliveries/{WebhookDelivery.objects.get().pk}").content.decode()


def test_secrets_and_new_webhooks_want_another_look_at_who_it_is(client: Client) -> None:
    made = add(client)
    session = client.session
    session["account_authentication_methods"][-1]["at"] -= 301
    session.save()
    for path in ("/members/webhooks/add", f"/members/webhooks/{made.pk}/secret"):
        for answer in (client.get(path), client.post(path, WANTED)):
            assert answer.headers["Location"].startswith("/confirm-identity"), path
    assert WebhookEndpoint.objects.count() == 1


def test_who_called_whom_is_shown_after_the_notice_only(cast: Cast, client: Client) -> None:
    made = add(client)
    about = {"kind": "call.ended", "payload": '{"data":{"number":"442079460000"}}', "created_at": clock.now(), "next_try_at": clock.now()}
    told = WebhookDelivery.objects.create(endpoint=made, event="call/1", **about)
    here = f"/members/webhooks/deliveries/{told.pk}"
    assert client.get(here).headers["Location"].startswith("/reports/acknowledge")
    assert "442079460000" not in client.get(f"{here}/state").content.decode()
    Membership.objects.filter(manager_id=cast.company.manager_id).update(records_acknowledged_at=clock.now())
    assert "442079460000" in client.get(here).content.decode()
