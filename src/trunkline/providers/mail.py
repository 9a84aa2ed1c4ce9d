"""How a mail leaves: through Django's mail, into a file or to an SMTP server (docs/reference/layout.md, `TRUNKLINE_MAIL`)."""

from __future__ import annotations

import hashlib
import itertools
import os
import smtplib
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_numbers = itertools.count(1)


class NotSentError(Exception):
    """It did not leave; the text says why, for the operator."""


def send(*, key: str, to: str, subject: str, text: str) -> None:
    """Hand it over, or raise `NotSentError`. The same key has the same Message-ID: who gets a mail twice can tell."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    name = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    headers = {"Message-ID": f"<{name}@{domain}>", "Auto-Submitted": "auto-generated"}
    try:
        # Django refuses a line break in any header
        sent = EmailMessage(subject=subject, body=text, to=[to], headers=headers).send()
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        raise NotSentError(f"{type(problem).__name__}: {problem}") from problem
    if not sent:
        raise NotSentError("The mail server took nothing.")


class EmlBackend(BaseEmailBackend):
    """Django's way to write each mail into a file of its own, that mail programs open. Their names ascend with time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        directory = Path(settings.EMAIL_FILE_PATH)
        directory.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{time.time_ns()}-{os.getpid()}-{next(_numbers)}"
            unfinished = directory / f".{name}"
            unfinished.write_bytes(message.message().as_bytes())
            unfinished.replace(directory / f"{name}.eml")  # whole, or not there
        return len(email_messages)
