"""The company's business accounts: found by name and group, made one by one or from pasted addresses."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from trunkline.domain.accounts import MOST_AT_ONCE, Planned, company_prefix
from trunkline.manager import scope
from trunkline.store.models import AccountGroup, BusinessAccount
from trunkline.usecases import accounts
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.navigation import PEOPLE, menu

ON_A_PAGE = 100


class AccountForm(PageForm):
    name = forms.CharField(label="Name", max_length=64, help_text="What callers call. Letters, digits, dots and dashes; a letter first.")
    email = forms.CharField(
        label="E-mail address",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="Whoever reads it can sign in with the account while it is on no SIP Profile. Without one, it only takes calls.",
    )


class AddressesForm(PageForm):
    text = forms.CharField(
        label="E-mail addresses",
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        help_text=f"Divided by lines, commas or semicolons, up to {MOST_AT_ONCE}. Each gets an account named after it, and a letter.",
    )
    field_of = {"addresses": "text"}  # noqa: RUF012 - as in the base


@open_to(Audience.LOOK)
@require_safe
def account_list(request: CompanyRequest) -> HttpResponse:
    """The search follows the typing; without JavaScript its button does it."""
    wanted = request.GET.get("q", "").strip()[:64]
    group = request.GET.get("group", "")
    rows = list(_rows(request, wanted, group)[: ON_A_PAGE + 1])
    page = {
        "rows": rows[:ON_A_PAGE],
        "more": len(rows) > ON_A_PAGE,
        "wanted": wanted,
        "group": group,
        "groups": AccountGroup.objects.filter(manager=request.company).order_by("name"),
    }
    return people_page(request, "manager/accounts/list.html", page)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def create(request: CompanyRequest) -> HttpResponse:
    """For a profile (guide 7.4.1, step 6), its page of adding follows."""
    profile = scope.profile_asked(request)
    form = AccountForm(request.POST or None, initial={"name": f"{company_prefix(request.company.company_name)}."})
    if request.method == "POST" and form.is_valid():
        made = form.act(accounts.create_account, **acting(request), manager_id=request.company.pk, **form.cleaned_data)
        if made is not None:
            name = form.cleaned_data["name"].strip()
            messages.success(request, f"The account {name} is there.")
            if profile:
                return redirect(f"{reverse('incoming_account', args=[profile.pk])}?{urlencode({'name': name})}")
            return redirect("account", made)
    return people_page(request, "manager/accounts/create.html", {"form": form, "profile": profile})


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def create_many(request: CompanyRequest) -> HttpResponse:
    """First what would be made, then, sent once more with `make`, it is made: all of it or nothing."""
    form = AddressesForm(request.POST or None)
    planned: list[Planned] | None = None
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        planned = form.act(accounts.preview_accounts, manager_id=request.company.pk, text=text)
        if planned and "make" in request.POST and not _wrong(planned):
            count = form.act(accounts.create_accounts, **acting(request), manager_id=request.company.pk, text=text)
            if count:
                messages.success(request, f"{count} account{'s are' if count > 1 else ' is'} there; each has a letter on its way.")
                return redirect("accounts")
    return people_page(request, "manager/accounts/bulk.html", {"form": form, "planned": planned, "wrong": _wrong(planned or [])})


def people_page(request: HttpRequest, template: str, page: dict[str, Any]) -> HttpResponse:
    """Any page about the company's people, with its left menu."""
    return render(request, template, {"menu": menu(request, PEOPLE), "menu_label": "People", **page})


def _rows(request: CompanyRequest, wanted: str, group: str) -> QuerySet[BusinessAccount]:
    found = accounts.accounts_of(request.company.pk, wanted).select_related("profile", "person").prefetch_related("groups")
    if group.isdecimal():
        found = found.filter(groups=int(group[:18]))
    return found.order_by("name")


def _wrong(planned: list[Planned]) -> int:
    return sum(bool(one.problem) for one in planned)
