"""What a use case wants to know about who calls it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

from trunkline.store.clock import now
from trunkline.store.work import By

__all__ = ["acting", "engines_now", "now"]


def engines_now() -> datetime:
    """The real time: that of calls and registrations. `now` is the instance's, and asks the store."""
    return datetime.now(UTC)


def acting(request: HttpRequest) -> dict[str, Any]:
    """`now`, and `by` whom: the account, and the address it comes from."""
    actor = request.user.account if request.user.is_authenticated else "visitor"
    return {"now": now(), "by": By(actor, get_adapter().get_client_ip(request))}
