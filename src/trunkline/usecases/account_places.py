"""Which SIP Profile a business account is on, at most one, and at which extension (SPEC R1.3, R7.2; guide 7.4).

While it is there its calls go to the PBX, and nobody signs in with it.
"""

from __future__ import annotations

from datetime import datetime

from trunkline.domain.accounts import check_extension
from trunkline.domain.errors import Conflict, NotFound
from trunkline.store.models import BusinessAccount, Change, Manager, Membership, Person, Profile, Role
from trunkline.store.work import By, Work, work
from trunkline.usecases.accounts import account_of_name
from trunkline.usecases.profile_changes import announce, lock_profile


class NotConfirmedError(Conflict):
    """It can be done, after the warning was read: the same with `confirmed`."""


def add_account(*, now: datetime, by: By, profile_id: int, name: str, extension: str = "", confirmed: bool = False) -> int:
    """Returns the account's id. Raises `NotConfirmedError` for an administrator's own, `Conflict` for the last one's."""
    extension = check_extension(extension)
    with work(now=now, by=by) as doing:
        manager_id = _manager_of(profile_id)
        doing.locks.one(Manager, manager_id)
        profile = lock_profile(doing, profile_id)
        account = account_of_name(doing, manager_id, name)
        if account.profile_id is not None:
            raise Conflict(f"{account.name} is on {_named(account, profile)}: an account is on one SIP Profile, remove it there first.")
        if account.person_id is not None:
            _check_person(doing, account, confirmed=confirmed)
        _put(doing, account, profile, extension)
    return account.pk


def set_extension(*, now: datetime, by: By, profile_id: int, account_id: int, extension: str) -> None:
    """Empty: calls carry the account's name."""
    extension = check_extension(extension)
    with work(now=now, by=by) as doing:
        profile, account = _lock_on(doing, profile_id, account_id)
        if account.extension == extension:
            return
        before, account.extension = {"extension": account.extension}, extension
        account.save(update_fields=["extension"])
        doing.audit("account.extension", account.name, manager_id=profile.manager_id, before=before, after={"extension": extension})
        announce(doing, profile)


def remove_account(*, now: datetime, by: By, profile_id: int, account_id: int) -> str:
    """Its person can sign in again. Returns its name."""
    with work(now=now, by=by) as doing:
        profile, account = _lock_on(doing, profile_id, account_id)
        take_off(doing, account, profile)
    return account.name


def release_accounts(doing: Work, profile: Profile) -> None:
    """All of a profile that is deleted; the profile is locked."""
    for account in doing.locks.many(BusinessAccount, profile.business_accounts.values_list("pk", flat=True)).values():
        take_off(doing, account, profile)


def take_off(doing: Work, account: BusinessAccount, profile: Profile) -> None:
    if account.sign_in_stopped and account.person_id is not None:
        Person.objects.filter(pk=account.person_id).update(is_active=True)
    before = {"profile": profile.name, "extension": account.extension}
    account.profile, account.extension, account.sign_in_stopped = None, "", False
    account.save(update_fields=["profile", "extension", "sign_in_stopped"])
    doing.audit("account.remove", account.name, manager_id=account.manager_id, before=before, after={"profile": ""})
    _tell(doing, account, profile)


def _put(doing: Work, account: BusinessAccount, profile: Profile, extension: str) -> None:
    stopped = account.person_id and Person.objects.filter(pk=account.person_id, is_active=True).update(is_active=False)
    account.profile, account.extension, account.sign_in_stopped = profile, extension, bool(stopped)
    account.save(update_fields=["profile", "extension", "sign_in_stopped"])
    doing.audit("account.add", account.name, manager_id=account.manager_id, after={"profile": profile.name, "extension": extension})
    _tell(doing, account, profile)


def _tell(doing: Work, account: BusinessAccount, profile: Profile) -> None:
    """Its numbers reach another place now."""
    announce(doing, profile)
    if account.numbers.exists():
        doing.changed(Change.What.NUMBERS, account.name)


def _check_person(doing: Work, account: BusinessAccount, *, confirmed: bool) -> None:
    """Whoever is shut out must be this company's alone, and somebody must be left who can undo it."""
    person = account.person
    assert person is not None, "asked by who calls this"
    roles = dict(Membership.objects.filter(person=person).values_list("manager_id", "role"))
    if person.staff or set(roles) - {account.manager_id}:
        raise Conflict(
            f"{account.name} belongs to other companies too, where it must be able to sign in: create a business account for calls."
        )
    if roles.get(account.manager_id) != Role.ADMINISTRATOR:
        return
    others = Membership.objects.filter(manager_id=account.manager_id, role=Role.ADMINISTRATOR, person__is_active=True)
    if not others.exclude(person=person).exists():
        raise Conflict(f"{account.name} is the last administrator who can sign in: make somebody else an administrator first.")
    if not confirmed:
        whose = "your own account" if doing.by.actor.lower() == account.name.lower() else "an administrator's account"
        raise NotConfirmedError(f"{account.name} is {whose}: on a SIP Profile it can't sign in to the Manager any more.")


def _lock_on(doing: Work, profile_id: int, account_id: int) -> tuple[Profile, BusinessAccount]:
    profile = lock_profile(doing, profile_id)
    if not profile.business_accounts.filter(pk=account_id).exists():
        raise NotFound(f"There is no such business account on {profile.name}.")
    return profile, doing.locks.one(BusinessAccount, account_id)


def _named(account: BusinessAccount, here: Profile) -> str:
    return "this SIP Profile already" if account.profile_id == here.pk else str(account.profile.name if account.profile else "")


def _manager_of(profile_id: int) -> int:
    manager_id = Profile.objects.filter(pk=profile_id).values_list("manager_id", flat=True).first()
    if manager_id is None:
        raise NotFound(f"There is no SIP Profile {profile_id}.")
    return manager_id
