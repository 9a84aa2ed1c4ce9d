"""What allauth's forms and refusals say, in our words. The settings name the forms (`ACCOUNT_FORMS`, `MFA_FORMS`)."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.mfa.base import forms as factor
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as passkey

from trunkline.web.accounts.codes import TakenOnce

A_PASSWORD = "At least 10 characters. A sentence is good."  # noqa: S105 - advice, no secret
CODE = ("Code", "")


class OurWords:
    """Before a form of allauth's: `words` has label and help of each field that people see."""

    words: ClassVar[dict[str, tuple[str, str]]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, (label, help_text) in self.words.items():
            field = self.fields[name]  # type: ignore[attr-defined] # a form's
            field.label, field.help_text = label, help_text
            field.widget.attrs.pop("placeholder", None)


class ConfirmPassword(OurWords, account.ReauthenticateForm):  # type: ignore[misc] # allauth has no types, here and below
    words: ClassVar = {"password": ("Password", "")}


class ChangePassword(OurWords, account.ChangePasswordForm):  # type: ignore[misc]
    words: ClassVar = {
        "oldpassword": ("Password of now", ""),
        "password1": ("New password", A_PASSWORD),
        "password2": ("New password again", ""),
    }


class SetPassword(OurWords, account.SetPasswordForm):  # type: ignore[misc]
    words: ClassVar = {"password1": ("New password", A_PASSWORD), "password2": ("New password again", "")}


class NewPassword(OurWords, account.ResetPasswordKeyForm):  # type: ignore[misc]
    words: ClassVar = {"password1": ("New password", A_PASSWORD), "password2": ("New password again", "")}


class ForgottenPassword(OurWords, account.ResetPasswordForm):  # type: ignore[misc]
    words: ClassVar = {"email": ("E-mail address", "")}


class NewAddress(OurWords, account.AddEmailForm):  # type: ignore[misc]
    words: ClassVar = {"email": ("New address", "")}


class CodeForAddress(OurWords, account.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    words: ClassVar = {"code": CODE}


class CodeForPassword(OurWords, account.ConfirmPasswordResetCodeForm):  # type: ignore[misc]
    words: ClassVar = {"code": CODE}


class CodeAtSignIn(OurWords, TakenOnce, factor.AuthenticateForm):  # type: ignore[misc]
    words: ClassVar = {"code": ("Code of the app, or a recovery code", "")}


class ConfirmCode(OurWords, TakenOnce, factor.ReauthenticateForm):  # type: ignore[misc]
    words: ClassVar = {"code": ("Code of the app, or a recovery code", "")}


class SetUpApp(OurWords, ActivateTOTPForm):  # type: ignore[misc]
    words: ClassVar = {"code": ("The six digits of now", "")}


class AddPasskey(OurWords, passkey.AddWebAuthnForm):  # type: ignore[misc]
    words: ClassVar = {
        "name": ("Name", "To tell it from others: Laptop, Key in the safe."),
        "passwordless": (
            "It opens the door alone",
            "No password is asked for then. The passkey must ask for a fingerprint, a face or a PIN itself.",
        ),
    }


class RenamePasskey(OurWords, passkey.EditWebAuthnForm):  # type: ignore[misc]
    words: ClassVar = {"name": ("Name", "")}


REFUSALS = {
    "account_inactive": "This account can't sign in.",
    "cannot_remove_primary_email": "An account needs an address: give another one first.",
    "duplicate_email": "This is the address of your account already.",
    "email_password_mismatch": "Address and password don't fit together.",
    "email_taken": "This address belongs to another account.",
    "enter_current_password": "This is not the password of now.",
    "incorrect_code": "This code is wrong, used, or too old. Take the newest one.",
    "incorrect_password": "This is not your password.",
    "invalid_login": "Account and password don't fit together.",
    "invalid_password_reset": "This way to a new password is closed: ask for another code.",
    "max_email_addresses": "An account has at most %d addresses.",
    "rate_limited": "Too many tries: wait five minutes.",
    "same_as_current": "This is what it is already.",
    "too_many_login_attempts": "Too many wrong tries: wait five minutes, then try again.",
    "unknown_email": "No account has this address.",
    "unverified_primary_email": "Prove first that the address is yours.",
    "username_blacklisted": "This name is not possible: choose another one.",
    "username_password_mismatch": "Account and password don't fit together.",
    "username_taken": "This name is taken: choose another one.",
}
FACTOR_REFUSALS = {
    "add_email_blocked": "An account with a second factor keeps its addresses: remove the factor first.",
    "cannot_delete_authenticator": "The second factor of this account can't be removed.",
    "cannot_generate_recovery_codes": "Recovery codes come with a second factor: set one up first.",
    "incorrect_code": REFUSALS["incorrect_code"],
    "unverified_email": "Prove first that your address is yours: then set up a second factor.",
}
