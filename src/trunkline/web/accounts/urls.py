"""allauth's views under our paths, and ours; each says who may use it, as every route does."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkey
from django.urls import path

from trunkline.web.access import Audience, open_to
from trunkline.web.accounts import sessions, views

ANYONE, SIGNED_IN = open_to(Audience.ANYONE), open_to(Audience.SIGNED_IN)

urlpatterns = [
    path("sign-in", ANYONE(account.login), name="account_login"),
    path("sign-in/second-factor", ANYONE(factor.authenticate), name="mfa_authenticate"),
    path("sign-in/passkey", ANYONE(passkey.login_webauthn), name="mfa_login_webauthn"),
    path("sign-out", ANYONE(account.logout), name="account_logout"),
    path("sign-up", views.sign_up, name="account_signup"),
    path("sign-up/another-company", views.another_company, name="another_company"),
    path("no-company", views.no_company, name="no_company"),
    path("invitation/<str:token>", views.invitation, name="invitation"),
    path("inactive", ANYONE(account.account_inactive), name="account_inactive"),
    path("confirm-email", views.confirm_email, name="account_email_verification_sent"),
    path("password/reset", ANYONE(account.password_reset), name="account_reset_password"),
    path("password/reset/confirm", ANYONE(account.confirm_password_reset_code), name="account_confirm_password_reset_code"),
    path("password/reset/complete", ANYONE(account.complete_password_reset), name="account_complete_password_reset"),
    path("password/reset/done", ANYONE(account.password_reset_from_key_done), name="account_password_reset_completed"),
    path("confirm-identity", SIGNED_IN(account.reauthenticate), name="account_reauthenticate"),
    path("confirm-identity/second-factor", SIGNED_IN(factor.reauthenticate), name="mfa_reauthenticate"),
    path("confirm-identity/passkey", SIGNED_IN(passkey.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("account/email", SIGNED_IN(account.email), name="account_email"),
    path("account/password", SIGNED_IN(account.password_change), name="account_change_password"),
    path("account/password/set", SIGNED_IN(account.password_set), name="account_set_password"),
    path("account/sessions", sessions.sessions, name="usersessions_list"),
    path("account/sessions/<int:session_id>/end", sessions.end, name="usersession_end"),
    path("account/second-factor", SIGNED_IN(factor.index), name="mfa_index"),
    path("account/second-factor/app", SIGNED_IN(totp.activate_totp), name="mfa_activate_totp"),
    path("account/second-factor/app/remove", SIGNED_IN(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/second-factor/codes", SIGNED_IN(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("account/second-factor/codes/new", SIGNED_IN(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("account/second-factor/codes/file", SIGNED_IN(codes.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("account/second-factor/passkeys", SIGNED_IN(passkey.list_webauthn), name="mfa_list_webauthn"),
    path("account/second-factor/passkeys/add", SIGNED_IN(passkey.add_webauthn), name="mfa_add_webauthn"),
    path("account/second-factor/passkeys/<int:pk>/remove", SIGNED_IN(passkey.remove_webauthn), name="mfa_remove_webauthn"),
    path("account/second-factor/passkeys/<int:pk>/edit", SIGNED_IN(passkey.edit_webauthn), name="mfa_edit_webauthn"),
]
