"""Forms of the way in."""

from __future__ import annotations

import zoneinfo
from functools import lru_cache
from typing import Any, ClassVar

from allauth.account.forms import LoginForm
from babel import Locale
from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.http import QueryDict

from trunkline.domain import numbers
from trunkline.store.models import Person, PriceList
from trunkline.usecases.managers import Company, other_managers
from trunkline.usecases.people import NewPerson
from trunkline.web.forms import PageForm


class SignInForm(LoginForm):  # type: ignore[misc] # allauth has no types
    """By account name or e-mail address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        login, password, remember = self.fields["login"], self.fields["password"], self.fields["remember"]
        login.label = "Account or e-mail address"
        login.widget.attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        password.widget.attrs.pop("placeholder", None)
        password.help_text = ""
        remember.label = "Stay signed in on this device for two weeks"


def _password(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters. A sentence is good.",
    )


class CompanyForm(PageForm):
    """A company and where it is. `price_list_id` after validation."""

    company_name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    country = forms.ChoiceField(help_text="Of the office whose PBX is connected. Each country has a Manager of its own.")
    currency = forms.ChoiceField(help_text="Prices and Credit are in this currency. It can't be changed later.")
    time_zone = forms.ChoiceField(
        widget=forms.Select(attrs={"data-time-zone": ""}), help_text="Days and months of your reports begin at midnight there."
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", "Choose a country"), *countries()]  # type: ignore[attr-defined] # ChoiceField
        self.fields["currency"].choices = [(code, code) for code in currencies()]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in time_zones()]  # type: ignore[attr-defined]
        self.fields["time_zone"].initial = "UTC"

    def clean(self) -> dict[str, Any]:
        """Another country's Manager of the same company is warned about, once."""
        given = super().clean() or {}
        elsewhere = other_managers(given.get("company_name", ""))
        if given.get("country") in elsewhere:
            self.add_error("country", "This company has a Manager there already: ask its administrator for an invitation.")
        if elsewhere and not given.get("confirmed") and not self.errors:
            self.data = {**self.data.dict(), "confirmed": "on"} if isinstance(self.data, QueryDict) else {**self.data, "confirmed": "on"}
            names = ", ".join(dict(countries()).get(code, code) for code in elsewhere)
            self.add_error(
                None,
                f"A company called {given['company_name']} has a Manager already ({names}). If it is yours, an administrator there can invite you. "
                "If you need another one for this country, send the form again.",
            )
        return given

    def company(self) -> Company:
        given = self.cleaned_data
        return Company(given["company_name"], given["country"], given["currency"], given["time_zone"])

    def price_list_id(self) -> int:
        """The operator's first price list in that currency."""
        found = PriceList.objects.filter(currency=self.cleaned_data["currency"]).order_by("id").values_list("id", flat=True).first()
        if found is None:
            raise forms.ValidationError("There are no prices in this currency.")
        return found


class SignUpForm(CompanyForm):
    """The company, and its first administrator."""

    field_of: ClassVar[dict[str, str]] = {"admin_account": "account"}

    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    account = forms.CharField(
        label="Administrator account",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "data-account": ""}),
        help_text="The name to sign in with. Better an account of its own than somebody's personal one; empty: Company.Admin.",
    )
    password = _password("Password")
    field_order = ("company_name", "country", "currency", "time_zone", "email", "account", "password")

    def clean_password(self) -> str:
        return _checked(self.cleaned_data["password"], self.cleaned_data.get("account", ""), self.cleaned_data.get("email", ""))

    def person(self) -> NewPerson:
        """Nobody keeps the password itself while the code is on its way."""
        given = self.cleaned_data
        account = given["account"] or suggested_account(given["company_name"])
        return NewPerson(account, given["email"], password_hash=make_password(given["password"]))


class AcceptForm(PageForm):
    """An invited person who has no account yet."""

    field_of: ClassVar[dict[str, str]] = {"admin_account": "account"}

    account = forms.CharField(
        label="Account", max_length=64, widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        help_text="The name to sign in with, such as Architects.Books.",
    )  # fmt: skip
    password = _password("Password")

    def clean_password(self) -> str:
        return _checked(self.cleaned_data["password"], self.cleaned_data.get("account", ""), "")


def suggested_account(company_name: str) -> str:
    letters = "".join(character for character in company_name.title() if character.isascii() and character.isalnum()).lstrip("0123456789")
    return f"{letters[:58] or 'Company'}.Admin"


def _checked(password: str, account: str, email: str) -> str:
    password_validation.validate_password(password, Person(account=account, email=email))
    return password


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, str]]:
    named = Locale("en").territories
    known = [(code, name) for code, name in named.items() if len(code) == 2 and numbers.is_country(code)]
    return sorted(known, key=lambda pair: pair[1])


@lru_cache(maxsize=1)
def time_zones() -> list[str]:
    places = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ["UTC", *sorted(name for name in zoneinfo.available_timezones() if name.startswith(places))]


def currencies() -> list[str]:
    """Those that the operator has prices in."""
    return sorted(set(PriceList.objects.values_list("currency", flat=True)))
