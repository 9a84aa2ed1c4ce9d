"""Finding the highest clean rate: up after a clean trial, down after one that was not, in smaller steps after every turn.

A noisy machine fails a trial now and then that should have been clean. One bisection would believe that for ever; a staircase climbs back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

FIRST_STEP = 0.5
SMALLEST_STEP = 0.04


@dataclass
class Staircase:
    """`rate` is what to try next."""

    rate: int
    step: float = FIRST_STEP
    tried: list[tuple[int, bool]] = field(default_factory=list)

    def note(self, *, clean: bool) -> None:
        if self.tried and self.tried[-1][1] is not clean:
            self.step = max(self.step / 2, SMALLEST_STEP)
        self.tried.append((self.rate, clean))
        factor = 1 + self.step
        self.rate = max(1, round(self.rate * factor if clean else self.rate / factor))

    @property
    def highest(self) -> int:
        """Median of the clean rates at which the staircase turned; of the first, long steps only if there was nothing else."""
        turns = [
            rate if clean else next_rate
            for (rate, clean), (next_rate, next_clean) in zip(self.tried, self.tried[1:], strict=False)
            if clean is not next_clean
        ]
        late = turns[1:] or turns
        return round(median(late)) if late else max((rate for rate, clean in self.tried if clean), default=0)
