"""Business accounts: made, made in bulk, deleted, found (SPEC R1.3). Where they are: `usecases.account_places`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Lower

from trunkline.domain import accounts as rules
from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.sheets import LineProblem, SheetProblem
from trunkline.store import outbox
from trunkline.store.models import BusinessAccount, Mail, Manager, Membership, Number, Person, Profile
from trunkline.store.work import By, Work, work
from trunkline.usecases.account_names import take_names, taken_names
from trunkline.usecases.mail import is_address, written
from trunkline.usecases.numbers import put_number

MOST_ACCOUNTS = 10_000
FOUND_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Without `email` nobody signs in with it: it only takes calls."""

    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An account that could be added to a profile. `account_id` None: a person's, that is no business account yet."""

    name: str
    account_id: int | None
    profile: Profile | None
    administrator: bool


def create_account(*, now: datetime, by: By, manager_id: int, name: str, email: str = "") -> int:
    """With an address, its person gets a letter that says how to set a password. Returns the account's id."""
    new = NewAccount(rules.check_name(name), email.strip())
    with work(now=now, by=by) as doing:
        manager = _room_for(doing, manager_id, 1)
        return _create(doing, manager, [new])[0].pk


def preview_accounts(*, manager_id: int, text: str) -> list[rules.Planned]:
    """What `create_accounts` would make of pasted addresses, line by line."""
    return _plan(_manager(manager_id), text)


def create_accounts(*, now: datetime, by: By, manager_id: int, text: str) -> int:
    """All, or none when a line has a problem. Returns how many."""
    with work(now=now, by=by) as doing:
        manager = _room_for(doing, manager_id, 1)
        planned = _plan(manager, text)
        if problems := [LineProblem(one.line, one.problem) for one in planned if one.problem]:
            raise SheetProblem(problems)
        _check_room(manager_id, len(planned))
        _create(doing, manager, [NewAccount(one.name, one.email) for one in planned])
    return len(planned)


def delete_account(*, now: datetime, by: By, manager_id: int, account_id: int) -> None:
    """Its numbers return to the Manager's stock. A person that was made with it, and is in no company, is gone with it. Not while on a profile."""
    with work(now=now, by=by) as doing:
        account = lock_account(doing, manager_id, account_id)
        if account.profile_id is not None:
            raise Conflict(f"{account.name} is on a SIP Profile: remove it there first.")
        for number in doing.locks.many(Number, account.numbers.values_list("pk", flat=True)).values():
            put_number(doing, number, manager_id, None, "number.release")
        doing.audit("account.delete", account.name, manager_id=manager_id)
        person = account.person
        account.delete()
        if person is not None and _is_only_for(person, account):
            person.delete()


def lock_account(doing: Work, manager_id: int, account_id: int) -> BusinessAccount:
    """A business account of this Manager; raises `NotFound`."""
    if not BusinessAccount.objects.filter(pk=account_id, manager_id=manager_id).exists():
        raise NotFound("There is no such business account.")
    return doing.locks.one(BusinessAccount, account_id)


def find_accounts(*, manager_id: int, text: str, most: int = FOUND_AT_ONCE) -> list[Found]:
    """By a part of the name, in its order: business accounts, and people of the company who have none yet."""
    accounts = accounts_of(manager_id, text).select_related("profile").order_by("name")[:most]
    people = _people_without_account(manager_id).filter(person__account__icontains=text.strip()).order_by("person__account")[:most]
    administrators = set(_administrators(manager_id))
    found = [Found(one.name, one.pk, one.profile, one.person_id in administrators) for one in accounts]
    found += [Found(one.person.account, None, None, one.person_id in administrators) for one in people]
    return sorted(found, key=lambda one: one.name.lower())[:most]


def accounts_of(manager_id: int, text: str = "") -> QuerySet[BusinessAccount]:
    return BusinessAccount.objects.filter(manager_id=manager_id, name__icontains=text.strip())


