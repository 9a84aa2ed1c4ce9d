"""A sign-up that waits for its code. It is kept in the session, and nothing is made before the address is proven: a second try with the same names
tells nobody whether the first one's address had an account, and names are not taken by who never comes back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.email_verification import add_email_verification_sent_message, handle_verification_email_rate_limit
from django.http import HttpRequest

from trunkline.usecases.managers import Company
from trunkline.usecases.people import NewPerson

KEY = "sign_up"


class PendingSignUp(AbstractCodeVerificationProcess):  # type: ignore[misc] # allauth has no types
    """`state` has, beside allauth's, what will be made. Of an address that has an account there is no code, so that none fits."""

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        self.request = request
        super().__init__(app_settings.EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS, app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT, state)

    @classmethod
    def begin(cls, request: HttpRequest, *, company: Company, person: NewPerson, price_list_id: int, is_free: bool) -> None:
        """`is_free`: the address has no account. If it has, a letter tells that to whom it belongs."""
        wanted = {"company": asdict(company), "person": asdict(person), "price_list_id": price_list_id, "is_free": is_free}
        pending = cls(request, cls.initial_state(None, person.email) | wanted)
        pending.send()
        pending.persist()

    @classmethod
    def resume(cls, request: HttpRequest) -> PendingSignUp | None:
        state = request.session.get(KEY)
        found: PendingSignUp | None = cls(request, state).abort_if_invalid() if state else None
        return found

    @property
    def email(self) -> str:
        return str(self.state["email"])

    @property
    def can_resend(self) -> bool:
        return not self.is_resend_quota_reached(app_settings.EMAIL_VERIFICATION_MAX_RESEND_COUNT)

    def send(self) -> None:
        handle_verification_email_rate_limit(self.request, self.email)
        adapter = get_adapter(self.request)
        if self.state["is_free"]:
            self.state["code"] = adapter.generate_email_verification_code()
            adapter.send_mail("account/email/email_confirmation_signup", self.email, {"code": self.code})
        elif not self.state["resend_count"]:
            adapter.send_account_already_exists_mail(self.email.lower())
        add_email_verification_sent_message(self.request, self.email, signup=True)

    def resend(self) -> None:
        self.record_resend()
        self.send()
        self.persist()

    def persist(self) -> None:
        self.request.session[KEY] = self.state

    def abort(self) -> None:
        self.request.session.pop(KEY, None)

    def wanted(self) -> dict[str, Any]:
        """For `people.sign_up_company`: the code has proven the address."""
        person = NewPerson(**{**self.state["person"], "email_proven": True})
        return {"company": Company(**self.state["company"]), "person": person, "price_list_id": self.state["price_list_id"]}
