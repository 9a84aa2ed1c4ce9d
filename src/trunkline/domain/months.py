"""A calendar month somewhere, and its days, in microseconds since the epoch (half-open)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Month:
    """`first`: its first day."""

    first: date
    zone: ZoneInfo

    @classmethod
    def of(cls, at_us: int, zone: ZoneInfo) -> Month:
        return cls(datetime.fromtimestamp(at_us // MICROSECONDS, tz=zone).date().replace(day=1), zone)

    @property
    def next(self) -> Month:
        return Month((self.first + timedelta(days=31)).replace(day=1), self.zone)

    @property
    def previous(self) -> Month:
        return Month((self.first - timedelta(days=1)).replace(day=1), self.zone)

    @property
    def starts_us(self) -> int:
        return self._midnight_us(self.first)

    @property
    def ends_us(self) -> int:
        return self._midnight_us(self.next.first)

    def days(self) -> list[tuple[date, int, int]]:
        """Each day with its beginning and end. One of them may have 23 or 25 hours."""
        count = (self.next.first - self.first).days
        dates = [self.first + timedelta(days=number) for number in range(count)]
        return [(day, self._midnight_us(day), self._midnight_us(day + timedelta(days=1))) for day in dates]

    def _midnight_us(self, day: date) -> int:
        return int(datetime.combine(day, time(), tzinfo=self.zone).timestamp()) * MICROSECONDS
