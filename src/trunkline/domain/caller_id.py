"""Which number the called side is shown when the PBX presents none of its own (SPEC R8.1)."""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.domain import numbers
from trunkline.domain.directory import ProfileFacts
from trunkline.domain.errors import Invalid

LANDLINE_TYPES = ("fixed", "fixed_or_mobile")


@dataclass(frozen=True, slots=True)
class CallerId:
    """What the called side is shown: E.164 digits, or empty for anonymous."""

    digits: str
    why: str


def set_caller_id(profile: ProfileFacts, called: str) -> CallerId:
    """The number that is set for the called country, else the profile's, else none. Looks for the country only if some are set."""
    if profile.caller_id_by_country:
        country = numbers.country_of(called)
        if country and (digits := profile.caller_id_by_country.get(country)):
            return CallerId(digits, f"+{digits}, set on the profile for calls to {country}")
    if profile.caller_id:
        return CallerId(profile.caller_id, f"+{profile.caller_id}, set on the profile")
    return CallerId("", "anonymous: no Caller ID is set")


def read_landline(text: str, country: str) -> str:
    """E.164 digits of a fixed line, written nationally or internationally."""
    digits = numbers.to_e164(text.strip(), country)
    if digits is None or not numbers.is_e164(digits):
        raise Invalid("number", f"{text[:30]!r} is not a number: write it like +12025550100, or as you dial it in your country.")
    if numbers.number_type(digits) not in LANDLINE_TYPES:
        raise Invalid("number", f"+{digits} is not a landline: enter the number of a fixed line that your company has.")
    return digits
