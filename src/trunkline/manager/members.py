"""Who may sign in to a company, and as what (SPEC R1.2)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from trunkline.manager.accounts.lists import people_page
from trunkline.store.models import Invitation, Membership, Role
from trunkline.usecases import invitations, people
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.letters import send_invitation

ROLES = (
    (Role.ADMINISTRATOR, "Administrator: everything"),
    (Role.BILLING, "Billing: sees everything, pays and buys"),
    (Role.READ_ONLY, "Read only: sees everything, changes nothing"),
    (Role.REPORTS, "Reports only"),
)


class InviteForm(PageForm):
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=ROLES, initial=Role.READ_ONLY)


class RoleForm(PageForm):
    role = forms.ChoiceField(choices=ROLES)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def members(request: CompanyRequest) -> HttpResponse:
    """The list; sending the form invites."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        invited = form.act(invitations.invite, **acting(request), manager_id=request.company.pk, **form.cleaned_data)
        if invited is not None:
            return _send(request, invited)
    page = {
        "form": form,
        "people": Membership.objects.filter(manager=request.company).select_related("person").order_by("person__account"),
        "invitations": _open_invitations(request),
        "may_change": request.membership.role == Role.ADMINISTRATOR,
    }
    return people_page(request, "manager/members.html", page)


@open_to(Audience.ADMINISTER)
def member(request: CompanyRequest, membership_id: int) -> HttpResponse:
    """Another role for somebody, or out."""
    found = _membership(request, membership_id)
    form = RoleForm(request.POST or None, initial={"role": found.role})
    if request.method == "POST" and form.is_valid():
        arguments = {"manager_id": request.company.pk, "membership_id": membership_id, **form.cleaned_data}
        form.act(people.change_role, **acting(request), **arguments)
        if not form.errors:
            messages.success(request, f"{found.person.account} has another role now.")
            return redirect("members")
    return people_page(request, "manager/member.html", {"form": form, "member": found})


@open_to(Audience.ADMINISTER)
@require_POST
def remove_member(request: CompanyRequest, membership_id: int) -> HttpResponse:
    found = _membership(request, membership_id)
    people.remove_member(**acting(request), manager_id=request.company.pk, membership_id=membership_id)
    messages.success(request, f"{found.person.account} can't come in any more.")
    return redirect("home") if found.person_id == request.user.pk else redirect("members")


@open_to(Audience.ADMINISTER)
@require_POST
def withdraw(request: CompanyRequest, invitation_id: int) -> HttpResponse:
    invitations.withdraw_invitation(**acting(request), manager_id=request.company.pk, invitation_id=invitation_id)
    messages.success(request, "The invitation is withdrawn: its link leads nowhere now.")
    return redirect("members")


def _send(request: CompanyRequest, invited: invitations.Invited) -> HttpResponse:
    if send_invitation(invited, inviter=request.user.account):
        messages.success(request, f"An invitation is on its way to {invited.email}.")
    else:
        messages.error(request, f"The letter to {invited.email} could not be sent: the mail server did not take it. Invite again later.")
    return redirect("members")


def _open_invitations(request: CompanyRequest) -> list[Invitation]:
    waiting = Invitation.objects.filter(manager=request.company, accepted_at=None, withdrawn_at=None, expires_at__gt=now())
    return list(waiting.select_related("invited_by").order_by("email"))


def _membership(request: CompanyRequest, membership_id: int) -> Membership:
    found = Membership.objects.select_related("person").filter(manager=request.company, pk=membership_id).first()
    if found is None:
        raise Http404
    return found


urlpatterns = [
    path("members", members, name="members"),
    path("members/<int:membership_id>", member, name="member"),
    path("members/<int:membership_id>/remove", remove_member, name="member_remove"),
    path("members/invitations/<int:invitation_id>/withdraw", withdraw, name="invitation_withdraw"),
]
