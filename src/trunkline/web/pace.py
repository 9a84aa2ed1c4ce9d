"""Not too often: so many at once, and so many in a second. In the memory of one web worker."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Bucket:
    """Full at first, and filled by the time that passes."""

    per_second: float
    burst: float
    _tokens: float = field(init=False)
    _at: float = field(init=False, default_factory=time.monotonic)
    _lock: Lock = field(init=False, default_factory=Lock)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self) -> bool:
        """False: it is one too many."""
        with self._lock:
            passed, self._at = time.monotonic() - self._at, time.monotonic()
            self._tokens = min(self.burst, self._tokens + passed * self.per_second)
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
