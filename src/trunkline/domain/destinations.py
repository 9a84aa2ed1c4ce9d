"""Destination sets: which numbers a bundle's minutes may be used for (SPEC R5.1).

A set is a country, not a calling code: Canada and the Caribbean share +1 with the United States and are not in its set. Only landlines
and mobiles are in a set. A number that its country's plan does not know is in none, since nobody can say where it leads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from trunkline.domain import excluded_prefixes, numbers
from trunkline.domain.errors import Invalid

TALK_TYPES = frozenset({"fixed", "mobile", "fixed_or_mobile"})
"""Landlines and mobiles. Where a plan does not tell them apart, a number may be either, and is left out only with both."""


@dataclass(frozen=True, slots=True)
class DestinationSet:
    """Numbers that lie in `country`, are of one of `types`, and begin with none of `excluded` (E.164 digits)."""

    country: str
    excluded: frozenset[str] = frozenset()
    types: frozenset[str] = TALK_TYPES

    def covers(self, e164: str) -> bool:
        return numbers.country_of(e164) == self.country and numbers.number_type(e164) in self.types and not self._is_excluded(e164)

    def _is_excluded(self, e164: str) -> bool:
        return any(e164[:length] in self.excluded for length in range(1, len(e164) + 1))


def destination_set(country: str, excluded_list: str = "", excluded_types: Iterable[str] = ()) -> DestinationSet:
    """The set that a bundle product names. Raises Invalid for a country or a list that there is not."""
    return _made(country, excluded_list, frozenset(excluded_types))


@lru_cache(maxsize=256)
def _made(country: str, excluded_list: str, excluded_types: frozenset[str]) -> DestinationSet:
    """One object for each set, however many profiles have it."""
    if not numbers.is_country(country):
        raise Invalid("country", f"{country!r} is not a country: use its ISO 3166 code, such as US.")
    if excluded_list and excluded_list not in excluded_prefixes.LISTS:
        known = ", ".join(excluded_prefixes.LISTS)
        raise Invalid("excluded_prefixes", f"There is no list {excluded_list!r} of excluded prefixes: there are {known}.")
    return DestinationSet(country, excluded_prefixes.e164_prefixes(excluded_list), TALK_TYPES - excluded_types)
