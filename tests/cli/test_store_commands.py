"""The operator's commands, as the operator types them: one company from nothing to its first Credit, on both databases."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from django.db import connections

from tests.callcontrol.ground import Table
from tests.conftest import Store
from tests.web.wired import register
from trunkline.cli import main
from trunkline.cli.main import MODULES
from trunkline.domain.money import MICROS
from trunkline.store.models import Profile

SHEET = "prefix,destination,rate\n1,United States,0.02\n33,France,0.03\n"


class Operator:
    """Types commands."""

    def __init__(self, store: Store) -> None:
        self.environment = {"TRUNKLINE_HOME": str(store.path.parent), "TRUNKLINE_DATABASE_URL": store.url}

    def types(self, *words: str, status: int = 0, **more: str) -> str:
        with patch.dict(os.environ):  # a command hands its settings on to the processes that it starts
            found: Result = CliRunner().invoke(main.trunkline, words, env=self.environment | more, catch_exceptions=False)
        assert found.exit_code == status, found.output
        return found.output

    def asks(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.types(*words, "--json", status=status))


@pytest.fixture(scope="module", autouse=True)
def commands() -> None:
    for name in MODULES:
        for command in import_module(name).COMMANDS:
            main.trunkline.add_command(command)


@pytest.fixture
def operator(store: Store) -> Operator:
    return Operator(store)


@pytest.fixture
def opened(operator: Operator, tmp_path: Path) -> Operator:
    """A company with prices, a profile, Credit, a number and a carrier."""
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(SHEET)
    operator.types("prices", "create", "Standard", "USD", "--echo", "+17606604690")
    operator.types("prices", "import", "Standard", str(sheet))
    operator.types(
        "manager", "create", "Architects", "--country", "US", "--currency", "USD", "--time-zone", "America/New_York",
        "--admin", "Architects.Admin", "--prices", "Standard",
    )  # fmt: skip
    operator.types("profile", "create", "Architects", "Sales", "--channels", "2")
    operator.types("credit", "book", "Architects", "100", "--reference", "bank 1")
    operator.types("credit", "allocate", "Sales", "10", "--reference", "first")
    operator.types("number", "add", "+12025550100")
    operator.types("number", "assign", "+12025550100", "Sales")
    operator.types("carrier", "add", "North", "9.9.9.9")
    operator.types("carrier", "route", "North")
    return operator


def test_what_is_made_is_shown(opened: Operator) -> None:
    assert opened.asks("manager", "show", "architects.admin")["credit"] == "90.00"
    (profile,) = opened.asks("profile", "list", "--manager", "Architects")
    assert (profile["name"], profile["channels"], profile["credit"], profile["numbers"]) == ("Sales", 2, "10.00", ["+12025550100"])
    assert opened.asks("profile", "show", profile["sip_user"])["id"] == profile["id"]
    assert opened.asks("prices", "list")[0]["prefixes"] == 2
    assert [price["prefix"] for price in opened.asks("prices", "show", "Standard", "+33123456789")] == ["33"]
    assert opened.asks("carrier", "list")[0]["routes"] == [{"prefix": "", "priority": 10, "cost_per_minute": "0.00"}]
    assert opened.asks("number", "list")[0] == {"number": "+12025550100", "country": "US", "company": "Architects", "profile": "Sales"}
    assert [purse["free"] for purse in opened.asks("credit", "show", "Architects")] == ["90.00", "10.00"]
    assert opened.asks("audit")["ok"]


def test_everything_has_a_plain_form_too(opened: Operator) -> None:
    for words, expected in [
        (("manager", "list"), "Architects"),
        (("profile", "list"), "Sales"),
        (("profile", "show", "Sales"), "+12025550100"),
        (("credit", "show"), "Credit of Sales"),
        (("prices", "show", "Standard"), "France"),
        (("carrier", "list"), "North takes all numbers"),
        (("number", "list"), "+12025550100"),
        (("calls", "list"), "none"),
        (("calls", "live"), "none"),
        (("audit",), "All is well"),
    ]:
        assert expected in opened.types(*words)


def test_passwords_are_shown_and_changed(opened: Operator) -> None:
    first = opened.asks("profile", "password", "Sales")["password"]
    second = opened.asks("profile", "rotate", "Sales", "--keep-hours", "2")
    assert second["password"] != first
    assert second["old_valid_until"] is not None
    assert "Domain      trunkline.localhost" in opened.types("profile", "password", "Sales")


def test_a_profile_is_set(opened: Operator) -> None:
    opened.types(
        "profile", "set", "Sales", "--name", "Reception", "--channels", "5", "--caller-id", "+12025550100", "--srtp", "force",
        "--number-format", "plus", "--calls-per-second", "3", "--max-rate", "0.5", "--bar", "premium, satellite",
        "--bar-destinations", "CU, +4470", "--calls-abroad", "no",
    )  # fmt: skip
    shown = opened.asks("profile", "show", "Reception")
    assert (shown["channels"], shown["caller_id"], shown["srtp"], shown["number_format"]) == (5, "+12025550100", "force", "plus")
    assert (shown["calls_per_second"], shown["max_rate_per_minute"], shown["barred_types"]) == (3, "0.50", ["premium", "satellite"])
    assert (shown["barred_destinations"], shown["calls_abroad"]) == (["+4470", "CU"], False)
    register(Profile.objects.get().pk)
    assert opened.asks("profile", "show", "Reception")["media_by"] == "SRTP: forced for this SIP Profile"
    opened.types("profile", "set", "Reception", "--max-rate", "none")
    assert opened.asks("profile", "show", "Reception")["max_rate_per_minute"] is None
    assert "--help" in opened.types("profile", "set", "Reception", status=2)


def test_a_profile_is_deleted_after_its_consequences_were_shown(opened: Operator) -> None:
    shown = opened.types("profile", "delete", "Sales", status=1)
    assert "Back to the Manager's Credit  $10.00" in shown
    assert "Numbers to the Manager        +12025550100" in shown
    assert "Aborted" in shown
    done = opened.asks("profile", "delete", "Sales", "--yes")
    assert (done["credit_micros"], done["channels"], done["numbers"]) == (10 * MICROS, 2, ["12025550100"])
    assert opened.asks("profile", "list") == []
    assert opened.asks("manager", "show", "Architects")["credit"] == "100.00"
    assert "There is no SIP Profile 'Sales'" in opened.types("profile", "delete", "Sales", status=1)


def test_a_number_is_rented_cancelled_and_kept(opened: Operator, tmp_path: Path) -> None:
    sheet = tmp_path / "numbers.csv"
    sheet.write_text("number,country,monthly price,residency\n+12025550199,US,3,an address in the area\n")
    opened.types("number", "add", "--sheet", str(sheet))
    asked = opened.types("number", "rent", "+12025550199", "Architects", status=1)
    assert "Price        $3.00" in asked
    assert "Who may rent it: an address in the area" in asked
    assert "nobody rents it" in opened.types("number", "cancel", "+12025550199", "--yes", status=1)
    rent = ("number", "rent", "+12025550199", "Architects", "--profile", "Sales", "--reference", "r", "--yes")
    assert "1 month of +12025550199 for $3.00, renewed on" in opened.types(*rent)
    assert "nothing happened" in opened.types(*rent)
    assert "taken" in opened.types("number", "rent", "+12025550199", "Architects", "--yes", status=1)
    assert "Aborted" in opened.types("number", "cancel", "+12025550199", status=1)
    assert "can be used until" in opened.types("number", "cancel", "+12025550199", "--yes")
    assert "renewed on" in opened.types("number", "undo", "+12025550199")
    assert "nothing to cancel" in opened.types("number", "cancel", "+12025550100", "--yes", status=1)
    assert opened.asks("audit")["ok"]


def test_a_problem_is_a_message_that_says_what_to_do(opened: Operator, tmp_path: Path) -> None:
    sheet = tmp_path / "wrong.csv"
    sheet.write_text(SHEET + "44,United Kingdom,-1\n")
    for words, expected in [
        (("credit", "take-back", "Sales", "11"), "too little for $11.00"),
        (("prices", "import", "Standard", str(sheet)), "line 4: '-1' is negative"),
        (("profile", "ip", "Sales", "10.0.0.1"), "public address"),
        (("profile", "show", "Nobody"), "There is no SIP Profile 'Nobody'"),
        (("profile", "create", "Architects", "Sales"), "choose another name"),
        (("calls", "show", "1"), "calls live"),
    ]:
        assert expected in opened.types(*words, status=1)
    assert "write it like 12.34" in opened.types("credit", "allocate", "Sales", "ten", status=2)
    assert "9.9.9.8 port 5062" in opened.types("profile", "ip", "Sales", "9.9.9.8", "5062")
    assert "10.0.0.1" in opened.types("profile", "ip", "Sales", "10.0.0.1", TRUNKLINE_ALLOW_PRIVATE_SOURCES="true")


def test_a_preview_changes_nothing(opened: Operator, tmp_path: Path) -> None:
    sheet = tmp_path / "next.csv"
    sheet.write_text(SHEET.replace("0.02", "0.05") + "44,United Kingdom,0.02\n")
    preview = opened.asks("prices", "import", "Standard", str(sheet), "--dry-run")
    assert (preview["difference"]["new"], preview["difference"]["increased"], preview["dry_run"]) == (["44"], ["1"], True)
    assert opened.asks("prices", "list")[0]["prefixes"] == 2


def test_a_call_is_explained_in_words(opened: Operator) -> None:
    table = Table(now_us=int(datetime.now(UTC).timestamp() + 1) * MICROS)
    profile = Profile.objects.get()
    ref = table.answered_call(profile)
    assert opened.asks("calls", "live")[0]["call"] == ref
    table.pass_seconds(70)
    table.turn(table.ended(ref))
    refused = table.verdict(profile, "911")
    words = opened.types("calls", "show", ref)
    for expected in ("How it was decided", "SIP Profile Sales", "+33123456789", "0.06", "What was paid", "Credit of Sales → "):
        assert expected in words
    assert [row["result"] for row in opened.asks("calls", "list", "--profile", "Sales")] == ["refused", "answered"]
    assert "C14 emergency" in opened.types("calls", "show", refused["call"])
    shown = opened.asks("calls", "show", ref)
    assert (shown["cost"], [posting["amount"] for posting in shown["postings"]]) == ("0.06", ["0.03", "0.03"])
    assert (shown["paid_by"], shown["country"], shown["prefix"], shown["increments"]) == ("profile", "FR", "33", "60/60")
    usage = opened.asks("calls", "usage", "--profile", "Sales")
    assert [(row["attempts"], row["answered"], row["cost"]) for row in usage] == [(2, 1, "0.06")] * 2
    assert opened.asks("calls", "usage", "--profile", "Sales", "--month", "2001-01")[-1]["attempts"] == 0
    assert "whose usage" in opened.types("calls", "usage", status=2)


def test_the_audit_fails_when_something_differs(opened: Operator) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE store_account SET balance = balance + 1 WHERE kind = 'profile'")
    found = opened.asks("audit", status=1)
    assert not found["ok"]
    by_check = {each["check"]: each for each in found["differences"]}
    assert (by_check["balance"]["follows"], by_check["balance"]["stored"]) == (10 * MICROS, 10 * MICROS + 1)
    assert "balance: account" in opened.types("audit", status=1)


def test_a_new_sip_domain_is_adopted_by_migrate(opened: Operator) -> None:
    assert "1 passwords work there" in opened.types("migrate", TRUNKLINE_SIP_DOMAIN="sip.example")
    assert "work there" not in opened.types("migrate", TRUNKLINE_SIP_DOMAIN="sip.example")
    opened.types("migrate", "--check")
