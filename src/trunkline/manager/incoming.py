"""Incoming calls of a profile: the numbers and business accounts on it (guide 7.4, 7.5.1)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.store.models import BusinessAccount, Number, Profile
from trunkline.usecases import account_places, accounts, number_places
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.templatetags.components import phone


class NumberForm(PageForm):
    """The numbers of the Manager that are on no profile, and of no member."""

    number_id = forms.TypedChoiceField(label="Online Number", coerce=int)

    def __init__(self, *args: object, free: list[tuple[int, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number_id"].choices = [(ident, phone(e164)) for ident, e164 in free]  # type: ignore[attr-defined] # a choice field


class ExtensionForm(PageForm):
    extension = forms.CharField(
        label="Extension",
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Calls reach your PBX at this number. Without one they carry the account's name.",
    )


class AccountForm(ExtensionForm):
    name = forms.CharField(label="Business account", max_length=64)
    confirmed = forms.BooleanField(label="Add it all the same", required=False)
    field_order = ("name", "extension")


@open_to(Audience.LOOK)
@require_safe
def incoming(request: CompanyRequest, profile_id: int) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    page = {"numbers": list(profile.numbers.order_by("e164")), "accounts": accounts_on(profile)}
    return page_of(request, profile, "manager/incoming/incoming.html", page)


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def add_number(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.5.1: one that the company has, or the way to the shop."""
    profile = scope.profile_of(request, profile_id)
    known = Number.objects.filter(manager=request.company, profile=None, account=None).order_by("e164")
    free = list(known.values_list("pk", "e164"))
    form = NumberForm(request.POST or None, free=free)
    if request.method == "POST" and form.is_valid():
        where = {"manager_id": request.company.pk, "profile_id": profile.pk}
        form.act(number_places.put_on_profile, **acting(request), **where, **form.cleaned_data)
        if not form.errors:
            messages.success(
                request, f"{phone(dict(free)[form.cleaned_data['number_id']])} is on {profile.name}: calls to it reach this PBX."
            )
            return redirect("profile", profile_id)
    return page_of(request, profile, "manager/incoming/add_number.html", {"form": form, "free": free})


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def add_account(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.4.1: the list follows the typing; an administrator's own account is asked about once more."""
    profile = scope.profile_of(request, profile_id)
    form = AccountForm(request.POST or None, initial={"name": request.GET.get("name", "")[:64]})
    warning = ""
    if request.method == "POST" and form.is_valid():
        try:
            added = form.act(_add, **acting(request), profile_id=profile.pk, **form.cleaned_data)
        except _Asked as asked:
            added, warning = None, str(asked)
        if added is not None:
            messages.success(request, f"Calls to {form.cleaned_data['name'].strip()} reach the PBX of {profile.name} now.")
            return redirect("profile", profile_id)
    typed = form["name"].value() or ""
    found = accounts.find_accounts(manager_id=request.company.pk, text=str(typed))
    return page_of(request, profile, "manager/incoming/add_account.html", {"form": form, "warning": warning, "found": found})


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def profile_account(request: CompanyRequest, profile_id: int, account_id: int) -> HttpResponse:
    """Guide 7.4.2: another extension, or none."""
    profile = scope.profile_of(request, profile_id)
    found = _account_on(profile, account_id)
    form = ExtensionForm(request.POST if request.method == "POST" else None, initial={"extension": found.extension})
    if request.method == "POST" and form.is_valid():
        extension = "" if "clear" in request.POST else form.cleaned_data["extension"]
        form.act(account_places.set_extension, **acting(request), profile_id=profile.pk, account_id=found.pk, extension=extension)
        if not form.errors:
            told = f"are forwarded to extension {extension.strip()}" if extension.strip() else "carry its name"
            messages.success(request, f"Calls to {found.name} {told}.")
            return redirect("profile", profile_id)
    return page_of(request, profile, "manager/incoming/account.html", {"form": form, "found": found})


@open_to(Audience.ADMINISTER)
@require_POST
def remove_account(request: CompanyRequest, profile_id: int, account_id: int) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    found = _account_on(profile, account_id)
    name = account_places.remove_account(**acting(request), profile_id=profile.pk, account_id=found.pk)
    told = "and can be used to sign in again" if found.sign_in_stopped else "and takes no calls now"
    messages.success(request, f"{name} is off {profile.name}, {told}.")
    return redirect("profile", profile_id)


def accounts_on(profile: Profile) -> list[BusinessAccount]:
    """With the numbers that each of them has: calls to these come along."""
    return list(profile.business_accounts.prefetch_related("numbers").order_by("name"))


class _Asked(Exception):  # noqa: N818 - a question, not an error
    """The warning of `NotConfirmedError`, past the form: it is no error of what was typed."""


def _add(**about: object) -> int:
    try:
        return account_places.add_account(**about)  # type: ignore[arg-type] # handed through
    except account_places.NotConfirmedError as asked:
        raise _Asked(str(asked)) from asked


def _account_on(profile: Profile, account_id: int) -> BusinessAccount:
    return get_object_or_404(BusinessAccount, profile=profile, pk=account_id)


urlpatterns = [
    path("trunks/<int:profile_id>/incoming", incoming, name="incoming"),
    path("trunks/<int:profile_id>/incoming/number", add_number, name="incoming_number"),
    path("trunks/<int:profile_id>/incoming/account", add_account, name="incoming_account"),
    path("trunks/<int:profile_id>/accounts/<int:account_id>", profile_account, name="profile_account"),
    path("trunks/<int:profile_id>/accounts/<int:account_id>/remove", remove_account, name="profile_account_remove"),
]
