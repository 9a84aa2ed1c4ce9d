"""`clock`, `recharge` and `mail` as an operator types them, on both databases."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_store_commands import Operator, commands, opened, operator
from tests.store.test_recharge import spend
from trunkline.store.models import Profile

__all__ = ["commands", "opened", "operator"]


def test_auto_recharge_is_set_up_works_and_is_seen(opened: Operator) -> None:
    opened.types("recharge", "recommend", "Standard", "--profile", "5", "20", "--manager", "50", "100")
    warned = opened.types("recharge", "set", "--profile", "Sales", "--threshold", "4", "--amount", "20", status=1)
    assert "below the recommended $5.00" in warned
    assert "--confirm" in warned
    opened.types("recharge", "reset", "--profile", "Sales")
    assert opened.asks("recharge", "show", "--profile", "Sales")["amount"] == "20.00"
    assert "payment method" in opened.types("recharge", "reset", "--manager", "Architects", status=1)
    assert "--profile or --manager" in opened.types("recharge", "show", status=2)
    opened.types("recharge", "disable", "--profile", "Sales")
    assert not opened.asks("recharge", "show", "--profile", "Sales")["enabled"]


def test_the_clock_of_a_test_system_is_put_forward_and_mail_is_read(opened: Operator) -> None:
    opened.types("mail", "notices", "Architects", "--email", "notices@example.com", "--low-balance", "95")
    opened.types("recharge", "set", "--profile", "Sales", "--threshold", "5", "--amount", "20")
    spend(Profile.objects.get().account, 1)
    assert "TRUNKLINE_TEST_CLOCK=true" in opened.types("clock", "advance", "1d", status=1)
    assert "like 30d" in opened.types("clock", "advance", "soon", status=2)
    done = json.loads(opened.types("clock", "advance", "36h", "--json", TRUNKLINE_TEST_CLOCK="1"))
    assert done["done"]["recharges"] == 1
    assert done["failed"] == 0
    shown = opened.asks("clock", "show")
    assert 35 * 3600 < shown["ahead_seconds"] <= 36 * 3600
    assert "No clock process runs" in opened.types("clock", "show")
    (mail,) = opened.asks("mail", "list", "--manager", "Architects")
    assert (mail["to"], mail["state"], mail["subject"]) == ("notices@example.com", "sent", "Credit of Architects is low")
    assert "$95.00" in opened.types("mail", "show", str(mail["id"]))
    assert opened.types("mail", "list", "--given-up").strip() == "none"


@pytest.mark.parametrize("words", [("mail", "show", "99"), ("mail", "notices", "Architects", "--email", "nobody")])
def test_a_problem_is_a_message(opened: Operator, words: tuple[str, ...]) -> None:
    assert "Error:" in opened.types(*words, status=1)
