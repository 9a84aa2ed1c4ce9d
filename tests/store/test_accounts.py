"""Business accounts: made, in bulk, grouped, put on a SIP Profile and taken off (SPEC R1.3, R7.2)."""

from __future__ import annotations

import pytest

from tests.conftest import Store
from tests.store.cast import BY, NOW, SIP_DOMAIN, Company, make_company
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.number_sheet import stock_number
from trunkline.domain.sheets import SheetProblem
from trunkline.store.directory import StoreDirectory
from trunkline.store.models import BusinessAccount, Mail, Membership, Number, Person, Profile, Role
from trunkline.usecases import account_places, accounts, groups, invitations, number_places, people, profile_deletion
from trunkline.usecases.numbers import add_numbers, assign_number

NUMBER = "12025550100"


@pytest.fixture
def company(store: Store) -> Company:
    return make_company(profile_count=2)


def make(company: Company, name: str = "Architects.Sales", email: str = "") -> int:
    return accounts.create_account(now=NOW, by=BY, manager_id=company.manager_id, name=name, email=email)


def put(company: Company, name: str, number: int = 0, *, extension: str = "", confirmed: bool = False) -> int:
    profile_id = company.profile_ids[number]
    return account_places.add_account(now=NOW, by=BY, profile_id=profile_id, name=name, extension=extension, confirmed=confirmed)


def join(company: Company, account: str, role: str) -> Person:
    new = people.NewPerson(account, f"{account}@example.com", "a long enough password", email_proven=True)
    return Person.objects.get(pk=people.add_member(now=NOW, by=BY, manager_id=company.manager_id, person=new, role=role))


def test_names_are_unique_over_the_service_and_among_people(company: Company) -> None:
    other = make_company(company_name="Builders")
    make(company, "Architects.Sales")
    join(company, "Architects.Admin", Role.ADMINISTRATOR)
    for taken in ("architects.SALES", "Architects.Admin"):
        with pytest.raises(Invalid, match="is taken"):
            make(other, taken)
    with pytest.raises(Invalid, match="is taken"):
        join(other, "ARCHITECTS.Sales", Role.BILLING)
    with pytest.raises(Invalid, match="can't be an account"):
        make(company, "1 2")


def test_one_with_an_address_gets_a_letter_and_no_password(company: Company) -> None:
    made = BusinessAccount.objects.get(pk=make(company, "Architects.Vanessa", "vanessa@example.com"))
    letter = Mail.objects.get(key=f"account_created/{made.pk}")
    assert (letter.to, "Architects.Vanessa" in letter.text) == ("vanessa@example.com", True)
    assert made.person is not None
    assert not made.person.has_usable_password()
    with pytest.raises(Invalid, match=r"account with vanessa@example\.com already"):
        make(company, "Architects.Vanessa2", "Vanessa@Example.com")
    assert BusinessAccount.objects.count() == 1


def test_on_a_profile_it_cannot_sign_in_and_off_it_can_again(company: Company) -> None:
    ident = make(company, "Architects.Vanessa", "vanessa@example.com")
    put(company, "architects.vanessa", extension="204")
    account = BusinessAccount.objects.select_related("person").get(pk=ident)
    assert (account.profile_id, account.extension, account.person and account.person.is_active) == (company.profile_ids[0], "204", False)
    with pytest.raises(Conflict, match="on one SIP Profile"):
        put(company, "Architects.Vanessa", 1)
    with pytest.raises(Conflict, match="remove it there first"):
        accounts.delete_account(now=NOW, by=BY, manager_id=company.manager_id, account_id=ident)
    account_places.remove_account(now=NOW, by=BY, profile_id=company.profile_ids[0], account_id=ident)
    account.refresh_from_db()
    assert (account.profile_id, account.extension) == (None, "")
    assert Person.objects.get(account="Architects.Vanessa").is_active


def test_removing_does_not_wake_who_was_shut_out_before(company: Company) -> None:
    ident = make(company, "Architects.Vanessa", "vanessa@example.com")
    Person.objects.update(is_active=False)
    put(company, "Architects.Vanessa")
    account_places.remove_account(now=NOW, by=BY, profile_id=company.profile_ids[0], account_id=ident)
    assert not Person.objects.get().is_active


