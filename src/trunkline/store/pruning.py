"""Rows that nobody reads any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic_ns

from trunkline.store.models import Change

KEEP = timedelta(days=1)
READ_AFTER_NS = 600 * 10**9
"""Call control reads changes five times a second, and all there are when it starts. On a virtual clock a day may pass in between: so much
real time must have passed, too."""
BATCH = 5_000


@dataclass
class ChangesRead:
    """Removes changes that everybody has read."""

    seen: list[tuple[int, int]] = field(default_factory=list)
    """When, by a clock that is never put forward, which change was the newest; oldest first."""

    def prune(self, now: datetime) -> int:
        """Returns how many. The newest stays: who has read it and finds it gone knows that others were removed unread."""
        newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        old = Change.objects.filter(pk__lte=self._newest_of_old(newest), pk__lt=newest, at__lt=now - KEEP)
        doomed = list(old.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if doomed:
            Change.objects.filter(pk__lte=doomed[-1], at__lt=now - KEEP).delete()
        return len(doomed)

    def _newest_of_old(self, newest: int) -> int:
        moment = monotonic_ns()
        if not self.seen or newest > self.seen[-1][1]:
            self.seen.append((moment, newest))
        old = [known for known in self.seen if known[0] <= moment - READ_AFTER_NS]
        if old:
            self.seen = self.seen[len(old) - 1 :]
        return old[-1][1] if old else 0
