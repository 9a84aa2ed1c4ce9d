"""Signing up a company, and coming in by invitation."""

from __future__ import annotations

from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.utils import complete_signup, perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from trunkline.store.models import Invitation, Person
from trunkline.usecases import invitations, people
from trunkline.web.access import Audience, open_to
from trunkline.web.accounts.adapter import adopt_email
from trunkline.web.accounts.forms import AcceptForm, CompanyForm, SignUpForm, currencies
from trunkline.web.acting import acting, now
from trunkline.web.company import company_path


@open_to(Audience.ANYONE)
def sign_up(request: HttpRequest) -> HttpResponse:
    """A company and its first administrator; then the address is proven by a code (SPEC R1.1)."""
    if request.user.is_authenticated:
        return redirect("another_company")
    if not currencies():
        return render(request, "account/signup_closed.html")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if (too_many := _too_many(request)) is not None:
            return too_many
        arguments = {"company": form.company(), "person": form.person(), "price_list_id": form.price_list_id()}
        try:
            signed_up = form.act(people.sign_up_company, **acting(request), **arguments)
        except people.EmailTaken:
            return _as_if_new(request, form.cleaned_data["email"])
        if signed_up:
            return _to_code(request, Person.objects.get(pk=signed_up.person_id))
    return render(request, "account/signup.html", {"form": form})


@open_to(Audience.SIGNED_IN)
def another_company(request: HttpRequest) -> HttpResponse:
    """One person may administer several (SPEC R1.1)."""
    form = CompanyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        arguments = {"company": form.company(), "person_id": request.user.pk, "price_list_id": form.price_list_id()}
        if made := form.act(people.open_another_company, **acting(request), **arguments):
            messages.success(request, f"{form.company().name} has a Manager now.")
            return redirect(company_path(made.manager_id))
    return render(request, "account/another_company.html", {"form": form})


@open_to(Audience.SIGNED_IN)
def no_company(request: HttpRequest) -> HttpResponse:
    return render(request, "account/no_company.html")


@open_to(Audience.ANYONE)
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Into a company: with the account that one is signed in with, or with a new one."""
    found = invitations.invitation_by_token(now(), token)
    if request.user.is_authenticated:
        return _join(request, found, token)
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if (too_many := _too_many(request)) is not None:
            return too_many
        if joined := form.act(invitations.accept_as_new_person, **acting(request), token=token, **form.cleaned_data):
            person = Person.objects.get(pk=joined.person_id)
            signed_in: HttpResponse = perform_login(request, person, redirect_url=company_path(joined.manager_id))
            return signed_in
    return render(request, "account/invitation.html", {"form": form, "invitation": found})


def _join(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    if request.method == "POST":
        manager_id = invitations.accept_invitation(**acting(request), token=token, person_id=request.user.pk or 0)
        messages.success(request, f"You are a member of {found.manager.company_name} now.")
        return redirect(company_path(manager_id))
    return render(request, "account/invitation.html", {"invitation": found})


def _to_code(request: HttpRequest, person: Person) -> HttpResponse:
    adopt_email(person, verified=False)
    answer: HttpResponse = complete_signup(request, person, settings.ACCOUNT_EMAIL_VERIFICATION, "/")
    return answer


def _as_if_new(request: HttpRequest, email: str) -> HttpResponse:
    """Whoever signs up does not learn that the address has an account. A letter tells it to whom it belongs; no code fits."""
    answer: HttpResponse = prevent_enumeration(request, email=email.lower())
    return answer


def _too_many(request: HttpRequest) -> HttpResponse | None:
    """The limit on sign-ups from one address."""
    refused: HttpResponse | None = ratelimit.consume_or_429(request, action="signup")
    return refused
