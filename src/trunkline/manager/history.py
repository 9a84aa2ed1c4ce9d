"""What was changed in a company: who, when, from where, before and after (SPEC R1.2)."""

from __future__ import annotations

import re

from django import forms
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from trunkline.store.models import AuditEntry, Manager, Membership, Profile
from trunkline.web.access import Audience, open_to
from trunkline.web.actions import KINDS
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import PageForm
from trunkline.web.listing import newest_first

MOST_PEOPLE = 500
_PROFILE = re.compile(r"profile (\d{1,18})")


class SearchForm(PageForm):
    kind = forms.ChoiceField(
        choices=[("", "Everything"), *((name, text) for name, (text, _) in KINDS.items())], required=False, label="What"
    )
    actor = forms.CharField(
        max_length=80, required=False, label="Who", widget=forms.TextInput(attrs={"autocomplete": "off", "list": "people"})
    )


@open_to(Audience.LOOK)
@require_safe
def history(request: CompanyRequest) -> HttpResponse:
    """Newest first. What can't be searched for is not narrowed by."""
    form = SearchForm(request.GET)
    form.is_valid()
    wanted = _narrowed(form.cleaned_data.get("kind", ""), form.cleaned_data.get("actor", ""))
    listed = newest_first(request, AuditEntry.objects.filter(wanted, manager=request.company))
    people = Membership.objects.filter(manager=request.company).order_by("person__account").values_list("person__account", flat=True)
    page = {
        "form": form,
        "listed": listed,
        "entries": _named(request.company, listed.rows),
        "people": people[:MOST_PEOPLE],
        "is_narrowed": bool(wanted),
    }
    return render(request, "manager/history.html", page)


def _narrowed(kind: str, actor: str) -> Q:
    wanted = Q(actor__iexact=actor) if actor else Q()
    if kind:
        words = [Q(action__startswith=f"{word}.") for word in KINDS[kind][1]]
        wanted &= Q(*words, _connector=Q.OR)
    return wanted


def _named(company: Manager, entries: list[AuditEntry]) -> list[tuple[AuditEntry, str]]:
    """Each with what it is about. Where the log has a SIP Profile's id, people read the name that it has now."""
    ids = [int(found[1]) for entry in entries if (found := _PROFILE.fullmatch(entry.target))]
    names = {f"profile {pk}": name for pk, name in Profile.objects.filter(manager=company, pk__in=ids).values_list("pk", "name")}
    return [(entry, names.get(entry.target, entry.target)) for entry in entries]


urlpatterns = [path("history", history, name="history")]