def test_an_administrators_own_account_wants_a_second_confirmation(company: Company) -> None:
    join(company, "Architects.Admin", Role.ADMINISTRATOR)
    with pytest.raises(Conflict, match="last administrator"):
        put(company, "Architects.Admin", confirmed=True)
    join(company, "Architects.Second", Role.ADMINISTRATOR)
    with pytest.raises(account_places.NotConfirmedError, match="can't sign in to the Manager"):
        put(company, "Architects.Admin")
    assert BusinessAccount.objects.count() == 0
    put(company, "Architects.Admin", confirmed=True)
    assert not Person.objects.get(account="Architects.Admin").is_active
    with pytest.raises(Conflict, match="last administrator"):
        put(company, "Architects.Second", confirmed=True)


def test_nobody_of_another_company_is_shut_out(company: Company) -> None:
    other = make_company(company_name="Builders")
    guest = join(other, "Builders.Admin", Role.ADMINISTRATOR)
    invited = invitations.invite(now=NOW, by=BY, manager_id=company.manager_id, email=guest.email, role=Role.READ_ONLY)
    invitations.accept_invitation(now=NOW, by=BY, token=invited.token, person_id=guest.pk)
    with pytest.raises(Conflict, match="other companies"):
        put(company, "Builders.Admin", confirmed=True)
    make(other, "Builders.Sales")
    with pytest.raises(Invalid, match="no account"):
        put(company, "Builders.Sales")
    with pytest.raises(NotFound):
        accounts.delete_account(
            now=NOW, by=BY, manager_id=company.manager_id, account_id=BusinessAccount.objects.get(name="Builders.Sales").pk
        )


@pytest.mark.parametrize("extension", ["2 04", "204@here", "x" * 33, "<204>"])
def test_what_can_be_no_extension(company: Company, extension: str) -> None:
    make(company)
    with pytest.raises(Invalid, match="can't be an extension"):
        put(company, "Architects.Sales", extension=extension)
    ident = put(company, "Architects.Sales", extension="*204")
    account_places.set_extension(now=NOW, by=BY, profile_id=company.profile_ids[0], account_id=ident, extension="")
    assert BusinessAccount.objects.get().extension == ""


def test_many_at_once_or_none(company: Company) -> None:
    make(company, "Architects.Anna")
    text = "Anna <anna@example.com>, bob.smith@example.com\n\nanna@elsewhere.example\n"
    planned = accounts.preview_accounts(manager_id=company.manager_id, text=text)
    assert [(one.line, one.name, one.problem) for one in planned] == [
        (1, "Architects.Anna2", ""), (1, "Architects.Bob.Smith", ""), (3, "Architects.Anna3", ""),
    ]  # fmt: skip
    with pytest.raises(SheetProblem, match=r"line 2: 'nobody' is not an e-mail address\.\nline 3: a@example.com is on line 1 too"):
        accounts.create_accounts(now=NOW, by=BY, manager_id=company.manager_id, text="a@example.com\nnobody\nA@example.com")
    assert BusinessAccount.objects.count() == 1
    assert accounts.create_accounts(now=NOW, by=BY, manager_id=company.manager_id, text=text) == 3
    assert sorted(Mail.objects.filter(key__startswith="account_created").values_list("to", flat=True)) == [
        "anna@elsewhere.example", "anna@example.com", "bob.smith@example.com",
    ]  # fmt: skip
    with pytest.raises(SheetProblem, match=r"There is an account with anna@example\.com already"):
        accounts.create_accounts(now=NOW, by=BY, manager_id=company.manager_id, text=text)


def test_deleting_spares_who_has_an_account_of_their_own(company: Company) -> None:
    made = make(company, "Architects.Vanessa", "vanessa@example.com")
    join(company, "Architects.Guest", Role.READ_ONLY)
    Person.objects.filter(account="Architects.Guest").update(created_at=NOW.replace(year=2025))
    guest = put(company, "Architects.Guest")
    account_places.remove_account(now=NOW, by=BY, profile_id=company.profile_ids[0], account_id=guest)
    people.remove_member(now=NOW, by=BY, manager_id=company.manager_id, membership_id=Membership.objects.get().pk)
    for ident in (made, guest):
        accounts.delete_account(now=NOW, by=BY, manager_id=company.manager_id, account_id=ident)
    assert [person.account for person in Person.objects.all()] == ["Architects.Guest"]


