"""Companies and their Credit (SPEC R1.1, R4.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.cast import BY, NOW, Company, make_company, make_manager, make_price_list
from trunkline.domain.errors import Conflict, Invalid, NotEnoughCredit, NotFound
from trunkline.domain.money import MICROS
from trunkline.store.ledger import PostingConflict
from trunkline.store.models import Account, AuditEntry, Change, Manager, Posting
from trunkline.usecases import credit, managers

pytestmark = pytest.mark.usefixtures("store")

GIVEN: dict[str, Any] = {
    "company_name": "Bakers",
    "country": "GB",
    "currency": "USD",
    "time_zone": "Europe/London",
    "admin_account": "Bakers.Admin",
}


def test_a_manager_is_opened_with_an_empty_purse() -> None:
    made = managers.create_manager(now=NOW, by=BY, price_list_id=make_price_list(), **GIVEN)
    manager = Manager.objects.select_related("account").get(pk=made.manager_id)
    assert made.warnings == ()
    assert (manager.account.balance, manager.account.currency, manager.account.guarded) == (0, "USD", True)
    assert Account.objects.filter(kind__in=["revenue", "funding"], currency="USD").count() == 2
    entry = AuditEntry.objects.get(action="manager.create")
    assert (entry.actor, entry.source, entry.target, entry.manager_id) == ("operator ada", "test", f"manager {manager.pk}", manager.pk)
    assert entry.after["company_name"] == "Bakers"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("company_name", " "),
        ("country", "UK"),
        ("country", "us"),
        ("currency", "usd"),
        ("time_zone", "London"),
        ("admin_account", "Bakers Admin"),
    ],
)
def test_wrong_values_are_refused_by_name(field: str, value: str) -> None:
    price_list_id = make_price_list()
    with pytest.raises(Invalid) as found:
        managers.create_manager(now=NOW, by=BY, price_list_id=price_list_id, **(GIVEN | {field: value}))
    assert found.value.field == field
    assert not Manager.objects.exists()


def test_one_manager_by_company_and_country() -> None:
    price_list_id = make_price_list()
    managers.create_manager(now=NOW, by=BY, price_list_id=price_list_id, **GIVEN)
    with pytest.raises(Conflict, match="administrator account"):
        managers.create_manager(now=NOW, by=BY, price_list_id=price_list_id, **(GIVEN | {"admin_account": "bakers.ADMIN", "country": "IE"}))
    with pytest.raises(Conflict, match="has a Manager in GB"):
        managers.create_manager(now=NOW, by=BY, price_list_id=price_list_id, **(GIVEN | {"admin_account": "Second"}))
    other = managers.create_manager(
        now=NOW, by=BY, price_list_id=price_list_id, **(GIVEN | {"admin_account": "Bakers.IE", "country": "IE"})
    )
    assert other.warnings == ("Bakers has a Manager in GB too.",)


def test_a_manager_and_its_price_list_have_one_currency() -> None:
    with pytest.raises(Conflict, match="choose one in USD"):
        managers.create_manager(now=NOW, by=BY, price_list_id=make_price_list(currency="EUR"), **GIVEN)
    with pytest.raises(NotFound):
        managers.create_manager(now=NOW, by=BY, price_list_id=999, **GIVEN)


def test_a_manager_is_suspended_and_resumed(company: Company) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": company.manager_id}
    managers.suspend_manager(**given, reason="unpaid")
    assert company.manager.state == "suspended"
    with pytest.raises(Conflict, match="already"):
        managers.suspend_manager(**given, reason="unpaid")
    managers.resume_manager(**given)
    assert company.manager.state == "active"
    assert list(Change.objects.filter(what="manager").values_list("ident", flat=True)) == [str(company.manager_id)] * 2
    assert AuditEntry.objects.get(action="manager.suspended").after == {"state": "suspended", "reason": "unpaid"}


def test_a_payment_is_booked_once_by_its_reference(company: Company) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "manager_id": company.manager_id, "reference": "bank 7"}
    first = credit.book_payment(amount_micros=5 * MICROS, note="thanks", **given)
    again = credit.book_payment(amount_micros=5 * MICROS, **given)
    assert (first.repeated, again.repeated, again.posting_id) == (False, True, first.posting_id)
    assert company.manager.account.balance == 95 * MICROS
    with pytest.raises(PostingConflict):
        credit.book_payment(amount_micros=6 * MICROS, **given)
    assert AuditEntry.objects.filter(action="credit.payment", target__endswith="bank 7").count() == 1
    posting = Posting.objects.select_related("debit", "credit").get(pk=first.posting_id)
    assert (posting.debit.kind, posting.credit.kind, posting.note) == ("funding", "manager", "thanks")


def test_the_same_reference_of_two_companies_is_two_payments(company: Company) -> None:
    other = make_manager(company.price_list_id, "Bakers")
    for manager_id in (company.manager_id, other):
        assert not credit.book_payment(now=NOW, by=BY, manager_id=manager_id, amount_micros=1, reference="same").repeated


def test_credit_is_allocated_and_taken_back(company: Company) -> None:
    given: dict[str, Any] = {"now": NOW, "by": BY, "profile_id": company.profile_ids[0]}
    assert credit.allocate_credit(amount_micros=5 * MICROS, reference="x", **given).balance_micros == 15 * MICROS
    assert credit.take_back_credit(amount_micros=3 * MICROS, reference="x", **given).balance_micros == 88 * MICROS
    assert (company.manager.account.balance, company.purse().balance) == (88 * MICROS, 12 * MICROS)
    with pytest.raises(NotEnoughCredit, match=r"Credit of Architects \(US\) has \$88\.00 free: too little for \$89\.00"):
        credit.allocate_credit(amount_micros=89 * MICROS, reference="y", **given)


def test_what_calls_hold_is_not_taken_back(company: Company) -> None:
    Account.objects.filter(pk=company.purse().pk).update(held=4 * MICROS)
    given: dict[str, Any] = {"now": NOW, "by": BY, "profile_id": company.profile_ids[0]}
    with pytest.raises(NotEnoughCredit):
        credit.take_back_credit(amount_micros=6 * MICROS + 1, reference="x", **given)
    credit.take_back_credit(amount_micros=6 * MICROS, reference="x", **given)
    assert company.purse().balance == 4 * MICROS


@pytest.mark.parametrize("amount", [0, -5, 10**16])
def test_amounts_that_cannot_be_meant_move_nothing(amount: int) -> None:
    company = make_company()
    with pytest.raises(Invalid):
        credit.book_payment(now=NOW, by=BY, manager_id=company.manager_id, amount_micros=amount, reference="x")
    with pytest.raises(NotFound):
        credit.allocate_credit(now=NOW, by=BY, profile_id=999, amount_micros=1, reference="x")
    with pytest.raises(NotFound):
        credit.book_payment(now=NOW, by=BY, manager_id=999, amount_micros=1, reference="x")
    assert Posting.objects.count() == 1
