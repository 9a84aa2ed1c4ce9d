"""Business accounts: made, grouped, put on SIP Profiles with an extension, deleted."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import Count, QuerySet
from ninja import Query, Router, Schema, Status
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting, profile_of
from trunkline.api.shapes import LARGEST_ID, TEXT, Cursor, Done, Ident, Input, Limit, Moment, PathId, answers, iso, listed, the_one
from trunkline.domain.errors import Conflict
from trunkline.store.models import AccountGroup, BusinessAccount
from trunkline.usecases import account_places, accounts, groups
from trunkline.usecases.account_places import NotConfirmedError
from trunkline.web.access import Audience

router = Router(tags=["Business accounts"])
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT, examples=["Architects.Sales"])]
Extension = Annotated[str, Field(max_length=32, description="calls reach the PBX there; empty: they carry the account's name")]


class AccountIn(Input):
    """With an address somebody can sign in with it while it is on no SIP Profile, and gets a letter."""

    name: Name
    email: Annotated[str, Field(max_length=254, pattern=TEXT)] = ""


class AddressesIn(Input):
    """E-mail addresses, divided by lines, commas or semicolons; at most 500."""

    text: Annotated[str, Field(min_length=1, max_length=100_000)]


class AccountOut(Schema):
    id: int
    name: str
    email: str
    profile_id: int | None
    extension: str
    group_ids: list[int]
    created_at: Moment


class AccountsOut(Schema):
    items: list[AccountOut]
    next_cursor: str | None


class PlannedOut(Schema):
    """`problem`: why it can't be made; empty when it can."""

    line: int
    email: str
    name: str
    problem: str


class PlansOut(Schema):
    items: list[PlannedOut]


class AccountsMadeOut(Schema):
    created: int


class GroupIdsIn(Input):
    """In these groups, and in no other."""

    group_ids: Annotated[list[Ident], Field(max_length=200)]


class GroupIn(Input):
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=TEXT)]


class GroupOut(Schema):
    id: int
    name: str
    accounts: int


class GroupsOut(Schema):
    items: list[GroupOut]
    next_cursor: str | None


class AddIn(Input):
    """`name`: a business account, or a person of the company. An administrator's own, who can't sign in from then on, needs `confirmed`."""

    name: Name
    extension: Extension = ""
    confirmed: bool = False


class ExtensionIn(Input):
    extension: Extension


@router.get("/accounts", auth=Right(Audience.LOOK), response=answers(AccountsOut), summary="List business accounts")
def list_accounts(
    request: ApiRequest,
    name: Annotated[str, Query(max_length=64, pattern=TEXT, description="part of it")] = "",
    profile_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="only those on it")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    mine = _mine(request).filter(name__icontains=name.strip())
    if profile_id is not None:
        mine = mine.filter(profile=profile_of(request, profile_id))
    return listed(mine, _shown, cursor, limit)


@router.post("/accounts", auth=Right(Audience.ADMINISTER), response=answers(AccountOut, 201), summary="Create a business account")
def create_account(request: ApiRequest, wanted: AccountIn) -> Status[Any]:
    made = accounts.create_account(**acting(request), manager_id=request.company.pk, **wanted.dict())
    return Status(201, get_account(request, made))


@router.post("/accounts/by-address/preview", auth=Right(Audience.LOOK), response=answers(PlansOut), summary="What pasted addresses become")
def preview_accounts(request: ApiRequest, wanted: AddressesIn) -> dict[str, Any]:
    planned = accounts.preview_accounts(manager_id=request.company.pk, text=wanted.text)
    return {"items": [{name: getattr(one, name) for name in ("line", "email", "name", "problem")} for one in planned]}


@router.post(
    "/accounts/by-address",
    auth=Right(Audience.ADMINISTER),
    response=answers(AccountsMadeOut, 201),
    summary="Create accounts from addresses",
)
def create_accounts(request: ApiRequest, wanted: AddressesIn) -> Status[Any]:
    """All, or none when one has a problem. Each gets a letter."""
    count = accounts.create_accounts(**acting(request), manager_id=request.company.pk, text=wanted.text)
    return Status(201, {"created": count})


@router.get("/accounts/{account_id}", auth=Right(Audience.LOOK), response=answers(AccountOut), summary="A business account")
def get_account(request: ApiRequest, account_id: PathId) -> dict[str, Any]:
    return _shown(the_one(_mine(request), account_id, "business account"))


