"""Webhooks by browser (issue 4, item 10)."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitor
from tests.store.cast import BY
from tests.web.cast import join, make_cast
from trunkline.providers.webhooks import Told
from trunkline.store import clock
from trunkline.store.models import Role, WebhookEndpoint
from trunkline.usecases import webhooks

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def test_r1_2_a_webhook_from_its_first_test_to_its_end(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in(join(make_cast(), Role.ADMINISTRATOR, account="Architects.Admin"))
    visitor.follow("People")
    visitor.follow("Webhooks")
    visitor.looks_right("webhooks-empty")
    visitor.follow("Add a webhook")
    page.get_by_label("URL").fill("https://erp.example.com/trunkline")
    visitor.press("Add the webhook")
    visitor.sees("This field is required.")
    visitor.looks_right("webhook-add")
    page.get_by_label("Money has become").check()
    page.get_by_label("A call has ended").check()
    visitor.press("Add the webhook")
    visitor.sees("Copy it now.")
    visitor.looks_right("webhook-secret")
    assert page.locator("#copy-signing-secret").inner_text().startswith("whsec_")
    visitor.follow("I have copied it")
    visitor.looks_right("webhook-new")
    visitor.press("Send a test")
    visitor.sees("On its way")
    answer(Told(503, "It answered 503; only 2xx counts."))
    visitor.sees("It answered 503")  # the page has asked again by itself
    visitor.looks_right("webhook-delivery")
    visitor.press("Send again")
    answer(Told(200))
    visitor.sees("Taken")
    page.get_by_role("navigation", name="Where this is").get_by_role("link", name="https://erp.example.com/trunkline").click()
    visitor.looks_right("webhook")
    visitor.follow("New secret")
    visitor.looks_right("webhook-new-secret")
    visitor.press("Make a new secret")
    visitor.sees("signed with this secret and with the one before")
    visitor.follow("I have copied it")
    visitor.press("Disable")
    visitor.sees("It is disabled.")
    visitor.looks_right("webhook-disabled")
    visitor.follow("Webhooks")
    visitor.looks_right("webhooks")
    visitor.follow("https://erp.example.com/trunkline")
    visitor.follow("Delete")
    visitor.looks_right("webhook-delete")
    visitor.press("Delete the webhook")
    visitor.sees("No webhook yet")
    assert WebhookEndpoint.objects.get().deleted_at is not None


def answer(told: Told) -> None:
    """To all that wait."""
    at = clock.now()
    webhooks.send_due(now=at, engines_now=at, by=BY, limit=9, is_test=True, send=lambda *args, **kwargs: told)
