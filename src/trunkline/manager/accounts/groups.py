"""Groups of business accounts."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from trunkline.manager.accounts.lists import people_page
from trunkline.store.models import AccountGroup
from trunkline.usecases import groups
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm


class GroupForm(PageForm):
    name = forms.CharField(label="Name of the group", max_length=80)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def group_list(request: CompanyRequest) -> HttpResponse:
    """Sending the form makes a group."""
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = form.act(groups.create_group, **acting(request), manager_id=request.company.pk, **form.cleaned_data)
        if made is not None:
            messages.success(request, "The group is there. An account is put into it on the account's own page.")
            return redirect("account_groups")
    rows = AccountGroup.objects.filter(manager=request.company).annotate(account_count=Count("accounts")).order_by("name")
    return people_page(request, "manager/accounts/groups.html", {"form": form, "rows": rows})


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def group(request: CompanyRequest, group_id: int) -> HttpResponse:
    """Another name."""
    found = _group(request, group_id)
    form = GroupForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        form.act(groups.rename_group, **acting(request), manager_id=request.company.pk, group_id=found.pk, **form.cleaned_data)
        if not form.errors:
            messages.success(request, "The group has a new name.")
            return redirect("account_groups")
    return people_page(request, "manager/accounts/group.html", {"form": form, "found": found})


@open_to(Audience.ADMINISTER)
@require_POST
def delete_group(request: CompanyRequest, group_id: int) -> HttpResponse:
    found = _group(request, group_id)
    groups.delete_group(**acting(request), manager_id=request.company.pk, group_id=found.pk)
    messages.success(request, f"The group {found.name} is gone; its accounts are still there.")
    return redirect("account_groups")


def _group(request: CompanyRequest, group_id: int) -> AccountGroup:
    return get_object_or_404(AccountGroup, manager=request.company, pk=group_id)
