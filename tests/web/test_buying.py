"""Buying by browser: bad input changes nothing, a new price is shown again, sent twice is bought once, no page asks more with more rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.store.cast import BY
from tests.web.cast import Cast, join, signed_in
from tests.web.shop import BUNDLE, CHANNEL, make_shop, product_of, wait
from trunkline.domain.money import MICROS
from trunkline.store import clock
from trunkline.store.audit import audit
from trunkline.store.models import AuditEntry, Payment, Profile, Role, Term
from trunkline.usecases import credit, products, subscriptions
from trunkline.usecases.notices import day_of

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def cast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setenv("TRUNKLINE_HOME", str(tmp_path / "home"))
    return make_shop()


@pytest.fixture
def buyer(cast: Cast) -> Client:
    return signed_in(join(cast, Role.ADMINISTRATOR))


def at(cast: Cast, rest: str) -> str:
    return f"/trunks/{cast.company.profile_ids[0]}/{rest}"


def balance(cast: Cast) -> int:
    return cast.company.manager.account.balance


def shown(client: Client, path: str) -> dict[str, str]:
    """The hidden fields of the form that buys."""
    page = client.get(path).content.decode()
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page[page.index('id="offer"') :]))


def test_what_is_sent_twice_is_bought_once(cast: Cast, buyer: Client) -> None:
    form = shown(buyer, at(cast, "channels/buy?quantity=4"))
    for _ in range(2):
        buyer.post(at(cast, "channels/buy"), form)
    assert (balance(cast), Term.objects.count()) == (500 * MICROS - 4 * CHANNEL, 1)
    assert audit().ok


def test_channels_and_bundles_are_one_purchase(cast: Cast, buyer: Client) -> None:
    """Guide 7.1.1, step 6: one page, one total, one confirmation; sent twice, bought once."""
    bundle = f"bundle_{product_of(cast)}"
    assert "Add minute bundles" in buyer.get(at(cast, "channels/buy")).content.decode()
    page = buyer.get(at(cast, f"channels/buy?quantity=2&{bundle}=3")).content.decode()
    assert "3 minute bundles are more than the 2 calling channels" in page
    assert "Buy now" not in page
    form = shown(buyer, at(cast, f"channels/buy?quantity=4&{bundle}=3"))
    assert form["shown_micros"] == str(4 * CHANNEL + 3 * BUNDLE)
    for _ in range(2):
        buyer.post(at(cast, "channels/buy"), form)
    assert (balance(cast), Term.objects.count()) == (500 * MICROS - 4 * CHANNEL - 3 * BUNDLE, 2)
    for number, said in (("0", "To have none, cancel them"), ("3", "There are 3 of 5,000 US minutes already"), ("x", "whole number")):
        assert said in buyer.get(at(cast, f"channels/change?quantity=5&{bundle}={number}")).content.decode()
    assert audit().ok


def test_a_price_that_has_changed_is_shown_before_it_is_paid(cast: Cast, buyer: Client) -> None:
    form = shown(buyer, at(cast, "channels/buy?quantity=4"))
    products.set_channel_price(now=clock.now(), by=BY, price_list_id=cast.company.price_list_id, price_micros=6 * MICROS)
    page = buyer.post(at(cast, "channels/buy"), form).content.decode()
    assert "The price has changed since you looked" in page
    assert "$24.00" in page
    assert balance(cast) == 500 * MICROS


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        ("301", "1 to 300 calling channels"),
        ("0", "1 to 300"),
        ("-1", "greater than or equal to 0"),
        ("x", "whole number"),
        ("", "required"),
    ],
)
def test_channels_that_cannot_be_are_refused_beside_the_field(cast: Cast, buyer: Client, quantity: str, said: str) -> None:
    for page in (buyer.get(at(cast, f"channels/buy?quantity={quantity}")), buyer.post(at(cast, "channels/buy"), {"quantity": quantity})):
        assert (page.status_code, said in page.content.decode()) == (200, True)
    assert (balance(cast), Term.objects.count()) == (500 * MICROS, 0)


def test_too_little_credit_says_how_much_is_missing(cast: Cast, buyer: Client) -> None:
    page = buyer.get(at(cast, "channels/buy?quantity=200")).content.decode()
    assert "$500.00 of Credit is missing" in page
    assert "Buy now" not in page
    buyer.post(at(cast, "channels/buy"), {"quantity": "200", "shown_micros": str(200 * CHANNEL)})
    assert (balance(cast), Term.objects.count()) == (500 * MICROS, 0)


def test_bundles_need_channels_and_a_known_product(cast: Cast, buyer: Client) -> None:
    product = product_of(cast)
    page = buyer.post(at(cast, f"bundles/{product}/buy"), {"quantity": "1", "shown_micros": str(BUNDLE)}).content.decode()
    assert "are more than the 0 calling channels" in page
    assert buyer.get(at(cast, f"bundles/{product + 1}/buy")).status_code == 404
    assert buyer.get(at(cast, f"bundles/{product}/cancel")).status_code == 404
    assert buyer.get(at(cast, "channels/cancel")).status_code == 409
    assert Term.objects.count() == 0


@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.REPORTS])
def test_who_may_only_look_sees_prices_and_no_button(cast: Cast, role: str) -> None:
    client = signed_in(join(cast, role))
    page = client.get(at(cast, "channels/buy?quantity=4"))
    assert page.status_code == (200 if role == Role.READ_ONLY else 403)
    assert "Buy now" not in page.content.decode()
    for path in ("channels/buy", "credit", "credit/recharge", "delete", f"bundles/{product_of(cast)}/buy"):
        assert client.post(at(cast, path), {"quantity": "4", "amount": "1"}).status_code == 403, path
    assert balance(cast) == 500 * MICROS


def test_billing_spends_but_neither_makes_nor_deletes_profiles(cast: Cast) -> None:
    client = signed_in(join(cast, Role.BILLING))
    assert client.post(at(cast, "credit"), {"amount": "5", "reference": "one"}).status_code == 302
    assert client.post("/trunks/new/review", {"name": "New", "channels": ""}).status_code == 403
    assert client.post(at(cast, "delete"), {"name": "Sales.Architects"}).status_code == 403
    assert cast.company.purse().balance == 5 * MICROS


def test_the_wizard_asks_again_for_what_is_wrong_and_makes_nothing_before_the_end(cast: Cast, buyer: Client) -> None:
    review = "/trunks/new/review"
    for typed in ({}, {"name": ""}, {"name": "Sales.Architects", "channels": ""}, {"name": "New", "channels": "301"}):
        for answer in (buyer.get(review, typed), buyer.post(review, typed)):
            assert answer.status_code == 200
            assert "Set up and create profile" not in answer.content.decode()
    answer = buyer.post(review, {"name": "New", "channels": "4", "shown_micros": "1"})
    assert "The price has changed since you looked" in answer.content.decode()
    assert Profile.objects.count() == 2
    answer = buyer.post(review, {"name": "New", "channels": "4", "shown_micros": str(4 * CHANNEL)})
    assert "These are its registration details." in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert (Profile.objects.get(name="New").channels, balance(cast)) == (4, 500 * MICROS - 4 * CHANNEL)


def test_amounts_that_cannot_be_are_refused(cast: Cast, buyer: Client) -> None:
    for amount in ("", "-1", "0", "1e3", "1,000", "1.0000001", "501", "9" * 30):
        page = buyer.post(at(cast, "credit"), {"amount": amount, "reference": "one"})
        assert (page.status_code, 'class="wrong"' in page.content.decode() or "notice-bad" in page.content.decode()) == (200, True), amount
        page = buyer.post(at(cast, "credit/take-back"), {"amount": amount, "reference": "one"})
        assert page.status_code == 200, amount
    assert balance(cast) == 500 * MICROS


def test_what_both_purses_would_have_is_shown_while_an_amount_is_typed(cast: Cast, buyer: Client) -> None:
    for rest, amount, said in (
        ("credit", "30", "After this: Manager $470.00, Sales.Architects $30.00."),
        ("credit", "501", "too little for $501.00"),
        ("credit/take-back", "1", "too little for $1.00"),
    ):
        page = buyer.get(at(cast, rest), {"amount": amount}).content.decode()
        after = page[page.index('id="after"') : page.index('class="buttons"')]
        assert said in after
    for unfinished in ("", "0", "x"):
        assert "After this" not in buyer.get(at(cast, "credit"), {"amount": unfinished}).content.decode()
    assert balance(cast) == 500 * MICROS


def test_top_up_limits_and_cents_are_said_before_anything_is_asked_for(cast: Cast, buyer: Client) -> None:
    for amount, said in (("101", "at most $100.00"), ("0.001", "use whole multiples of $0.01"), ("0", "more than 0")):
        for page in (buyer.get("/credit/review", {"amount": amount}), buyer.post("/credit/review", {"amount": amount})):
            assert said in page.content.decode()
    assert not Payment.objects.exclude(provider="booked").exists()
    for _ in range(2):
        answer = buyer.post("/credit/review", {"amount": "50", "reference": "once"})
    payment = Payment.objects.exclude(provider="booked").get()
    assert answer.headers["Location"] == f"/credit/payments/{payment.pk}"
    assert buyer.get("/credit/returned/once").headers["Location"] == f"/credit/payments/{payment.pk}"
    assert buyer.get("/credit/returned/other").status_code == 404


def test_the_overview_leads_to_what_ends_soon_and_to_credit(cast: Cast, buyer: Client) -> None:
    about = {"by": BY, "profile_id": cast.company.profile_ids[0]}
    subscriptions.buy_channels(now=clock.now(), **about, channels=3)  # type: ignore[arg-type]
    ended = subscriptions.cancel_channels(now=clock.now(), **about)  # type: ignore[arg-type]
    assert "end on" not in buyer.get("/overview").content.decode()
    wait(days=25)
    client = signed_in(join(cast, Role.BILLING))
    page = client.get("/overview").content.decode()
    assert f"The channels of Sales.Architects end on {day_of(ended.ends_at, cast.company.manager)}." in page
    assert f'href="{at(cast, "channels")}">Keep them' in page
    credit.allocate_credit(now=clock.now(), **about, amount_micros=balance(cast), reference="all")  # type: ignore[arg-type]
    assert '<a href="/credit">Add Credit' in client.get("/overview").content.decode()


@pytest.mark.parametrize(
    "path",
    [
        *("/credit", "/credit/payments", "/credit/methods"),
        *(f"{{profile}}/{page}" for page in ("bundles", "channels", "channels/buy", "delete")),
    ],
)
def test_pages_ask_the_same_with_more_rows(cast: Cast, buyer: Client, path: str) -> None:
    path = path.format(profile=at(cast, "").rstrip("/"))
    few = [_queries(buyer, path) for _ in range(2)][-1]
    for number in range(5):
        credit.book_payment(now=clock.now(), by=BY, manager_id=cast.company.manager_id, amount_micros=MICROS, reference=f"more{number}")
        facts = {"code": f"more-{number}", "name": f"More {number}", "minutes": 100, "price_micros": MICROS, "country": "US"}
        products.set_bundle_product(now=clock.now(), by=BY, price_list_id=cast.company.price_list_id, **facts)  # type: ignore[arg-type]
    assert _queries(buyer, path) <= few
    assert few <= 20


def test_calls_are_kept_before_a_profile_is_deleted(cast: Cast, buyer: Client) -> None:
    subscriptions.buy_channels(now=clock.now(), by=BY, profile_id=cast.company.profile_ids[0], channels=3)
    assert "reports/acknowledge" in buyer.get(at(cast, "delete/calls.csv")).headers["Location"]
    buyer.post("/reports/acknowledge", {"next": at(cast, "delete")})
    assert signed_in(join(cast, Role.READ_ONLY)).get(at(cast, "delete/calls.csv")).status_code == 403
    answer = buyer.get(at(cast, "delete/calls.csv"))
    assert AuditEntry.objects.get(action="records.export").target == "all calls of Sales.Architects"
    assert b"".join(answer.streaming_content).decode().splitlines()[0].startswith("started_at,call_ref")  # type: ignore[attr-defined]
    assert "This is not its name" in buyer.post(at(cast, "delete"), {"name": "sales.architects"}).content.decode()
    assert cast.company.profile().state == Profile.State.ACTIVE


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200, path
    return len(asked)
