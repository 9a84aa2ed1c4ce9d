"""Somebody who may spend, and the way to a profile that every procedure of the guide begins with."""

from __future__ import annotations

from tests.browser.conftest import Visitor
from tests.web.cast import Cast, join
from trunkline.store.models import Role

SALES = "Sales.Architects"


def signed_in_buyer(visitor: Visitor, cast: Cast, role: str = Role.ADMINISTRATOR) -> Visitor:
    visitor.sign_in(join(cast, role, account="Architects.Admin"))
    visitor.sees("Needs attention")
    return visitor


def view_profile(visitor: Visitor, name: str = SALES) -> None:
    visitor.follow("Features")
    visitor.follow("Trunks")
    visitor.follow(f"View profile {name}")
    visitor.page.get_by_role("heading", name=name, level=1).wait_for()


def fill(visitor: Visitor, label: str, value: str) -> None:
    """When the page's scripts are there: what is typed before shows no price by itself."""
    field = visitor.page.get_by_label(label)
    field.wait_for()
    visitor.page.wait_for_load_state()
    field.fill(value)
