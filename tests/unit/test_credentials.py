"""Credentials that nobody guesses and every PBX can be given (SPEC R2.3)."""

from __future__ import annotations

import secrets

import pytest

from trunkline.domain.credentials import PASSWORD_ALPHABET, ha1, new_password, new_sip_user
from trunkline.domain.errors import Invalid
from trunkline.domain.names import check_account_name, check_name
from trunkline.domain.number_sheet import StockNumber, read_numbers, stock_number
from trunkline.domain.sheets import SheetProblem


def test_a_sip_user_has_fourteen_digits() -> None:
    assert new_sip_user(lambda n: 0) == "10000000000000"
    assert new_sip_user(lambda n: n - 1) == "99999999999999"
    assert len({new_sip_user(secrets.randbelow) for _ in range(100)}) == 100


def test_a_password_uses_its_whole_alphabet() -> None:
    assert new_password(lambda n: n - 1) == PASSWORD_ALPHABET[-1] * 20
    assert set("".join(new_password(secrets.randbelow) for _ in range(500))) == set(PASSWORD_ALPHABET)
    assert PASSWORD_ALPHABET.isalnum()
    assert not set(PASSWORD_ALPHABET) & set("0O1lI")


def test_ha1_is_that_of_rfc_2617() -> None:
    assert ha1("Mufasa", "testrealm@host.com", "Circle Of Life") == "939e7578ed9e3c518a452acee763bce9"


@pytest.mark.parametrize("text", ["", "  ", "x" * 81, "a\x00b", "a\x1bb", "a\u202eb"])
def test_names_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        check_name(text, "name", longest=80)


def test_names_are_tidied() -> None:
    assert check_name("  Zoe\u0308  &\tSons ", "name", longest=80) == "Zoë & Sons"


@pytest.mark.parametrize("text", ["ab", "1abc", "a b", "a@b", "a/b", "", "é" * 5, "x" * 65])
def test_account_names_become_addresses(text: str) -> None:
    assert check_account_name("Architects.Admin") == "Architects.Admin"
    with pytest.raises(Invalid):
        check_account_name(text)


def test_stock_numbers_know_their_country() -> None:
    assert stock_number("+1 202 555 0100") == StockNumber("12025550100", "US")
    assert stock_number("442079460001", "gb") == StockNumber("442079460001", "GB")
    for number, country in (("+12025550100", "GB"), ("+12025550100", "XX"), ("2025550100", ""), ("x", ""), ("+8821234567890", "")):
        with pytest.raises(Invalid):
            stock_number(number, country)


def test_a_sheet_of_numbers() -> None:
    assert read_numbers(b"DID;country\n'+12025550100;US\n442079460001;\n") == [
        StockNumber("12025550100", "US"),
        StockNumber("442079460001", "GB"),
    ]
    with pytest.raises(SheetProblem) as found:
        read_numbers(b"number\n+12025550100\n12025550100\nx\n")
    assert [problem.line for problem in found.value.problems] == [4]
    with pytest.raises(SheetProblem, match=r"line 3: .* on line 2 too"):
        read_numbers(b"number\n+12025550100\n12025550100\n")
