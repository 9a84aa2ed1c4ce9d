"""The outbox (SPEC R3.6, R4.3): a mail is written in the transaction of what it is about, and leaves when that is committed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from string import Template

import structlog
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from trunkline.domain import patience
from trunkline.providers.mail import NotSentError, send
from trunkline.store import outbox
from trunkline.store.models import Mail, Manager
from trunkline.store.work import Work

TEMPLATES = files("trunkline.usecases") / "data" / "mail"
NO_ADDRESS = "The Manager has no e-mail address: set one with `mail notices`."
SENDING = timedelta(minutes=10)
"""Longer than a server may take: who sends has died, another may try."""

log = structlog.get_logger()
Send = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Sent:
    sent: int
    failed: int


def put_in_outbox(doing: Work, *, key: str, manager: Manager, template: str, context: Mapping[str, str]) -> bool:
    """Write a mail to a Manager; it leaves after the commit. `template` is a file in `data/mail` and gets `context` and `company`.

    `key` says what the mail is about: the second one is not written, and False returned. Without an address the mail is
    kept as given up, for the operator to see.
    """
    subject, text = written(template, {"company": manager.company_name, **context})
    mail = Mail(key=key, manager=manager, to=manager.email if is_address(manager.email) else "", subject=subject[:200], text=text)
    mail.created_at = mail.next_try_at = doing.now
    if not mail.to:
        mail.given_up_at, mail.failure = doing.now, NO_ADDRESS
    return outbox.put_in(mail)


def written(template: str, context: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text. What goes into a template can't bring line breaks, and so no headers."""
    safe = {name: _on_one_line(value) for name, value in context.items()}
    whole = Template((TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")).substitute(safe)
    subject, _, text = whole.partition("\n\n")
    return subject, text


def send_due(*, now: datetime, limit: int, send: Send = send) -> Sent:
    """Send what waits in the outbox, oldest first. A mail whose sender was killed may leave twice, with one Message-ID."""
    done = [_send_one(mail, now, send) for mail in outbox.to_send(now, limit) if outbox.claim(mail, until=now + SENDING)]
    return Sent(done.count(True), done.count(False))


def _send_one(mail: Mail, now: datetime, send: Send) -> bool:
    """Claimed, so nobody else writes its row."""
    mail.tries += 1
    try:
        send(key=mail.key, to=mail.to, subject=mail.subject, text=mail.text)
    except NotSentError as problem:
        _note_failure(mail, now, str(problem))
        return False
    mail.sent_at, mail.failure = now, ""
    mail.save(update_fields=["sent_at", "failure"])
    return True


def _note_failure(mail: Mail, now: datetime, failure: str) -> None:
    mail.failure = failure[:200]
    again_at = patience.next_try(now, mail.tries, patience.MAIL)
    mail.next_try_at, mail.given_up_at = again_at or now, None if again_at else now
    mail.save(update_fields=["failure", "next_try_at", "given_up_at"])
    log.warning("a mail was not sent", mail=mail.pk, tries=mail.tries, given_up=again_at is None, failure=mail.failure)


def is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _on_one_line(text: str) -> str:
    return " ".join("".join(" " if unicodedata.category(character).startswith(("C", "Z")) else character for character in text).split())
