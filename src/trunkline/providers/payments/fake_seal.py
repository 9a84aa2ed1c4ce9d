"""How the fake provider signs what it tells: a moment and an HMAC over it and the body, as real ones do."""

from __future__ import annotations

import hashlib
import hmac
import re
import time

from trunkline.providers.payments.contract import WebhookRefused

TOLERANCE_SECONDS = 300
_HEADER = re.compile(r"t=(?P<at>[0-9]{1,12}),v1=(?P<seal>[0-9a-f]{64})")


def sign(body: bytes, key: bytes, *, at: int | None = None) -> str:
    at = int(time.time()) if at is None else at
    return f"t={at},v1={_seal(body, key, at)}"


def verify(body: bytes, header: str, key: bytes) -> None:
    """Raises WebhookRefused for what was not signed with `key` within the last minutes."""
    found = _HEADER.fullmatch(header)
    if found is None or not hmac.compare_digest(found["seal"], _seal(body, key, int(found["at"]))):
        raise WebhookRefused("The signature does not fit.")
    if abs(time.time() - int(found["at"])) > TOLERANCE_SECONDS:
        raise WebhookRefused("The signature is too old.")


def _seal(body: bytes, key: bytes, at: int) -> str:
    return hmac.new(key, b"%d." % at + body, hashlib.sha256).hexdigest()
