"""What a SIP Profile does not call (SPEC R6.7): kinds of numbers, countries, beginnings of numbers, anything abroad.

A destination is the code of a country, `NG`, or the beginning of numbers, `+4470`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers

from trunkline.domain import numbers
from trunkline.domain.directory import ProfileFacts
from trunkline.domain.errors import Invalid

AT_FIRST = ("premium", "satellite", "international_network")
CAN_BE_BARRED = (*AT_FIRST, "shared_cost", "toll_free", "mobile", "other")
MOST_DESTINATIONS = 300

_BEGINNING = re.compile(r"\+[1-9][0-9]{0,14}")


def check_types(types: Iterable[str]) -> list[str]:
    """Each once, in order. Raises Invalid."""
    found = sorted(set(types))
    for kind in found:
        if kind not in CAN_BE_BARRED:
            raise Invalid("barred_types", f"{kind[:40]!r} is not possible: choose one of {', '.join(CAN_BE_BARRED)}.")
    return found


def check_destinations(destinations: Iterable[str]) -> list[str]:
    """Each once, in order. Raises Invalid."""
    found = sorted({_destination(each) for each in destinations})
    if len(found) > MOST_DESTINATIONS:
        raise Invalid("barred_destinations", f"At most {MOST_DESTINATIONS} destinations: a shorter beginning stands for many longer ones.")
    return found


def why_barred(e164: str, profile: ProfileFacts) -> str:
    """In words; empty: it may be called."""
    if profile.barred_types and (kind := numbers.number_type(e164)) in profile.barred_types:
        return f"{kind} numbers are switched off"
    if not profile.calls_abroad and not _is_in(profile.country, e164):
        return f"calls to other countries than {profile.country} are switched off"
    if profile.barred_destinations and (found := _barred_destination(e164, profile.barred_destinations)):
        return f"{found} is switched off"
    return ""


def _barred_destination(e164: str, barred: frozenset[str]) -> str:
    beginnings = (f"+{e164[:length]}" for length in range(1, len(e164) + 1))
    return next((each for each in (*beginnings, *sorted(_countries_reached(e164))) if each in barred), "")


@lru_cache(maxsize=50_000)
def _countries_reached(e164: str) -> frozenset[str]:
    """Where a call leads: the country of the number, or of its longest beginning, since networks don't mind digits dialled too many. Of one
    that no plan knows nobody can say: all countries of its calling code."""
    beginnings = (e164[:length] for length in range(len(e164), numbers.SHORTEST_E164 - 1, -1))
    if country := next(filter(None, map(numbers.country_of, beginnings)), None):
        return frozenset({country})
    code = phonenumbers.parse(f"+{e164}").country_code
    return frozenset(phonenumbers.region_codes_for_country_code(code or 0))


@lru_cache(maxsize=50_000)
def _is_in(country: str, e164: str) -> bool:
    """Countries that share a calling code may share numbers as well: +1 800 is American and Canadian."""
    return country in _countries_reached(e164) or phonenumbers.is_valid_number_for_region(phonenumbers.parse(f"+{e164}"), country)


def _destination(text: str) -> str:
    tidy = re.sub(r"[\s().-]", "", text).upper()
    if numbers.is_country(tidy) or _BEGINNING.fullmatch(tidy):
        return tidy
    what = f"{text.strip()[:40]!r} is neither a country nor the beginning of numbers"
    raise Invalid("barred_destinations", f"{what}: write a country's code such as NG, or + and digits such as +4470.")
