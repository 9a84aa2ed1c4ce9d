"""What runs for 30 days, typed: channels, bundles, renewals, their prices."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest

from tests.cli.test_store_commands import Operator
from tests.conftest import Store
from trunkline.cli import main
from trunkline.store.models import Term


@pytest.fixture
def opened(store: Store) -> Operator:
    for name in ("prices", "managers", "profiles", "credit", "subscriptions", "bundles", "audit"):
        for command in import_module(f"trunkline.cli.{name}").COMMANDS:
            main.trunkline.add_command(command)
    operator = Operator(store)
    operator.types("prices", "create", "Standard", "USD")
    operator.types("prices", "channel", "Standard", "6.95")
    operator.types(
        "prices", "bundle", "Standard", "us-5000", "--name", "5,000 US minutes", "--minutes", "5000", "--price", "95", "--country", "US"
    )
    operator.types(
        "manager", "create", "Architects", "--country", "US", "--currency", "USD", "--time-zone", "America/New_York",
        "--admin", "Architects.Admin", "--prices", "Standard",
    )  # fmt: skip
    operator.types("profile", "create", "Architects", "Sales")
    operator.types("credit", "book", "Architects", "1000", "--reference", "bank 1")
    return operator


def test_channels_are_previewed_bought_changed_cancelled_and_kept(opened: Operator) -> None:
    preview = opened.asks("channels", "preview", "Sales", "104")
    assert (preview["asked"], preview["quantity"], preview["to_pay_micros"], preview["problems"]) == (104, 100, 695_000_000, [])
    words = opened.types("channels", "preview", "Sales", "104")
    assert "100 calling channels (104 were asked for)" in words
    assert "To pay       $695.00" in words
    assert "5 calling channels for $34.75, renewed on" in opened.types("channels", "buy", "Sales", "5")
    assert "change it" in opened.types("channels", "buy", "Sales", "5", status=1)
    assert "refunded for what was unused" in opened.types("channels", "change", "Sales", "6", "--reference", "r")
    assert "nothing happened" in opened.types("channels", "change", "Sales", "6", "--reference", "r")
    assert "tomorrow" in opened.types("channels", "change", "Sales", "7", status=1)
    assert "1 to 300" in opened.types("channels", "preview", "Sales", "301", status=1)
    assert "Aborted" in opened.types("channels", "cancel", "Sales", status=1)
    assert "can be used until" in opened.types("channels", "cancel", "Sales", "--yes")
    assert "renewed on" in opened.types("channels", "undo", "Sales")


def test_bundles_too(opened: Operator) -> None:
    assert "buy more channels first" in opened.types("bundles", "buy", "Sales", "us-5000", "1", status=1)
    opened.types("channels", "buy", "Sales", "3")
    assert "Price        $190.00" in opened.types("bundles", "preview", "Sales", "us-5000", "2")
    assert "2 x us-5000 for $190.00" in opened.types("bundles", "buy", "Sales", "us-5000", "2")
    (row,) = opened.asks("bundles", "list", "Sales")
    assert (row["bought"], row["minutes_left"], row["renews"]) == (2, 10_000, "yes")
    assert "can be used until" in opened.types("bundles", "cancel", "Sales", "us-5000", "--yes")
    assert "next payment is on" in opened.types("bundles", "extend", "Sales", "us-5000")
    assert "refunded for what was unused" in opened.types("bundles", "change", "Sales", "us-5000", "3")
    assert "Ended; $" in opened.types("bundles", "cancel", "Sales", "us-5000", "--at-once", "--yes")
    assert "There is no minute bundle 'fr-1'" in opened.types("bundles", "buy", "Sales", "fr-1", "1", status=1)
    assert opened.asks("audit")["ok"]


def test_what_is_due_is_renewed(opened: Operator) -> None:
    opened.types("channels", "buy", "Sales", "3")
    assert opened.types("renew").startswith("0 renewed")
    Term.objects.update(starts_at=datetime(2020, 1, 1, tzinfo=UTC), ends_at=datetime.now(UTC))
    assert "1 renewed, 0 ended, 0 lapsed, 0 wait for a payment." in opened.types("renew")


def test_advice(opened: Operator) -> None:
    assert opened.asks("channels", "advise", "--employees", "50")["channels"] == 9
    assert opened.asks("channels", "advise", "--busy-minutes", "600")["channels"] == 18
    assert opened.asks("channels", "advise", "--busy-minutes", "600", "--blocked", "0.05")["channels"] == 15
    assert "employees  channels" in opened.types("channels", "advise")
    assert "number of employees" in opened.types("channels", "advise", "--profile", "Sales", status=1)
    assert "like 0.01" in opened.types("channels", "advise", "--busy-minutes", "6", "--blocked", "x", status=2)
