"""Calls per second of each SIP Profile (SPEC R6.7)."""

from __future__ import annotations

MICROSECONDS = 1_000_000


class Pace:
    """A token bucket for each profile, as deep as one second's worth."""

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[int, int]] = {}

    def is_too_fast(self, profile_id: int, calls_per_second: int, now_us: int) -> bool:
        """Count an attempt; True if it is one too many. Tokens are counted in millionths, so that slow rates refill evenly."""
        full = calls_per_second * MICROSECONDS
        tokens, at_us = self._buckets.get(profile_id, (full, now_us))
        tokens = min(full, tokens + max(0, now_us - at_us) * calls_per_second)
        too_fast = tokens < MICROSECONDS
        self._buckets[profile_id] = (tokens if too_fast else tokens - MICROSECONDS, now_us)
        return too_fast
