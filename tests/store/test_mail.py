"""The outbox (SPEC R3.6, R4.3), on both databases; and how a mail leaves: into a file, or to a real SMTP server."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from tests.store.cast import BY, NOW, Company
from tests.store.test_concurrency import all_at_once
from trunkline.domain import patience
from trunkline.domain.errors import NotFound
from trunkline.providers.mail import NotSentError, send
from trunkline.runtime.settings import Settings, load_settings
from trunkline.store import outbox
from trunkline.store.mail_settings import mail_settings
from trunkline.store.models import Manager
from trunkline.store.work import work
from trunkline.usecases.mail import NO_ADDRESS, TEMPLATES, put_in_outbox, send_due, written

CONTEXT = {"free": "$1.00", "limit": "$5.00"}


class Post:
    """Takes mail, or does not."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works
        self.taken: list[dict[str, str]] = []

    def __call__(self, **mail: str) -> None:
        if not self.works:
            raise NotSentError("no route")
        self.taken.append(mail)


def put(company: Company, key: str = "first", *, address: str = "notices@example.com", **more: str) -> bool:
    Manager.objects.filter(pk=company.manager_id).update(email=address)
    with work(now=NOW, by=BY) as doing:
        return put_in_outbox(doing, key=key, manager=company.manager, template="low_balance", context=CONTEXT | more)


def test_a_mail_is_written_with_what_it_is_about_and_sent_once(company: Company) -> None:
    assert put(company)
    post = Post()
    assert (send_due(now=NOW, limit=10, send=post).sent, send_due(now=NOW + timedelta(days=9), limit=10, send=post).sent) == (1, 0)
    (mail,) = post.taken
    assert (mail["to"], mail["subject"]) == ("notices@example.com", "Credit of Architects is low")
    assert "down to $1.00" in mail["text"]
    assert outbox.newest(manager_id=company.manager_id)[0].sent_at == NOW


def test_the_same_is_said_once(company: Company) -> None:
    assert put(company)
    assert not put(company)
    assert all_at_once([lambda: put(company, "second")] * 6).count(True) >= 1
    assert [mail.key for mail in outbox.newest()] == ["second", "first"]


def test_what_did_not_happen_is_not_told(company: Company) -> None:
    with contextlib.suppress(InterruptedError), work(now=NOW, by=BY) as doing:
        assert put_in_outbox(doing, key="x", manager=company.manager, template="low_balance", context=CONTEXT)
        raise InterruptedError
    assert outbox.newest() == []


def test_a_server_that_is_away_is_asked_at_growing_intervals_and_then_no_more(company: Company) -> None:
    put(company)
    now, tries = NOW, 0
    while (due := outbox.next_due(now + timedelta(days=30))) is not None and tries < 50:
        now = max(now, due)
        assert send_due(now=now, limit=10, send=Post(works=False)).failed == 1
        tries += 1
    (mail,) = outbox.given_up()
    assert (tries, mail.tries, mail.failure, mail.given_up_at) == (len(patience.MAIL) + 1, tries, "no route", now)
    assert now - NOW == sum(patience.MAIL, timedelta())


def test_a_company_without_an_address_is_seen_by_the_operator(company: Company) -> None:
    assert put(company, address="")
    assert send_due(now=NOW, limit=10, send=Post()).sent == 0
    assert outbox.given_up().get().failure == NO_ADDRESS


def test_many_senders_send_each_mail_once(company: Company) -> None:
    for number in range(30):
        put(company, f"mail {number}")
    post = Post()
    all_at_once([lambda: send_due(now=NOW, limit=30, send=post)] * 4)
    assert sorted(mail["key"] for mail in post.taken) == sorted(f"mail {number}" for number in range(30))


def test_one_whose_sender_died_is_taken_up_again(company: Company) -> None:
    def die(**mail: str) -> None:
        raise KeyboardInterrupt

    put(company)
    with pytest.raises(KeyboardInterrupt):
        send_due(now=NOW, limit=10, send=die)
    assert send_due(now=NOW, limit=10, send=Post()).sent == 0
    assert send_due(now=NOW + timedelta(minutes=10), limit=10, send=Post()).sent == 1


