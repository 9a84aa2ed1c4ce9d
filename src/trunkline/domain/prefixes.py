"""Longest-prefix search over E.164 digits, for prices and carrier routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class PrefixTable(Generic[T]):
    """Values by prefix. A look-up costs at most as many dictionary reads as the number has digits, whatever the size of the table."""

    __slots__ = ("_longest", "_values")

    def __init__(self, items: Iterable[tuple[str, T]] = ()) -> None:
        self._values: dict[str, T] = dict(items)
        self._longest = max(map(len, self._values), default=0)

    def __len__(self) -> int:
        return len(self._values)

    def matches(self, digits: str) -> Iterator[tuple[str, T]]:
        """Every prefix of `digits` in the table with its value, longest first; the empty prefix matches all."""
        for length in range(min(len(digits), self._longest), -1, -1):
            prefix = digits[:length]
            if prefix in self._values:
                yield prefix, self._values[prefix]

    def longest(self, digits: str) -> T | None:
        """The value of the longest prefix of `digits`, or None."""
        return next((value for _, value in self.matches(digits)), None)
