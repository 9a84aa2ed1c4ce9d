"""Emergency numbers: a PBX's call to one is refused at once, however it is spelt, so that the PBX uses its other line.

The library knows each country's numbers but not the spellings of a PBX: `+112`, `0112`, `9112` (9 for an outside line),
`0033112`. Matching is exact after the prefixes are off, so that no longer number that only begins like one is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata

from trunkline.domain import numbers

# ITU-T E.161.1 recommends these two everywhere, beside a country's own.
EVERYWHERE = ("112", "911")
OUTSIDE_LINE = ("0", "9", "")
INTERNATIONAL = ("+", "00", "")


@lru_cache(maxsize=50_000)
def is_emergency(dialled: str, country: str) -> bool:
    text = numbers.tidy(dialled)
    if text is None:
        return False
    spelling, longest = _spellings(country)
    return len(text) <= longest and spelling.fullmatch(text) is not None


@lru_cache(maxsize=512)
def _spellings(country: str) -> tuple[re.Pattern[str], int]:
    """Everything that may stand before an emergency number, then the number; and how long all that can be."""
    own, longest = _emergency_pattern(country)
    code = str(phonenumbers.country_code_for_region(country) or "")
    before = "|".join(re.escape(prefix) for prefix in _prefixes(code))
    number = "|".join((*EVERYWHERE, *own))
    return re.compile(f"(?:{before})(?:{number})"), longest + max(map(len, _prefixes(code)))


def _emergency_pattern(country: str) -> tuple[tuple[str, ...], int]:
    metadata = PhoneMetadata.short_metadata_for_region(country)
    emergency = metadata.emergency if metadata else None
    if emergency is None or not emergency.national_number_pattern:
        return (), 3
    return (emergency.national_number_pattern,), max(3, *emergency.possible_length)


def _prefixes(code: str) -> list[str]:
    return sorted(set(_each_prefix(code)), key=len, reverse=True)


def _each_prefix(code: str) -> Iterator[str]:
    """[outside line] [+ or 00] [country code [trunk 0]], each of them or not."""
    for line in OUTSIDE_LINE:
        for international in INTERNATIONAL:
            for country_code in (code, code + "0", ""):
                yield line + international + country_code