def test_no_value_brings_a_header_or_a_line() -> None:
    evil = "Architects\r\nBcc: everybody@example.com\r\n\r\nBuy"
    subject, text = written("low_balance", CONTEXT | {"company": evil, "free": "a\n\nb\u2028c\x00d"})
    assert subject == "Credit of Architects Bcc: everybody@example.com Buy is low"
    assert "a b c d" in text
    with pytest.raises(NotSentError, match="Header"):
        send(key="x", to="a@example.com", subject="a\nBcc: b@example.com", text="")
    with pytest.raises(NotSentError):
        send(key="x", to="a@example.com\nBcc: b@example.com", subject="a", text="")


def test_a_template_names_what_it_needs() -> None:
    with pytest.raises(KeyError):
        written("low_balance", {"company": "Architects"})
    for path in TEMPLATES.iterdir():
        subject, _, text = path.read_text(encoding="utf-8").partition("\n\n")
        assert 0 < len(subject) < 100, path
        assert text.endswith("\n"), path


def test_a_mail_that_is_not_there_is_a_clear_error(company: Company) -> None:
    with pytest.raises(NotFound, match="mail list"):
        outbox.mail(1)


def test_a_file_is_a_mail_that_programs_open(tmp_path: Path) -> None:
    with override_settings(**mail_settings(Settings(home=tmp_path))):
        for _ in range(2):
            send(key="same", to="notices@example.com", subject="Größe — 5 €", text="Zeile\n.\nEnde\n")
    first, second = sorted((tmp_path / "mail").iterdir())
    read = email.message_from_bytes(first.read_bytes(), policy=email.policy.default)
    assert (read["To"], read["Subject"], read["From"]) == ("notices@example.com", "Größe — 5 €", "Trunkline <notices@trunkline.localhost>")
    assert read.get_content().splitlines() == ["Zeile", ".", "Ende"]
    assert read["Message-ID"] == email.message_from_bytes(second.read_bytes())["Message-ID"]
    assert read["Message-ID"].endswith("@trunkline.localhost>")


class SmtpServer(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as one mail needs; refuses whom it does not like."""

    def handle(self) -> None:
        self._say("220 here")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self._say("354 go on")
                self.server.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))  # type: ignore[attr-defined] # ours
                self._say("250 taken")
            elif word == b"RCPT" and b"nobody" in line:
                self._say("550 unknown")
            elif word == b"QUIT":
                return self._say("221 bye")
            else:
                self._say("250 yes")
        return None

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def smtp_server() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SmtpServer) as server:
        server.taken = []  # type: ignore[attr-defined] # what came
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_mail_reaches_an_smtp_server(smtp_server: Any, tmp_path: Path) -> None:
    url = f"smtp+plain://127.0.0.1:{smtp_server.server_address[1]}"
    with override_settings(**mail_settings(Settings(home=tmp_path, mail=url))):
        send(key="x", to="notices@example.com", subject="Hello", text="World\n")
        with pytest.raises(NotSentError, match="unknown"):
            send(key="y", to="nobody@example.com", subject="Hello", text="World\n")
    assert b"Subject: Hello" in smtp_server.taken[0]
    assert b"Auto-Submitted: auto-generated" in smtp_server.taken[0]


def test_a_server_that_is_not_there_is_a_failure_to_be_tried_again(tmp_path: Path) -> None:
    with override_settings(**mail_settings(Settings(home=tmp_path, mail="smtp+plain://127.0.0.1:1"))), pytest.raises(NotSentError):
        send(key="x", to="notices@example.com", subject="Hello", text="World\n")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://ada:p%40ss@mail.example", ("mail.example", 465, "ada", "p@ss", True, False)),
        ("smtp://mail.example:2525", ("mail.example", 2525, "", "", False, True)),
        ("smtp+plain://127.0.0.1", ("127.0.0.1", 25, "", "", False, False)),
    ],
)
def test_the_setting_is_a_url(url: str, expected: tuple[Any, ...], tmp_path: Path) -> None:
    made = mail_settings(load_settings({"TRUNKLINE_HOME": str(tmp_path), "TRUNKLINE_MAIL": url}))
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_SSL", "EMAIL_USE_TLS")
    assert tuple(made[name] for name in names) == expected


def test_django_sends_as_the_setting_says() -> None:
    assert settings.DEFAULT_FROM_EMAIL == "Trunkline <notices@trunkline.localhost>"