def account_of_name(doing: Work, manager_id: int, name: str) -> BusinessAccount:
    """Locked. A person of the company becomes a business account by being put somewhere."""
    known = BusinessAccount.objects.filter(manager_id=manager_id, name__iexact=name.strip()).first()
    if known is not None:
        return doing.locks.one(BusinessAccount, known.pk)
    member = _people_without_account(manager_id).filter(person__account__iexact=name.strip()).first()
    if member is None:
        raise Invalid("name", f"There is no account {name.strip()[:64]!r} in this company: choose one of the list, or create it first.")
    return BusinessAccount.objects.create(manager_id=manager_id, name=member.person.account, person=member.person, created_at=doing.now)


def _create(doing: Work, manager: Manager, new: Sequence[NewAccount]) -> list[BusinessAccount]:
    take_names([one.name for one in new], "name")
    people = _create_people(doing, [one for one in new if one.email])
    rows = [BusinessAccount(manager=manager, name=one.name, person=people.get(one.name), created_at=doing.now) for one in new]
    made = BusinessAccount.objects.bulk_create(rows)
    for account in made:
        doing.audit("account.create", account.name, manager_id=manager.pk, after={"email": account.person.email if account.person else ""})
        if account.person is not None:
            outbox.put_in(_letter(doing, manager, account, account.person))
    return made


def _create_people(doing: Work, new: Iterable[NewAccount]) -> dict[str, Person]:
    """By name; without a password: it is set by who can read that address."""
    wanted = list(new)
    for one in wanted:
        if not is_address(one.email):
            raise Invalid("email", f"{one.email[:80]!r} is not an e-mail address.")
    if taken := sorted(_taken_emails([one.email.lower() for one in wanted])):
        raise Invalid("email", f"There is an account with {taken[0]} already: use another address, or none.")
    people = [Person(account=one.name, email=one.email, created_at=doing.now) for one in wanted]
    for person in people:
        person.set_unusable_password()
    return {person.account: person for person in Person.objects.bulk_create(people)}


def _letter(doing: Work, manager: Manager, account: BusinessAccount, person: Person) -> Mail:
    subject, text = written("account_created", {"company": manager.company_name, "account": account.name})
    mail = Mail(key=f"account_created/{account.pk}", manager=manager, to=person.email, subject=subject[:200], text=text)
    mail.created_at = mail.next_try_at = doing.now
    return mail


def _is_only_for(person: Person, account: BusinessAccount) -> bool:
    """Made together with it, not a member's own, and of no use without it."""
    return person.created_at == account.created_at and not person.staff and not person.memberships.exists()


def _plan(manager: Manager, text: str) -> list[rules.Planned]:
    return rules.plan(text, manager.company_name, taken_names(), _taken_emails())


def _taken_emails(lower: Sequence[str] | None = None) -> set[str]:
    known = Person.objects.annotate(lower=Lower("email")).values_list("lower", flat=True)
    return set(known if lower is None else known.filter(lower__in=lower))


def _room_for(doing: Work, manager_id: int, more: int) -> Manager:
    manager = doing.locks.one(Manager, manager_id)
    _check_room(manager_id, more)
    return manager


def _check_room(manager_id: int, more: int) -> None:
    if BusinessAccount.objects.filter(manager_id=manager_id).count() + more > MOST_ACCOUNTS:
        raise Conflict(f"A company has at most {MOST_ACCOUNTS} business accounts: delete some first.")


def _manager(manager_id: int) -> Manager:
    return Manager.objects.get(pk=manager_id)


def _people_without_account(manager_id: int) -> QuerySet[Membership]:
    return Membership.objects.filter(manager_id=manager_id, person__business_account=None).select_related("person")


def _administrators(manager_id: int) -> QuerySet[Membership, int]:
    return Membership.objects.filter(manager_id=manager_id, role="administrator").values_list("person_id", flat=True)
