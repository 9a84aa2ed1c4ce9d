"""How a profile's PBX proves who it is: credentials, a new password, IP authentication (SPEC R2.3, R2.4; guide 7.9, 7.10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.store.models import Profile
from trunkline.usecases import credentials
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, engines_now
from trunkline.web.company import CompanyRequest
from trunkline.web.confirmation import CONFIRMED_SECONDS, confirm_identity, confirmed_within
from trunkline.web.forms import PageForm

OVERLAPS = ((0, "It stops at once"), (1, "1 hour"), (4, "4 hours"), (8, "8 hours"), (24, "24 hours"))


@open_to(Audience.LOOK)
@require_safe
def details(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.9: everything but the password, which is shown after a confirmation."""
    return page_of(
        request, scope.profile_of(request, profile_id), "manager/authentication.html", {"tab": "registration", **_facts(request)}
    )


@open_to(Audience.ADMINISTER)
@confirm_identity
@never_cache
def reveal(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """With the password. That somebody looked is in the log."""
    profile = scope.profile_of(request, profile_id)
    seen = credentials.reveal_password(**acting(request), profile_id=profile.pk)
    return page_of(request, profile, "manager/authentication.html", {"tab": "registration", "password": seen.password, **_facts(request)})


class NewPasswordForm(PageForm):
    keep_hours = forms.TypedChoiceField(
        label="How long may the PBX go on with the old password?", choices=OVERLAPS, coerce=int, widget=forms.RadioSelect, initial=24
    )


@open_to(Audience.ADMINISTER)
@confirm_identity
@never_cache
def new_password(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 7.10: first what it means, then the new one. A registered PBX is not disconnected."""
    profile = scope.profile_of(request, profile_id)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        overlap = timedelta(hours=form.cleaned_data["keep_hours"])
        arguments = {"profile_id": profile.pk, "sip_domain": scope.instance().sip_domain, "keep_old_for": overlap}
        if made := form.act(credentials.rotate_password, **acting(request), **arguments):
            page = {"tab": "registration", "password": made.password, "is_new": True, **_facts(request)}
            return page_of(request, scope.profile_of(request, profile_id), "manager/authentication.html", page)
    presence = scope.presence(profile, engines_now())
    return page_of(request, profile, "manager/new_password.html", {"form": form, "presence": presence})


class AddressForm(PageForm):
    address = forms.CharField(
        label="Public IP address of the PBX",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"}),
        help_text="IPv4 or IPv6, not a name. It must not change, and no other customer may share it on the same port.",
    )
    port = forms.IntegerField(label="UDP port", min_value=1, max_value=65535, initial=5060, help_text="5060 for most PBXs.")


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def ip_authentication(request: CompanyRequest, profile_id: int) -> HttpResponse:
    """Guide 6, step 9: for a PBX that does not register."""
    profile = scope.profile_of(request, profile_id)
    form = AddressForm(request.POST or None, initial=_address_of(profile))
    if request.method == "POST" and form.is_valid():
        arguments = {**form.cleaned_data, "allow_private": scope.instance().allow_private_sources}
        form.act(credentials.set_ip_authentication, **acting(request), profile_id=profile.pk, **arguments)
        if not form.errors:
            messages.success(request, "Calls from this address are this profile's now, and calls to it are sent there.")
            return redirect("profile_ip", profile_id)
    return page_of(request, profile, "manager/ip_authentication.html", {"tab": "address", "form": form, **_facts(request)})


@open_to(Audience.ADMINISTER)
@require_POST
def remove_address(request: CompanyRequest, profile_id: int) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    credentials.remove_ip_authentication(**acting(request), profile_id=profile.pk)
    messages.success(request, "The PBX registers with its password from now on.")
    return redirect("profile_authentication", profile_id)


def _address_of(profile: Profile) -> dict[str, Any]:
    return {"address": profile.ip_auth_address, "port": profile.ip_auth_port} if profile.ip_auth_address else {}


def _facts(request: CompanyRequest) -> dict[str, Any]:
    return {"instance": scope.instance(), "confirmed": confirmed_within(request, CONFIRMED_SECONDS), "at": engines_now()}


urlpatterns = [
    path("trunks/<int:profile_id>/authentication", details, name="profile_authentication"),
    path("trunks/<int:profile_id>/authentication/password", reveal, name="profile_password"),
    path("trunks/<int:profile_id>/authentication/password/new", new_password, name="profile_password_new"),
    path("trunks/<int:profile_id>/authentication/address", ip_authentication, name="profile_ip"),
    path("trunks/<int:profile_id>/authentication/address/remove", remove_address, name="profile_ip_remove"),
]
