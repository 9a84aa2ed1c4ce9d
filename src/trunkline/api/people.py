"""People of the company: who may do what, and who is invited."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from ninja import Router, Schema, Status
from pydantic import Field

from trunkline.api.door import ApiRequest, Right, acting
from trunkline.api.shapes import TEXT, Cursor, Done, Input, Limit, Moment, PathId, answers, iso, listed
from trunkline.store.clock import now
from trunkline.store.models import Invitation, Membership
from trunkline.usecases import invitations, people
from trunkline.web.access import Audience
from trunkline.web.letters import send_invitation

router = Router(tags=["People"])
Given = Literal["billing", "read_only", "reports"]
"""No administrator: whoever steals a token must not leave somebody behind who can make new ones."""


class RoleIn(Input):
    role: Given


class MemberOut(Schema):
    id: int
    account: str
    email: str
    role: str
    since: Moment


class MembersOut(Schema):
    items: list[MemberOut]
    next_cursor: str | None


class InvitationIn(Input):
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=TEXT, examples=["new@example.com"])]
    role: Given


class InvitationOut(Schema):
    id: int
    email: str
    role: str
    created_at: Moment
    expires_at: Moment


class InvitationsOut(Schema):
    items: list[InvitationOut]
    next_cursor: str | None


class InvitedOut(Schema):
    """`sent` false: the mail server did not take the letter; invite again later."""

    invitation: InvitationOut
    sent: bool


@router.get("/members", auth=Right(Audience.LOOK), response=answers(MembersOut), summary="List the company's people")
def list_members(request: ApiRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    return listed(_members(request), _member, cursor, limit)


@router.patch("/members/{membership_id}", auth=Right(Audience.ADMINISTER), response=answers(MemberOut), summary="Change a role")
def change_role(request: ApiRequest, membership_id: PathId, wanted: RoleIn) -> dict[str, Any]:
    people.change_role(**acting(request), manager_id=request.company.pk, membership_id=membership_id, role=wanted.role)
    return _member(_members(request).get(pk=membership_id))


@router.delete("/members/{membership_id}", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Remove somebody")
def remove_member(request: ApiRequest, membership_id: PathId) -> dict[str, Any]:
    """Out of this company; not its last administrator."""
    people.remove_member(**acting(request), manager_id=request.company.pk, membership_id=membership_id)
    return {"done": True}


@router.get("/invitations", auth=Right(Audience.LOOK), response=answers(InvitationsOut), summary="List open invitations")
def list_invitations(request: ApiRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    return listed(_open(request), _invitation, cursor, limit)


@router.post("/invitations", auth=Right(Audience.ADMINISTER), response=answers(InvitedOut, 201), summary="Invite somebody")
def invite(request: ApiRequest, wanted: InvitationIn) -> Status[Any]:
    """By a letter with a link that works for 14 days; it is told to nobody else. Inviting the same address again ends the first one."""
    invited = invitations.invite(**acting(request), manager_id=request.company.pk, **wanted.dict())
    sent = send_invitation(invited, inviter=request.token.name)
    return Status(201, {"invitation": _invitation(_open(request).get(pk=invited.invitation_id)), "sent": sent})


@router.delete("/invitations/{invitation_id}", auth=Right(Audience.ADMINISTER), response=answers(Done), summary="Withdraw an invitation")
def withdraw_invitation(request: ApiRequest, invitation_id: PathId) -> dict[str, Any]:
    invitations.withdraw_invitation(**acting(request), manager_id=request.company.pk, invitation_id=invitation_id)
    return {"done": True}


def _members(request: ApiRequest) -> QuerySet[Membership]:
    return Membership.objects.filter(manager=request.company).select_related("person")


def _open(request: ApiRequest) -> QuerySet[Invitation]:
    return Invitation.objects.filter(manager=request.company, accepted_at=None, withdrawn_at=None, expires_at__gt=now())


def _member(member: Membership) -> dict[str, Any]:
    person = member.person
    return {"id": member.pk, "account": person.account, "email": person.email, "role": member.role, "since": iso(member.since)}


def _invitation(invitation: Invitation) -> dict[str, Any]:
    about = {name: getattr(invitation, name) for name in ("email", "role")}
    return {"id": invitation.pk, **about, "created_at": iso(invitation.created_at), "expires_at": iso(invitation.expires_at)}
