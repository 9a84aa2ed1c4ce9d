"""Who may use a route. Every view says so; a structural test finds the one that does not."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Audience(Enum):
    """Administrators, members and the operator's staff come with sign-in."""

    ANYONE = "anyone, signed in or not"


def open_to(audience: Audience) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.audience = audience  # type: ignore[attr-defined] # a function may carry what is said about it
        return view

    return mark
