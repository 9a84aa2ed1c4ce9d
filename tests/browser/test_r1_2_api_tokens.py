"""Tokens for programs, and the description of the API (issue 4, item 10)."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitor
from tests.web.cast import join, make_cast
from trunkline.store.models import ApiToken, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def test_r1_2_a_token_is_made_and_revoked(visitor: Visitor) -> None:
    cast = make_cast()
    visitor.sign_in(join(cast, Role.ADMINISTRATOR, account="Architects.Admin"))
    visitor.follow("People")
    visitor.follow("API tokens")
    visitor.sees("No token yet")
    visitor.looks_right("api-tokens-empty")
    visitor.page.get_by_label("What is it for?").fill("ERP")
    visitor.page.get_by_label("Role").select_option("billing")
    visitor.press("Make the token")
    visitor.sees("Copy it now.")
    visitor.looks_right("api-token-made")
    visitor.follow("API documentation")
    visitor.sees("Can I call this?")
    visitor.looks_right("api-docs")
    visitor.follow("Create a SIP Profile")
    visitor.sees("product_id")
    visitor.looks_right("api-operation")
    visitor.go("/members/api-tokens")
    visitor.page.get_by_role("link", name="Revoke ERP").click()
    visitor.looks_right("api-token-revoke")
    visitor.press("Revoke ERP")
    visitor.sees("ERP is refused from now on.")
    assert ApiToken.objects.get().revoked_at is not None
