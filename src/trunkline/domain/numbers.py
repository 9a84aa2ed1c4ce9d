"""Telephone numbers: what a PBX dials, as E.164 digits without `+`, and what kind of number that is.

A PBX may send E.164 with or without `+`, an international prefix (00 or the country's own), or the national form of its
Manager's country. Digits without any prefix can be read in two ways; `_readings` says which one wins.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber, PhoneNumberFormat

MAX_DIALLED_LENGTH = 40
SHORTEST_E164, LONGEST_E164 = 7, 15
LONGEST_TRUNK_PREFIX = 2
NOTHING = r"(?!)"
NANP = 1

_SEPARATORS = str.maketrans("", "", " -.()/\u00a0")
_DIALLED = re.compile(r"\+?[0-9]{1,32}")
_E164 = re.compile(r"[1-9][0-9]{6,14}")
_LETTER = re.compile(r"[^\W\d_]")

# Number types by the library's name for their patterns; an earlier one wins. All others are "other".
_SPECIAL_TYPES = {"premium_rate": "premium", "toll_free": "toll_free", "shared_cost": "shared_cost"}
_OTHER_TYPES = ("voip", "personal_number", "pager", "uan", "voicemail")
# Country codes of no country (ITU-T E.164 Annex): the library knows them as mobile, VoIP or not at all.
_NETWORK_TYPES = {
    "800": "toll_free",
    "808": "shared_cost",
    "870": "satellite",
    "878": "international_network",
    "881": "satellite",
    "88213": "satellite",
    "88216": "satellite",
    "882": "international_network",
    "883": "international_network",
    "888": "international_network",
    "979": "premium",
}


def tidy(dialled: str) -> str | None:
    """Digits with at most one leading `+`: separators and `;parameters` (RFC 3966) are dropped. None: not digits."""
    if len(dialled) > MAX_DIALLED_LENGTH:
        return None
    text = dialled.partition(";")[0].translate(_SEPARATORS)
    return text if _DIALLED.fullmatch(text) else None


def is_name(dialled: str) -> bool:
    """A business account's name rather than a number: it has a letter."""
    return bool(_LETTER.search(dialled.partition(";")[0]))


@lru_cache(maxsize=50_000)
def to_e164(dialled: str, country: str) -> str | None:
    """E.164 digits of what a PBX in `country` dialled, None when it can't be a number."""
    text = tidy(dialled)
    if text is None:
        return None
    if text.startswith("+"):
        return _international(text[1:])
    if text.startswith("00"):
        return _international(text[2:])
    return _first_likely(_readings(text, country))


@lru_cache(maxsize=50_000)
def number_type(e164: str) -> str:
    """One of fixed, mobile, fixed_or_mobile, toll_free, premium, shared_cost, satellite, international_network, other.

    A number that is none of these is what its longest beginning is: digits dialled too many don't hide a premium number.
    """
    if network := _NETWORK_TYPES.get(e164[:5]) or _NETWORK_TYPES.get(e164[:3]):
        return network
    code = _country_code(e164)
    if code is None:
        return "other"
    national = e164[len(str(code)) :]
    beginnings = (national[:length] for length in range(len(national), 3, -1))
    return next(filter(None, (_type_in(code, beginning) for beginning in beginnings)), "other")


