"""What a SIP Profile calls, how dear and how fast (SPEC R6.7)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from phonenumbers import SUPPORTED_REGIONS

from trunkline.domain.barring import CAN_BE_BARRED, check_destinations
from trunkline.domain.errors import Invalid
from trunkline.manager import scope
from trunkline.manager.profile import page_of
from trunkline.store.models import Manager, Profile
from trunkline.usecases.barring import set_barring
from trunkline.web.access import Audience, open_to
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import AmountField, PageForm
from trunkline.web.templatetags.components import country

KINDS = {
    "mobile": "Mobile telephones",
    "toll_free": "Toll-free numbers",
    "shared_cost": "Shared-cost numbers",
    "premium": "Premium numbers: whoever is called earns from the call",
    "satellite": "Satellite telephones",
    "international_network": "International networks: +882, +883 and such, of no country",
    "other": "Others: pagers, personal numbers, and what no numbering plan knows",
}


class DestinationsField(forms.CharField):
    """One a line: a country by its name or its code, or the beginning of numbers. Its value: codes, and + with digits."""

    def to_python(self, value: Any) -> Any:
        lines = (line.strip() for line in (value or "").splitlines())
        try:
            return check_destinations(_codes().get(line.casefold(), line) for line in lines if line)
        except Invalid as problem:
            raise forms.ValidationError(str(problem)) from problem

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(each if each.startswith("+") else country(each) for each in value) if isinstance(value, list) else value


class BarringForm(PageForm):
    field_of: ClassVar = {
        "barred_types": "kinds",
        "max_rate_per_minute": "max_rate_per_minute_micros",
        "calls_per_second": "own_calls_per_second",
    }

    kinds = forms.MultipleChoiceField(
        label="Kinds of numbers that may be called",
        choices=list(KINDS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Landlines can always be called, and mobiles where a country's numbers don't tell the two apart, as in North America.",
    )
    calls_abroad = forms.BooleanField(label="Calls to other countries", required=False)
    barred_destinations = DestinationsField(
        label="Destinations that are switched off",
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text="One a line: a country, such as Cuba, or the beginning of numbers, such as +4470.",
    )
    max_rate_per_minute_micros = AmountField(label="Highest price per minute", required=False)
    own_calls_per_second = forms.IntegerField(label="Calls per second", required=False, min_value=1)

    def __init__(self, *args: object, profile: Profile, company: Manager, **kwargs: object) -> None:
        super().__init__(*args, initial=_now(profile), **kwargs)
        self.fields["calls_abroad"].help_text = f"Without them only numbers of your own country, {country(company.country)}, are called."
        self.fields[
            "max_rate_per_minute_micros"
        ].help_text = f"In {company.currency}. Dearer calls are refused. Leave it empty for no limit."
        self.fields[
            "own_calls_per_second"
        ].help_text = f"The operator allows {profile.calls_per_second}. Leave it empty for that, or choose fewer."


@open_to(Audience.LOOK, changes=Audience.ADMINISTER)
def barring(request: CompanyRequest, profile_id: int) -> HttpResponse:
    profile = scope.profile_of(request, profile_id)
    form = BarringForm(request.POST if request.method == "POST" else None, profile=profile, company=request.company)
    if request.method == "POST" and form.is_valid():
        wanted = dict(form.cleaned_data)
        kinds = wanted.pop("kinds")
        wanted["barred_types"] = [kind for kind in CAN_BE_BARRED if kind not in kinds]
        form.act(set_barring, **acting(request), profile_id=profile.pk, **wanted)
        if not form.errors:
            messages.success(request, f"Saved. It holds for the next call of {profile.name}; calls in progress go on.")
            return redirect("barring", profile_id)
    return page_of(request, profile, "manager/barring/barring.html", {"form": form, "tab": "barring"})


def _now(profile: Profile) -> dict[str, Any]:
    return {
        "kinds": [kind for kind in KINDS if kind not in profile.barred_types],
        "calls_abroad": profile.calls_abroad,
        "barred_destinations": profile.barred_destinations,
        "max_rate_per_minute_micros": profile.max_rate_per_minute_micros,
        "own_calls_per_second": profile.own_calls_per_second,
    }


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    return {country(code).casefold(): code for code in SUPPORTED_REGIONS}


urlpatterns = [path("trunks/<int:profile_id>/barring", barring, name="barring")]
