"""What the frame around each page shows: toolbar, left menu, company, theme."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest

from trunkline.web.access import Audience
from trunkline.web.navigation import ACCOUNT, menu, toolbar

THEMES = ("auto", "light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """A context processor. Asks the store nothing that the view has not asked already."""
    theme = request.COOKIES.get("theme", "auto")
    company = getattr(request, "company", None)
    role = getattr(getattr(request, "membership", None), "role", "")
    return {
        "company": company,
        "membership": getattr(request, "membership", None),
        "may_administer": role in Audience.ADMINISTER.roles,
        "may_pay": role in Audience.PAY.roles,
        "memberships": getattr(request, "memberships", []),
        "theme": theme if theme in THEMES else "auto",
        "toolbar": toolbar(request) if company else [],
        "account_menu": partial(menu, request, ACCOUNT),
    }