@router.delete("/accounts/{account_id}", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Delete a business account")
def delete_account(request: ApiRequest, account_id: PathId) -> dict[str, Any]:
    """Its numbers go to the Manager's stock. Not while it is on a SIP Profile."""
    accounts.delete_account(**acting(request), manager_id=request.company.pk, account_id=account_id)
    return {"done": True}


@router.put("/accounts/{account_id}/groups", auth=Right(Audience.ADMINISTER), response=answers(AccountOut), summary="In which groups it is")
def set_groups(request: ApiRequest, account_id: PathId, wanted: GroupIdsIn) -> dict[str, Any]:
    groups.set_groups(**acting(request), manager_id=request.company.pk, account_id=account_id, group_ids=wanted.group_ids)
    return get_account(request, account_id)


@router.get("/groups", auth=Right(Audience.LOOK), response=answers(GroupsOut), summary="List groups of accounts")
def list_groups(request: ApiRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    return listed(_groups(request), _group, cursor, limit)


@router.post("/groups", auth=Right(Audience.ADMINISTER), response=answers(GroupOut, 201), summary="Create a group")
def create_group(request: ApiRequest, wanted: GroupIn) -> Status[Any]:
    made = groups.create_group(**acting(request), manager_id=request.company.pk, name=wanted.name)
    return Status(201, _group(_groups(request).get(pk=made)))


@router.patch("/groups/{group_id}", auth=Right(Audience.ADMINISTER), response=answers(GroupOut), summary="Rename a group")
def rename_group(request: ApiRequest, group_id: PathId, wanted: GroupIn) -> dict[str, Any]:
    groups.rename_group(**acting(request), manager_id=request.company.pk, group_id=group_id, name=wanted.name)
    return _group(_groups(request).get(pk=group_id))


@router.delete("/groups/{group_id}", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Delete a group")
def delete_group(request: ApiRequest, group_id: PathId) -> dict[str, Any]:
    """The accounts in it stay."""
    groups.delete_group(**acting(request), manager_id=request.company.pk, group_id=group_id)
    return {"done": True}


@router.post(
    "/profiles/{profile_id}/accounts", auth=Right(Audience.ADMINISTER), response=answers(AccountOut), summary="Put an account on a profile"
)
def add_account(request: ApiRequest, profile_id: PathId, wanted: AddIn) -> dict[str, Any]:
    """Calls to it reach the PBX of the profile; nobody signs in with it meanwhile."""
    profile = profile_of(request, profile_id)
    try:
        return get_account(request, account_places.add_account(**acting(request), profile_id=profile.pk, **wanted.dict()))
    except NotConfirmedError as asked:
        raise Conflict(f"{asked} Send it again with `confirmed` to add it all the same.") from asked


@router.put(
    "/profiles/{profile_id}/accounts/{account_id}/extension",
    auth=Right(Audience.ADMINISTER),
    response=answers(AccountOut),
    summary="Its extension at the PBX",
)
def set_extension(request: ApiRequest, profile_id: PathId, account_id: PathId, wanted: ExtensionIn) -> dict[str, Any]:
    profile = profile_of(request, profile_id)
    account_places.set_extension(**acting(request), profile_id=profile.pk, account_id=account_id, extension=wanted.extension)
    return get_account(request, account_id)


@router.delete(
    "/profiles/{profile_id}/accounts/{account_id}",
    auth=Right(Audience.ADMINISTER),
    response=answers(AccountOut),
    summary="Take an account off a profile",
)
def remove_account(request: ApiRequest, profile_id: PathId, account_id: PathId) -> dict[str, Any]:
    """Its person, if it has one, can sign in again."""
    profile = profile_of(request, profile_id)
    account_places.remove_account(**acting(request), profile_id=profile.pk, account_id=account_id)
    return get_account(request, account_id)


def _mine(request: ApiRequest) -> QuerySet[BusinessAccount]:
    return BusinessAccount.objects.filter(manager=request.company).select_related("person").prefetch_related("groups")


def _groups(request: ApiRequest) -> QuerySet[AccountGroup]:
    return AccountGroup.objects.filter(manager=request.company).annotate(account_count=Count("accounts"))


def _shown(account: BusinessAccount) -> dict[str, Any]:
    return {
        "id": account.pk,
        "name": account.name,
        "email": account.person.email if account.person else "",
        "profile_id": account.profile_id,
        "extension": account.extension,
        "group_ids": sorted(group.pk for group in account.groups.all()),
        "created_at": iso(account.created_at),
    }


def _group(group: Any) -> dict[str, Any]:
    """With `account_count` (`_groups`)."""
    return {"id": group.pk, "name": group.name, "accounts": group.account_count}
