"""Guide 10.4 and 7.2: the Manager's own Credit, by payment and by Auto-recharge."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.buyer import fill, signed_in_buyer
from tests.browser.conftest import Visitor
from tests.web.cast import Cast
from tests.web.shop import make_shop
from trunkline.domain.money import MICROS
from trunkline.store.audit import audit
from trunkline.store.models import Payment, PaymentMethod, RechargeRule, Role

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def cast(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """The fake provider, at home in this test, sends its webhooks to this site."""
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRUNKLINE_WEB_PORT", str(urlsplit(site).port))
    return make_shop()


@pytest.fixture
def buyer(visitor: Visitor, cast: Cast) -> Visitor:
    return signed_in_buyer(visitor, cast, Role.BILLING)


def balance(cast: Cast) -> int:
    return cast.company.manager.account.balance // MICROS


def store_card(buyer: Visitor, card: str) -> None:
    buyer.page.get_by_role("link", name="Credit", exact=True).click()
    buyer.follow("Payment methods")
    buyer.press("Add a payment method")
    buyer.follow("Go on to the payment provider")
    buyer.page.get_by_role("button", name=card).click()
    buyer.sees("Demo card")


def test_g_10_4_top_up_on_the_payment_page(buyer: Visitor, cast: Cast) -> None:
    buyer.follow("Credit")
    buyer.looks_right("manager-credit")
    fill(buyer, "Amount", "101")
    buyer.press("Next")
    buyer.sees("is more than one payment may be: at most $100.00")
    buyer.looks_right("manager-credit-wrong")
    fill(buyer, "Amount", "50")
    buyer.press("Next")
    buyer.sees("$550.00")
    buyer.looks_right("top-up-review")
    buyer.press("Go on to pay")
    buyer.looks_right("top-up-action")
    buyer.follow("Pay $50.00")
    buyer.press("Approve")
    buyer.sees("is on your Credit, which is $550.00 now.")
    buyer.looks_right("top-up-paid")
    assert balance(cast) == 550
    buyer.follow("Payments")
    buyer.looks_right("payments")
    assert Payment.objects.exclude(why=Payment.Why.BOOKED).get().state == Payment.State.SUCCEEDED
    assert audit().ok


def test_g_10_4_top_up_and_auto_recharge_with_a_stored_card(buyer: Visitor, cast: Cast) -> None:
    buyer.follow("Credit")
    buyer.follow("Payment methods")
    buyer.looks_right("methods-none")
    store_card(buyer, "Demo card that pays")
    buyer.looks_right("methods")
    buyer.follow("Add Credit")
    fill(buyer, "Amount", "20")
    buyer.press("Next")
    buyer.press("Pay $20.00")
    buyer.sees("is on your Credit, which is $520.00 now.")
    assert balance(cast) == 520
    buyer.follow("Auto-recharge")
    buyer.looks_right("manager-recharge")
    buyer.press("Save changes")
    buyer.sees("Auto-recharge is on, with these amounts.")
    assert RechargeRule.objects.get().amount_micros == 50 * MICROS
    buyer.press("Disable Auto-recharge")
    buyer.sees("Auto-recharge is off.")
    buyer.follow("Payment methods")
    buyer.follow("Remove Demo card that pays")
    buyer.looks_right("method-remove")
    buyer.press("Remove")
    buyer.sees("is removed, and never charged again.")
    assert PaymentMethod.objects.get().removed_at is not None
    buyer.follow("Letters")
    fill(buyer, "Where letters about Credit and renewals go", "billing@example.com")
    fill(buyer, "Write when less than this is left", "25")
    buyer.looks_right("letters")
    buyer.press("Save")
    buyer.sees("Saved.")
    assert cast.company.manager.low_balance_micros == 25 * MICROS


def test_r4_1_a_declined_card_says_so_and_a_late_webhook_arrives(buyer: Visitor, cast: Cast) -> None:
    store_card(buyer, "Demo card that is declined")
    buyer.follow("Add Credit")
    fill(buyer, "Amount", "20")
    buyer.press("Next")
    buyer.press("Pay $20.00")
    buyer.sees("Nothing was paid.")
    buyer.looks_right("top-up-failed")
    assert balance(cast) == 500
    buyer.follow("Try again")
    fill(buyer, "Amount", "30")
    buyer.page.get_by_label("Pay with").select_option("")
    buyer.press("Next")
    buyer.press("Go on to pay")
    buyer.follow("Pay $30.00")
    buyer.press("Approve, and send the webhook later")
    buyer.sees("Waits for you")
    page = buyer.page.context.new_page()
    page.goto(f"{buyer.site}/pay/fake")
    page.get_by_role("button", name="Send").first.click()
    page.close()
    buyer.sees("is on your Credit, which is $530.00 now.")
    assert balance(cast) == 530