def test_found_by_a_part_of_the_name(company: Company) -> None:
    make(company, "Architects.Sales")
    make(make_company(company_name="Builders"), "Builders.Sales")
    join(company, "Architects.Salesman", Role.ADMINISTRATOR)
    found = accounts.find_accounts(manager_id=company.manager_id, text="SALES")
    assert [(one.name, one.administrator) for one in found] == [("Architects.Sales", False), ("Architects.Salesman", True)]


def test_groups(company: Company) -> None:
    by = {"now": NOW, "by": BY, "manager_id": company.manager_id}
    ident, group = make(company), groups.create_group(**by, name="Sales team")  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="choose another name"):
        groups.create_group(**by, name="sales TEAM")  # type: ignore[arg-type]
    groups.set_groups(**by, account_id=ident, group_ids=[group])  # type: ignore[arg-type]
    assert [one.name for one in BusinessAccount.objects.get().groups.all()] == ["Sales team"]
    foreign = make_company(company_name="Builders").manager_id
    with pytest.raises(NotFound):
        groups.delete_group(now=NOW, by=BY, manager_id=foreign, group_id=group)
    with pytest.raises(NotFound):
        groups.set_groups(**by, account_id=ident, group_ids=[group, 99])  # type: ignore[arg-type]
    groups.delete_group(**by, group_id=group)  # type: ignore[arg-type]
    assert BusinessAccount.objects.get().groups.count() == 0


def test_a_number_of_an_account_reaches_the_profile_that_the_account_is_on(company: Company) -> None:
    add_numbers(now=NOW, by=BY, stock=[stock_number(NUMBER)])
    assign_number(now=NOW, by=BY, e164=NUMBER, profile_id=company.profile_ids[1])
    number_id = Number.objects.get().pk
    make(company)
    about = {"now": NOW, "by": BY, "manager_id": company.manager_id, "number_id": number_id}
    number_places.put_on_account(**about, name="Architects.Sales")  # type: ignore[arg-type]
    assert directory().profile_of_number(NUMBER) is None
    ident = put(company, "Architects.Sales")
    assert directory().profile_of_number(NUMBER) == company.profile_ids[0]
    facts = directory().profile(company.profile_ids[0])
    assert facts is not None
    assert facts.numbers == {NUMBER}
    account_places.remove_account(now=NOW, by=BY, profile_id=company.profile_ids[0], account_id=ident)
    accounts.delete_account(now=NOW, by=BY, manager_id=company.manager_id, account_id=ident)
    number = Number.objects.get()
    assert (number.manager_id, number.profile_id, number.account_id) == (company.manager_id, None, None)


def test_a_number_is_moved_within_its_company_only(company: Company) -> None:
    other = make_company(company_name="Builders")
    add_numbers(now=NOW, by=BY, stock=[stock_number(NUMBER)])
    assign_number(now=NOW, by=BY, e164=NUMBER, profile_id=company.profile_ids[0])
    number_id = Number.objects.get().pk
    number_places.put_on_profile(now=NOW, by=BY, manager_id=company.manager_id, number_id=number_id, profile_id=company.profile_ids[1])
    assert Number.objects.get().profile_id == company.profile_ids[1]
    with pytest.raises(NotFound):
        number_places.put_on_profile(now=NOW, by=BY, manager_id=company.manager_id, number_id=number_id, profile_id=other.profile_ids[0])
    with pytest.raises(NotFound):
        number_places.put_on_profile(now=NOW, by=BY, manager_id=other.manager_id, number_id=number_id, profile_id=other.profile_ids[0])
    number_places.put_in_stock(now=NOW, by=BY, manager_id=company.manager_id, number_id=number_id)
    with pytest.raises(Conflict, match="nobody already"):
        number_places.put_in_stock(now=NOW, by=BY, manager_id=company.manager_id, number_id=number_id)


def test_a_deleted_profile_lets_its_accounts_go(company: Company) -> None:
    make(company, "Architects.Vanessa", "vanessa@example.com")
    put(company, "Architects.Vanessa")
    done = profile_deletion.delete_profile(now=NOW, by=BY, profile_id=company.profile_ids[0])
    assert done.accounts == ("Architects.Vanessa",)
    assert (BusinessAccount.objects.get().profile_id, Person.objects.get().is_active) == (None, True)
    assert Profile.objects.get(pk=company.profile_ids[0]).state == Profile.State.DELETED


def directory() -> StoreDirectory:
    return StoreDirectory(sip_domain=SIP_DOMAIN, echo_uri="sip:echo@127.0.0.1", now_us=int(NOW.timestamp() * 1_000_000))
