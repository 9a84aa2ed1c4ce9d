"""Mail that lies in files instead of being sent (`TRUNKLINE_MAIL=file`): how a demonstration shows what people would get."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trunkline.operator.pages import operator_page
from trunkline.web.access import Audience, open_to

NEWEST = 100


@dataclass(frozen=True, slots=True)
class Letter:
    name: str
    to: str
    subject: str
    at: datetime | None
    text: str


@open_to(Audience.OPERATOR)
@require_safe
@never_cache
def letters(request: HttpRequest) -> HttpResponse:
    """Sign-in codes are in them: for the operator's own people who may do everything anyway."""
    found = sorted(_directory().glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True) if _in_files() else []
    page = {"letters": [_read(file) for file in found[:NEWEST]], "in_files": _in_files()}
    return operator_page(request, "operator/mail.html", page)


@open_to(Audience.OPERATOR)
@require_safe
@never_cache
def letter(request: HttpRequest, name: str) -> HttpResponse:
    file = _directory() / name
    if not _in_files() or file.name != name or file.suffix != ".eml" or not file.is_file():
        raise Http404
    return operator_page(request, "operator/letter.html", {"letter": _read(file)})


def _in_files() -> bool:
    return bool(settings.INSTANCE.mail == "file")


def _directory() -> Path:
    return settings.INSTANCE.mail_dir


def _read(file: Path) -> Letter:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    body = message.get_body(preferencelist=("plain",))
    text = body.get_content() if body else ""
    return Letter(file.name, str(message["To"]), str(message["Subject"]), _date_of(message), text)


def _date_of(message: EmailMessage) -> datetime | None:
    """`-0000`, as our own letters have it, is UTC; Python takes it for no zone at all."""
    at: datetime | None = message["Date"].datetime if message["Date"] else None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


urlpatterns = [
    path("mail", letters, name="operator_mail"),
    path("mail/<str:name>", letter, name="operator_letter"),
]
