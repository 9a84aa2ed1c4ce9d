"""Names and extensions of business accounts, pasted addresses, uploaded documents, and sheets of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trunkline.domain import accounts, documents
from trunkline.domain.errors import Invalid
from trunkline.domain.names import check_account_name
from trunkline.domain.number_sheet import read_numbers
from trunkline.domain.sheets import SheetProblem

EMAIL = st.from_regex(r"[a-z0-9._+-]{1,20}@[a-z0-9]{1,10}\.(com|example)", fullmatch=True)


@given(st.lists(EMAIL, min_size=1, max_size=30), st.text(min_size=1, max_size=40))
def test_every_planned_name_can_be_an_account_and_is_there_once(emails: list[str], company_name: str) -> None:
    planned = accounts.plan("\n".join(emails), company_name, {"company.a"}, set())
    names = [one.name for one in planned if not one.problem]
    assert len({name.lower() for name in names}) == len(names)
    assert all(check_account_name(name) == name for name in names)


@pytest.mark.parametrize("text", ["", " \n ; ,", "a@example.com\n" * 501])
def test_too_little_or_too_much_to_plan(text: str) -> None:
    with pytest.raises(Invalid):
        accounts.plan(text, "Architects", set(), set())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("register.pdf", "register.png"), ('a"b\r\nc.html', "a-b--c.png"), ("../../etc/passwd", "passwd.png"), ("", "document.png"),
        ("é.pdf", "document.png"),
    ],
)  # fmt: skip
def test_names_of_documents_are_harmless(name: str, safe: str) -> None:
    assert documents.safe_name(name, "image/png") == safe


def test_a_sheet_of_stock_with_prices_and_terms() -> None:
    sheet = b"number;area;monthly price;terms;residency\n+12025550100;Washington;3,50;Voice only.;US address\n+16175550100;;;;\n"
    one, other = read_numbers(sheet)
    assert (one.area, one.monthly_price_micros, one.rental_terms, one.residency) == ("Washington", 3_500_000, "Voice only.", "US address")
    assert (other.country, other.monthly_price_micros) == ("US", 0)
    with pytest.raises(SheetProblem, match="line 2: 'dear' is not an amount"):
        read_numbers(b"number,price\n+12025550100,dear\n")
