"""One business account: where its calls go, its groups, its numbers, its end."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from trunkline.manager.accounts.lists import people_page
from trunkline.store.models import AccountGroup, BusinessAccount
from trunkline.usecases import accounts, groups
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm


class GroupsForm(PageForm):
    group_ids = forms.TypedMultipleChoiceField(label="Groups", required=False, coerce=int, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: object, manager_id: int, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        known = AccountGroup.objects.filter(manager_id=manager_id).order_by("name").values_list("pk", "name")
        self.fields["group_ids"].choices = list(known)  # type: ignore[attr-defined] # a choice field


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def account(request: CompanyRequest, account_id: int) -> HttpResponse:
    """Sending the form sets the groups."""
    found = account_of(request, account_id)
    now_in = list(found.groups.values_list("pk", flat=True))
    form = GroupsForm(request.POST if request.method == "POST" else None, manager_id=request.company.pk, initial={"group_ids": now_in})
    if request.method == "POST" and form.is_valid():
        form.act(groups.set_groups, **acting(request), manager_id=request.company.pk, account_id=found.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, f"{found.name} is in other groups now.")
            return redirect("account", found.pk)
    page = {"found": found, "form": form, "numbers": list(found.numbers.order_by("e164"))}
    return people_page(request, "manager/accounts/account.html", page)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def delete(request: CompanyRequest, account_id: int) -> HttpResponse:
    """What happens is shown first."""
    found = account_of(request, account_id)
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        form.act(accounts.delete_account, **acting(request), manager_id=request.company.pk, account_id=found.pk)
        if not form.errors:
            messages.success(request, f"The account {found.name} is gone.")
            return redirect("accounts")
    page = {"found": found, "form": form, "numbers": list(found.numbers.order_by("e164"))}
    return people_page(request, "manager/accounts/delete.html", page)


def account_of(request: CompanyRequest, account_id: int) -> BusinessAccount:
    """404 for another company's."""
    known = BusinessAccount.objects.filter(manager=request.company).select_related("profile", "person")
    return get_object_or_404(known, pk=account_id)