def to_national(e164: str, country: str) -> str:
    """The digits that a telephone in `country` would dial for this number."""
    number = _number(e164)
    if number is None:
        return e164
    if number.country_code == phonenumbers.country_code_for_region(country):
        return re.sub(r"\D", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    return _international_prefix(country) + e164


@lru_cache(maxsize=50_000)
def country_of(e164: str) -> str | None:
    """ISO 3166-1 alpha-2 country of a number; None for numbers of no country."""
    number = _number(e164)
    region = number and phonenumbers.region_code_for_number(number)
    return region if region and region != "001" else None


def is_country(country: str) -> bool:
    return country in phonenumbers.SUPPORTED_REGIONS


def is_e164(digits: str) -> bool:
    """Whether these are the digits of a possible international number, without `+`."""
    return _E164.fullmatch(digits) is not None and _international(digits) == digits


def is_in_use(e164: str) -> bool:
    """Whether the numbering plan has such numbers. A new range may be in use before the library knows."""
    number = _number(e164)
    return number is not None and _in_use(number)


def _readings(text: str, country: str) -> list[PhoneNumber | None]:
    """Ways to read digits without `+` or 00, likeliest first.

    Where people dial without a trunk prefix (North America, Spain, Denmark, ...) a national number is meant when it is one;
    where there is a trunk prefix, only what begins with it.
    """
    plan = PhoneMetadata.metadata_for_region(country)
    if plan is None:
        return [_number(text)]
    if beyond := _beyond_international_prefix(text, plan):
        return [_number(beyond), _national(text, plan)]
    trunk_prefix = plan.national_prefix
    dialled_nationally = plan.country_code == NANP or trunk_prefix is None or text.startswith(trunk_prefix)
    readings = [_national(text, plan), _number(text)]
    return readings if dialled_nationally else readings[::-1]


def _first_likely(readings: list[PhoneNumber | None]) -> str | None:
    """The first reading that is a number in use; else the first of all (plans grow before the library knows)."""
    possible = [number for number in readings if number]
    if not possible:
        return None
    if all(number == possible[0] for number in possible):
        return _digits(possible[0])
    return _digits(next(filter(_in_use, possible), possible[0]))


def _in_use(number: PhoneNumber) -> bool:
    return _type_in(number.country_code or 0, phonenumbers.national_significant_number(number)) is not None


def _international(digits: str) -> str | None:
    if not SHORTEST_E164 <= len(digits) <= LONGEST_E164 + LONGEST_TRUNK_PREFIX:
        return None
    number = _number(digits)
    return _digits(number) if number else None


def _number(digits: str) -> PhoneNumber | None:
    """E.164 digits as a number: at once when all is usual, else (a zero or a trunk prefix after the country code) by a full parse."""
    code = _country_code(digits)
    if code is None:
        return None
    national = digits[len(str(code)) :]
    if len(national) in _national_lengths(code) and not national.startswith("0"):
        return PhoneNumber(code, int(national))
    number = _parsed("+" + digits, None)
    misread = number and number.italian_leading_zero and _plans(code)[0].national_prefix == "0"
    return None if misread else number


def _national(text: str, plan: PhoneMetadata) -> PhoneNumber | None:
    """Digits as dialled inside a country; parsed in full only where the rules are more than "take the trunk prefix off"."""
    code, trunk_prefix = plan.country_code or 0, plan.national_prefix or ""
    lengths = _national_lengths(code)
    if trunk_prefix == (plan.national_prefix_for_parsing or ""):
        bare = text.removeprefix(trunk_prefix)
        if len(bare) not in lengths:
            return None
        if bare[0] not in (trunk_prefix, "0"):
            return PhoneNumber(code, int(bare))
    number = _parsed(text, plan.id)
    return number if number and number.country_code == code else None


def _parsed(text: str, country: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _digits(number: PhoneNumber) -> str | None:
    digits = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    return digits if _E164.fullmatch(digits) else None


def _country_code(digits: str) -> int | None:
    if not digits or digits[0] == "0":
        return None
    codes = (int(digits[:length]) for length in (1, 2, 3))
    return next((code for code in codes if code in COUNTRY_CODE_TO_REGION_CODE), None)


@lru_cache(maxsize=512)
def _national_lengths(code: int) -> frozenset[int]:
    return frozenset(_plans(code)[0].general_desc.possible_length)


def _type_in(code: int, national: str) -> str | None:
    """The type of a national number in the plan of a country code; None if it is no number there."""
    special, fixed_line, mobile = _type_patterns(code)
    for kind, pattern in special:
        if pattern.fullmatch(national):
            return kind
    if fixed_line.fullmatch(national):
        return "fixed_or_mobile" if mobile.fullmatch(national) else "fixed"
    return "mobile" if mobile.fullmatch(national) else None


@lru_cache(maxsize=512)
def _type_patterns(code: int) -> tuple[list[tuple[str, re.Pattern[str]]], re.Pattern[str], re.Pattern[str]]:
    """One pattern for each type over all countries of the code: the library tries them country by country, which takes 0.1 ms for +1."""
    special = [(kind, _pattern(code, name)) for name, kind in _SPECIAL_TYPES.items()]
    special += [("other", _pattern(code, name)) for name in _OTHER_TYPES]
    return special, _pattern(code, "fixed_line"), _pattern(code, "mobile")


def _pattern(code: int, name: str) -> re.Pattern[str]:
    found = [getattr(plan, name) for plan in _plans(code)]
    patterns = {desc.national_number_pattern for desc in found if desc and desc.national_number_pattern}
    return re.compile("|".join(sorted(patterns)) or NOTHING)


def _plans(code: int) -> list[Any]:
    """The numbering plans (`PhoneMetadata`, of which the library leaves every part optional) of a code, its main country's first."""
    regions = COUNTRY_CODE_TO_REGION_CODE[code]
    if regions == ("001",):
        return [PhoneMetadata.metadata_for_nongeo_region(code)]
    return [PhoneMetadata.metadata_for_region(region) for region in regions]


def _beyond_international_prefix(text: str, metadata: PhoneMetadata) -> str | None:
    found = re.match(metadata.international_prefix or "00", text)
    return text[found.end() :] if found and found.end() else None


def _international_prefix(country: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(country)
    prefix = metadata and (metadata.preferred_international_prefix or metadata.international_prefix)
    return prefix if prefix and prefix.isdigit() else "00"
