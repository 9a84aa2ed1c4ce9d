"""Tokens with which programs act for the company: made, shown once, revoked."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.views.decorators.cache import never_cache

from trunkline.manager.accounts.lists import people_page
from trunkline.manager.members import ROLES
from trunkline.store.models import ApiToken, Role
from trunkline.usecases import api_tokens
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting, now
from trunkline.web.company import CompanyRequest
from trunkline.web.confirmation import confirm_identity
from trunkline.web.forms import PageForm

LASTING = ((90, "90 days"), (365, "A year"), (0, "Until it is revoked"))


class TokenForm(PageForm):
    name = forms.CharField(max_length=80, label="What is it for?", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=ROLES, initial=Role.READ_ONLY)
    days = forms.TypedChoiceField(choices=LASTING, coerce=lambda text: int(text) or None, empty_value=None, initial=365, label="Good for")
    call_details = forms.BooleanField(
        required=False,
        label="It may see call details",
        help_text="Who called whom, and when, is personal data: give it only to a program that needs it, and tell your people.",
    )


@open_to(Audience.ADMINISTER)
@confirm_identity
@never_cache
def tokens(request: CompanyRequest) -> HttpResponse:
    """The list; sending the form makes one, which is shown on the answer and never again."""
    form, made = TokenForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        made = form.act(api_tokens.create_token, **acting(request), manager_id=request.company.pk, **form.cleaned_data)
    page = {
        "form": TokenForm() if made else form,
        "made": made,
        "tokens": ApiToken.objects.filter(manager=request.company, revoked_at=None).order_by("-pk")[:200],
        "now": now(),
    }
    return people_page(request, "manager/api_tokens/tokens.html", page)


@open_to(Audience.ADMINISTER)
@confirm_identity
def revoke(request: CompanyRequest, token_id: int) -> HttpResponse:
    """What happens first, then the button."""
    found = get_object_or_404(ApiToken, manager=request.company, pk=token_id, revoked_at=None)
    form = PageForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        form.act(api_tokens.revoke_token, **acting(request), manager_id=request.company.pk, token_id=token_id)
        if not form.errors:
            messages.success(request, f"{found.name} is refused from now on.")
            return redirect("api_tokens")
    return people_page(request, "manager/api_tokens/revoke.html", {"token": found, "form": form})


urlpatterns = [
    path("members/api-tokens", tokens, name="api_tokens"),
    path("members/api-tokens/<int:token_id>/revoke", revoke, name="api_token_revoke"),
]
