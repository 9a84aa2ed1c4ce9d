"""Signing up a company, and coming in by invitation."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from trunkline.domain.errors import Problem
from trunkline.store.models import Invitation, Person
from trunkline.usecases import invitations, people
from trunkline.web.access import Audience, open_to
from trunkline.web.accounts.forms import AcceptForm, CompanyForm, SignUpForm, currencies
from trunkline.web.accounts.pending import PendingSignUp
from trunkline.web.accounts.words import REFUSALS, CodeForAddress
from trunkline.web.acting import acting, now
from trunkline.web.company import company_path


@open_to(Audience.ANYONE)
def sign_up(request: HttpRequest) -> HttpResponse:
    """A company and its first administrator (SPEC R1.1): both are made when a code has proven the address. Whoever signs up does not learn whether
    it has an account: a letter tells that to whom it belongs."""
    if request.user.is_authenticated:
        return redirect("another_company")
    if not currencies():
        return render(request, "account/signup_closed.html")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if (too_many := _too_many(request)) is not None:
            return too_many
        wanted: dict[str, Any] = {"company": form.company(), "person": form.person(), "price_list_id": form.price_list_id()}
        is_free = form.act(people.rehearse_sign_up, **acting(request), **wanted)
        if is_free is not None:
            PendingSignUp.begin(request, **wanted, is_free=is_free)
            return redirect("account_email_verification_sent")
    return render(request, "account/signup.html", {"form": form})


@open_to(Audience.ANYONE)
def confirm_email(request: HttpRequest) -> HttpResponseBase:
    """The code of a sign-up makes the company; any other is allauth's."""
    pending = None if request.user.is_authenticated else PendingSignUp.resume(request)
    if pending is None:
        answer: HttpResponseBase = account.email_verification_sent(request)
        return answer
    if request.POST.get("action") == "resend" and pending.can_resend:
        pending.resend()
        return redirect("account_email_verification_sent")
    form = CodeForAddress(request.POST or None, code=pending.code, email=pending.email)
    if form.is_valid():
        return _signed_up(request, pending)
    if form.is_bound and not pending.record_invalid_attempt():
        messages.error(request, REFUSALS["too_many_login_attempts"])
        return redirect("account_login")
    page = {"verify_form": form, "email": pending.email, "can_resend": pending.can_resend}
    return render(request, "account/confirm_email_verification_code.html", page)


def _signed_up(request: HttpRequest, pending: PendingSignUp) -> HttpResponse:
    """Unless somebody was faster: with the names, or with the address, which is this person's own."""
    pending.abort()
    try:
        made = people.sign_up_company(**acting(request), **pending.wanted())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("account_signup")
    signed_in: HttpResponse = perform_login(request, Person.objects.get(pk=made.person_id), redirect_url="/")
    return signed_in


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


def _too_many(request: HttpRequest) -> HttpResponse | None:
    """The limit on sign-ups from one address."""
    refused: HttpResponse | None = ratelimit.consume_or_429(request, action="signup")
    return refused
