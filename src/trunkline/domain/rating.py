"""What talk time costs (SPEC R6.2, R6.3). Integer micro-units and integer microseconds throughout."""

from __future__ import annotations

from dataclasses import dataclass, replace

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A price as it was when the call was admitted. A later price list never changes a call in progress."""

    prefix: str
    destination: str
    currency: str
    rate_per_minute_micros: int
    connection_fee_micros: int
    first_increment_seconds: int
    next_increment_seconds: int

    def seconds_of(self, increments: int) -> int:
        """Talk time that `increments` increments buy."""
        if increments <= 0:
            return 0
        return self.first_increment_seconds + (increments - 1) * self.next_increment_seconds

    def cost_of(self, increments: int) -> int:
        """Cost of that many increments without the connection fee, rounded up to a micro-unit once for the whole."""
        return -(-self.rate_per_minute_micros * self.seconds_of(increments) // 60)

    def increment_micros(self, number: int) -> int:
        """Price of increment `number` (from 1), with the connection fee in the first. Sums to `cost_of` exactly."""
        step = self.cost_of(number) - self.cost_of(number - 1)
        return step + self.connection_fee_micros if number == 1 else step

    def increments_for(self, duration_us: int) -> int:
        """How many increments an answered call of `duration_us` uses: at least one, a started one counts whole."""
        beyond_us = duration_us - self.first_increment_seconds * MICROSECONDS
        if beyond_us <= 0:
            return 1
        return 1 + -(-beyond_us // (self.next_increment_seconds * MICROSECONDS))

    def seconds_for(self, micros: int) -> int | None:
        """Talk time in whole increments that an amount pays, with the connection fee; None: talking costs nothing."""
        if micros < self.connection_fee_micros:
            return 0
        if self.rate_per_minute_micros == 0:
            return None
        seconds = 60 * (micros - self.connection_fee_micros) // self.rate_per_minute_micros
        beyond = seconds - self.first_increment_seconds
        return 0 if beyond < 0 else self.seconds_of(1 + beyond // self.next_increment_seconds)

    def after_minutes(self) -> Rate:
        """What money pays once a bundle's minutes have run out in mid-call: next increments from the beginning, and no connection fee."""
        return replace(self, connection_fee_micros=0, first_increment_seconds=self.next_increment_seconds)

    @property
    def is_free(self) -> bool:
        return self.rate_per_minute_micros == self.connection_fee_micros == 0
