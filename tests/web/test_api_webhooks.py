"""Events of a company reach its webhooks: signed, once, again after a failure, and never where only we can reach."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.store.cast import BY
from tests.web.cast import Cast
from tests.web.programs import program
from tests.web.shop import make_shop
from trunkline.domain.errors import Invalid
from trunkline.domain.money import MICROS
from trunkline.providers import webhooks as sending
from trunkline.providers.webhooks import Told
from trunkline.store import clock
from trunkline.store.models import AuditEntry, CallRecord, LiveCall, Registration, WebhookDelivery, WebhookEndpoint
from trunkline.usecases import subscriptions, webhook_endpoints, webhooks
from trunkline.usecases.renewals import renew_due
from trunkline.usecases.webhook_endpoints import KINDS

URL = "https://erp.example.com/hook"


class Listener(BaseHTTPRequestHandler):
    """Remembers what it was sent; answers what the test wants."""

    taken: list[tuple[dict[str, str], bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((dict(self.headers), body))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        return


@pytest.fixture
def listener() -> Iterator[tuple[type[Listener], str]]:
    kind = type("OneListener", (Listener,), {"taken": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kind, f"http://127.0.0.1:{server.server_address[1]}/hook"
    server.shutdown()
    server.server_close()
    thread.join(5)


def make(cast: Cast, *events: str, url: str = URL, is_test: bool = True) -> webhook_endpoints.EndpointMade:
    about: dict[str, Any] = {"manager_id": cast.company.manager_id, "url": url, "events": events or KINDS, "is_test": is_test}
    made = webhook_endpoints.create_endpoint(now=clock.now(), by=BY, **about)
    note()  # from here on
    return made


def note(now: datetime | None = None) -> int:
    return webhooks.note_events(now=now or clock.now(), engines_now=datetime.now(UTC))


def send(now: datetime | None = None, **about: Any) -> webhooks.Sent:
    return webhooks.send_due(now=now or clock.now(), engines_now=datetime.now(UTC), by=BY, limit=100, is_test=True, **about)


def test_what_is_sent_is_signed_and_sent_once(listener: tuple[type[Listener], str]) -> None:
    kind, url = listener
    cast = make_shop()
    made = make(cast, "term.renewed", url=url)
    bought = subscriptions.buy_channels(now=clock.now(), by=BY, profile_id=cast.company.profile_ids[0], channels=2)
    renew_due(now=bought.ends_at, by=BY, limit=10, recharge=mock.Mock())
    assert note(bought.ends_at) == 1
    assert note(bought.ends_at) == 0
    assert send(bought.ends_at).sent == 1
    assert send(bought.ends_at).sent == 0
    [(headers, body)] = kind.taken
    assert kind.taken[0][0]["Trunkline-Event"] == "term.renewed"
    at, signed = (part.partition("=")[2] for part in headers["Trunkline-Signature"].split(","))
    assert hmac.new(made.secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() == signed
    assert abs(time.time() - int(at)) < 300, "the receiver's clock is not put forward with ours"
    told = json.loads(body)
    assert (told["type"], told["data"]["price"], told["data"]["quantity"]) == ("term.renewed", "10.00", 2)


def test_a_new_secret_signs_beside_the_one_before_for_a_day(listener: tuple[type[Listener], str]) -> None:
    kind, url = listener
    cast = make_shop()
    made = make(cast, "term.renewed", url=url)
    asks = program(cast)
    new = asks.post(f"/webhooks/{made.endpoint_id}/secret")["secret"]
    assert new.startswith("whsec_")
    secrets = {"new": new, "old": made.secret}
    for later, known in ((timedelta(hours=23), {"new", "old"}), (timedelta(hours=24), {"new"})):
        kind.taken.clear()
        _delivery(made.endpoint_id, f"after {later}")
        send(clock.now() + later)
        [(headers, body)] = kind.taken
        at, *signed = (part.partition("=")[2] for part in headers["Trunkline-Signature"].split(","))
        computed = {name: hmac.new(each.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() for name, each in secrets.items()}
        assert {name for name, digest in computed.items() if digest in signed} == known
        assert len(signed) == len(known)
    assert AuditEntry.objects.filter(action="webhook.rotate", manager_id=cast.company.manager_id).count() == 1
    program(make_shop("Builders")).post(f"/webhooks/{made.endpoint_id}/secret", expect=404)


def test_a_test_event_arrives_as_any_other_does_and_not_too_often(listener: tuple[type[Listener], str]) -> None:
    kind, url = listener
    cast = make_shop()
    made = make(cast, "term.renewed", url=url)
    asks = program(cast)
    asks.post(f"/webhooks/{made.endpoint_id}/test")
    assert send().sent == 1
    told = json.loads(kind.taken[0][1])
    assert (told["type"], kind.taken[0][0]["Trunkline-Event"]) == ("test", "test")
    for _ in range(webhook_endpoints.TESTS_IN_AN_HOUR - 1):
        asks.post(f"/webhooks/{made.endpoint_id}/test")
    asks.post(f"/webhooks/{made.endpoint_id}/test", expect=409)
    assert WebhookDelivery.objects.count() == webhook_endpoints.TESTS_IN_AN_HOUR


def test_a_redirect_is_a_failure_and_nobody_follows_it(listener: tuple[type[Listener], str]) -> None:
    kind, url = listener
    kind.status = 307
    told = sending.post(url, b"{}", headers={}, is_test=True)
    assert told == Told(307, "It answered 307; only 2xx counts.")
    assert len(kind.taken) == 1


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "2002:a00:1::1", "224.0.0.1"],
)  # fmt: skip
def test_no_private_address_is_called_by_whatever_name(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of many addresses is enough to refuse; nothing is connected."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(socket.AF_INET, 0, 0, "", ("198.51.100.7", 443)), (family, 0, 0, "", (address, 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: found)
    monkeypatch.setattr("socket.create_connection", mock.Mock(side_effect=AssertionError("it called")))
    assert "not public" in sending.post("https://hook.example.com/", b"", headers={}, is_test=False).failure


def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError("nobody there")

    look = mock.Mock(return_value=[(socket.AF_INET, 0, 0, "", ("93.184.215.14", 443))])
    monkeypatch.setattr("socket.getaddrinfo", look)
    monkeypatch.setattr("socket.create_connection", connect)
    assert "nobody there" in sending.post("https://hook.example.com/", b"", headers={}, is_test=False).failure
    assert (called, look.call_count) == ([("93.184.215.14", 443)], 1)


@pytest.mark.parametrize(
    "url", ["http://erp.example.com/", "https://user:secret@erp.example.com/", "ftp://x/", "https://", "https://a b/", "nothing"]
)
def test_only_https_urls_are_taken(url: str) -> None:
    cast = make_shop()
    with pytest.raises(Invalid):
        make(cast, url=url, is_test=False)


def test_a_failure_is_tried_again_later_and_ends_with_the_endpoint_disabled() -> None:
    cast = make_shop()
    made = make(cast, "term.renewed")
    _delivery(made.endpoint_id)
    now = clock.now()
    for _ in range(12):
        waiting = WebhookDelivery.objects.get()
        if waiting.given_up_at is not None:
            break
        now = max(now, waiting.next_try_at)
        send(now, send=lambda *args, **kwargs: Told(500, "It answered 500; only 2xx counts."))
    failed = WebhookDelivery.objects.get()
    assert (failed.tries, failed.status, failed.given_up_at is not None) == (8, 500, True)
    _delivery(made.endpoint_id, "another")
    send(now + webhooks.DISABLED_AFTER, send=lambda *args, **kwargs: Told(0, "nobody there"))
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.disabled_at is not None
    assert "nobody there" in endpoint.disabled_why
    assert AuditEntry.objects.filter(action="webhook.disable", manager_id=cast.company.manager_id).count() == 1


def test_an_endpoint_that_does_not_answer_keeps_the_clock_waiting_once_a_minute() -> None:
    cast = make_shop()
    made = make(cast, "term.renewed")
    for event in ("one", "two", "three"):
        _delivery(made.endpoint_id, event)
    now = clock.now()
    about: dict[str, Any] = {"now": now, "engines_now": now, "by": BY, "limit": 1, "is_test": True}
    assert webhooks.send_due(**about, send=lambda *args, **kwargs: Told(0, "nobody there")).failed == 1
    assert webhooks.next_due(now + timedelta(seconds=59)) is None
    assert webhooks.next_due(now + timedelta(seconds=60)) is not None


def test_an_endpoint_is_managed_and_an_event_replayed_by_the_api() -> None:
    cast = make_shop()
    asks = program(cast)
    made = asks.post("/webhooks", {"url": URL, "events": ["payment.succeeded"]}, expect=201)
    ident = made["webhook"]["id"]
    assert made["secret"].startswith("whsec_")
    assert "secret" not in str(asks.get("/webhooks"))
    _delivery(ident)
    assert send(send=lambda *args, **kwargs: Told(200)).sent == 1
    [delivery] = asks.get(f"/webhooks/{ident}/deliveries")["items"]
    assert delivery["delivered_at"]
    asks.post(f"/webhooks/deliveries/{delivery['id']}/replay")
    assert send(send=lambda *args, **kwargs: Told(200)).sent == 1
    assert asks.ask("PATCH", f"/webhooks/{ident}", {"enabled": False})["enabled"] is False
    asks.post(f"/webhooks/deliveries/{delivery['id']}/replay", expect=409)
    asks.ask("DELETE", f"/webhooks/{ident}")
    stranger = program(make_shop("Builders"))
    for method, path in (("PATCH", f"/webhooks/{ident}"), ("DELETE", f"/webhooks/{ident}"), ("GET", f"/webhooks/{ident}/deliveries")):
        stranger.ask(method, path, {} if method == "PATCH" else None, expect=404)
    stranger.post(f"/webhooks/deliveries/{delivery['id']}/replay", expect=404)


def test_calls_are_told_only_by_tokens_that_may_see_them() -> None:
    cast = make_shop()
    wanted = {"url": URL, "events": ["call.ended"]}
    assert program(cast).post("/webhooks", wanted, expect=403)["error"]["code"] == "forbidden"
    program(cast, call_details=True).post("/webhooks", wanted, expect=201)


def test_each_call_is_told_once_in_whatever_order_calls_end() -> None:
    cast = make_shop()
    profile = cast.company.profile_ids[0]
    _live(profile, 100)
    make(cast, "call.ended")
    _record(cast, 90)  # it ended before: nobody hears of it
    _live(profile, 110)
    _record(cast, 120)
    assert note() == 1
    _end(cast, 100)
    assert note() == 1
    _end(cast, 110)
    _record(cast, 130)
    assert note() == 2
    assert note() == 0
    told = [json.loads(text)["data"]["call_id"] for text in WebhookDelivery.objects.order_by("pk").values_list("payload", flat=True)]
    assert told == ["120", "100", "110", "130"]


def test_a_low_balance_and_a_take_over_are_told_once() -> None:
    cast = make_shop()
    make(cast, "balance.low", "registration.conflict")
    manager = cast.company.manager
    manager.low_balance_micros, manager.low_balance_since = 900 * MICROS, clock.now()
    manager.save()
    now_us = int(datetime.now(UTC).timestamp() * MICROS)
    about: dict[str, Any] = {
        "contact": "sip:b@h",
        "source": "udp:198.51.100.7:5060",
        "socket": "",
        "behind_nat": False,
        "user_agent": "PBX",
    }
    times = {"since_us": now_us, "refreshed_us": now_us, "expires_us": now_us + 60 * MICROS, "displaced_us": now_us}
    Registration.objects.create(profile_id=cast.company.profile_ids[0], call_id="c", cseq=1, displaced_contact="sip:a@h", **about, **times)
    assert note() == 2
    assert note() == 0
    kinds = set(WebhookDelivery.objects.values_list("kind", flat=True))
    assert kinds == {"balance.low", "registration.conflict"}


def test_a_look_that_finds_nothing_new_writes_nothing() -> None:
    cast = make_shop()
    make(cast)
    subscriptions.buy_channels(now=clock.now(), by=BY, profile_id=cast.company.profile_ids[0], channels=2)
    _record(cast, 5)
    note()
    with CaptureQueriesContext(connection) as queries:
        assert note() == 0
    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []


def test_another_company_hears_nothing() -> None:
    cast, other = make_shop(), make_shop("Builders")
    make(other, "call.ended", "term.renewed")
    _record(cast, 5)
    assert note() == 0


def test_old_deliveries_are_pruned() -> None:
    cast = make_shop()
    made = make(cast, "term.renewed")
    _delivery(made.endpoint_id)
    assert webhooks.prune(clock.now()) == 0
    assert webhooks.prune(clock.now() + webhooks.KEPT + timedelta(days=1)) == 1


def _delivery(endpoint_id: int, event: str = "one") -> None:
    now = clock.now()
    about: dict[str, Any] = {"kind": "term.renewed", "payload": "{}", "created_at": now, "next_try_at": now}
    WebhookDelivery.objects.create(endpoint_id=endpoint_id, event=event, **about)


def _live(profile_id: int, ref: int) -> None:
    about: dict[str, Any] = {"edge": "one", "state": "answered", "direction": "outgoing", "admitted_us": 1, "facts": "{}"}
    LiveCall.objects.create(call_ref=ref, edge_key=str(ref), caller_profile_id=profile_id, **about)


def _record(cast: Cast, ref: int) -> None:
    about: dict[str, Any] = {
        "caller": "",
        "caller_shown": "",
        "dialled": "",
        "started_us": 1,
        "ended_us": 2,
        "result": "answered",
        "trace": "[]",
    }
    whose = {"manager_id": cast.company.manager_id, "profile_id": cast.company.profile_ids[0], "direction": "outgoing", "currency": "USD"}
    CallRecord.objects.create(call_ref=ref, **whose, **about)


def _end(cast: Cast, ref: int) -> None:
    LiveCall.objects.filter(pk=ref).delete()
    _record(cast, ref)
