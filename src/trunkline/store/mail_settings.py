"""How Django sends mail, from `TRUNKLINE_MAIL`: into files, or to an SMTP server."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from trunkline.runtime.settings import MAIL_PORTS, Settings

TIMEOUT_SECONDS = 20


def mail_settings(instance: Settings) -> dict[str, Any]:
    common = {"DEFAULT_FROM_EMAIL": instance.mail_from, "EMAIL_SUBJECT_PREFIX": "", "EMAIL_FILE_PATH": str(instance.mail_dir)}
    if instance.mail == "file":
        return common | {"EMAIL_BACKEND": "trunkline.providers.mail.EmlBackend"}
    parts = urlsplit(instance.mail)
    return common | {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or MAIL_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_TIMEOUT": TIMEOUT_SECONDS,
    }
