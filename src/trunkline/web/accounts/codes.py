"""Codes of an app are taken once each (RFC 6238, 5.2)."""

from __future__ import annotations

from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.cache import cache


class TakenOnce:
    """Before a form of allauth's that takes codes. allauth remembers a used one for a single period, and takes it for as many as the clocks may
    differ: whoever has looked over a shoulder could use it after half a minute. It is remembered for as long as it would be taken."""

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc] # a form's
        authenticator: Authenticator = self.authenticator  # type: ignore[attr-defined] # found by the line before
        if authenticator.type == Authenticator.Type.TOTP and not _is_first(authenticator, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


def _is_first(authenticator: Authenticator, code: str) -> bool:
    lasts_seconds = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
    digits = "".join(filter(str.isdigit, code))
    return bool(cache.add(f"trunkline.app_code/{authenticator.pk}/{digits}", "used", timeout=lasts_seconds))
