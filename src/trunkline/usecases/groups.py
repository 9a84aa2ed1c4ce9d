"""Groups of business accounts (SPEC R1.3): names for a department or a place, that lists are narrowed by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from trunkline.domain.errors import Conflict, NotFound
from trunkline.domain.names import check_name
from trunkline.store.models import AccountGroup, Manager
from trunkline.store.work import By, Work, work
from trunkline.usecases.accounts import lock_account

MOST_GROUPS = 200


def create_group(*, now: datetime, by: By, manager_id: int, name: str) -> int:
    name = check_name(name, "name", longest=80)
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        _check_free(manager_id, name)
        if AccountGroup.objects.filter(manager_id=manager_id).count() >= MOST_GROUPS:
            raise Conflict(f"A company has at most {MOST_GROUPS} groups: delete one first.")
        group = AccountGroup.objects.create(manager_id=manager_id, name=name)
        doing.audit("group.create", name, manager_id=manager_id)
    return group.pk


def rename_group(*, now: datetime, by: By, manager_id: int, group_id: int, name: str) -> None:
    name = check_name(name, "name", longest=80)
    with work(now=now, by=by) as doing:
        group = _lock_group(doing, manager_id, group_id)
        if name.lower() != group.name.lower():
            _check_free(manager_id, name)
        before, group.name = {"name": group.name}, name
        group.save(update_fields=["name"])
        doing.audit("group.rename", name, manager_id=manager_id, before=before, after={"name": name})


def delete_group(*, now: datetime, by: By, manager_id: int, group_id: int) -> None:
    """The accounts in it stay."""
    with work(now=now, by=by) as doing:
        group = _lock_group(doing, manager_id, group_id)
        doing.audit("group.delete", group.name, manager_id=manager_id)
        group.delete()


def set_groups(*, now: datetime, by: By, manager_id: int, account_id: int, group_ids: Iterable[int]) -> None:
    """The account is in these groups, and in no other."""
    wanted = set(group_ids)
    with work(now=now, by=by) as doing:
        doing.locks.one(Manager, manager_id)
        account = lock_account(doing, manager_id, account_id)
        groups = list(AccountGroup.objects.filter(manager_id=manager_id, pk__in=wanted).order_by("name"))
        if len(groups) != len(wanted):
            raise NotFound("There is no such group any more: load the page again.")
        before = {"groups": list(account.groups.order_by("name").values_list("name", flat=True))}
        account.groups.set(groups)
        after = {"groups": [group.name for group in groups]}
        doing.audit("account.groups", account.name, manager_id=manager_id, before=before, after=after)


def _lock_group(doing: Work, manager_id: int, group_id: int) -> AccountGroup:
    """The Manager's lock makes changes to its groups take turns."""
    doing.locks.one(Manager, manager_id)
    group = AccountGroup.objects.filter(pk=group_id, manager_id=manager_id).first()
    if group is None:
        raise NotFound("There is no such group any more.")
    return group


def _check_free(manager_id: int, name: str) -> None:
    if AccountGroup.objects.filter(manager_id=manager_id, name__iexact=name).exists():
        raise Conflict(f"There is a group {name} already: choose another name.")
