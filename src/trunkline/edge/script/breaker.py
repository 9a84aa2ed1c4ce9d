"""A circuit breaker in shared memory: while call control does not answer, new calls are refused at once instead of waiting for it.

Open after the first refused connection; after the first time-out if call control has been silent for as long, else after some of them: one lost
answer must not stop all calls. When the pause is over one call at a time is let through to try; the first answer closes it.
"""

from __future__ import annotations

import time

import KSR

from .place import ASK_TIMEOUT_MS

PAUSE_DECISECONDS = 10
GONE_DECISECONDS = 2
"""Where nobody listens, trying costs no time: it is being started again."""
SILENCE_DECISECONDS = ASK_TIMEOUT_MS // 100 - 2
"""Less than the time-out: Kamailio's timers tick sixteen times a second, and may fire a tick early."""
TIME_OUTS_MAX = 5  # within three seconds of each other
_VARIABLE, _ANSWERED = "asking_off_until", "answered_at"
_TABLE, _PROBE, _TIME_OUTS = "breaker", "probe", "timeouts"

shv_get = KSR.pvx.shv_get
_zero = time.monotonic()  # before the fork: the same in all workers


def _now() -> int:
    """Deciseconds, never 0: shared variables hold 32 bits."""
    return int((time.monotonic() - _zero) * 10) + 1


def lets_through() -> bool:
    off_until: int = shv_get(_VARIABLE) or 0
    if not off_until:
        return True
    if _now() < off_until:
        return False
    # the entry expires by itself, should the one who probes die
    return bool(KSR.htable.sht_inc(_TABLE, _PROBE) == 1)


def note_time_out() -> None:
    """A question was not answered in time."""
    is_silent = _now() - (shv_get(_ANSWERED) or 0) >= SILENCE_DECISECONDS
    if is_silent or shv_get(_VARIABLE) or KSR.htable.sht_inc(_TABLE, _TIME_OUTS) >= TIME_OUTS_MAX:
        trip()


def trip(pause_deciseconds: int = PAUSE_DECISECONDS) -> None:
    """Call control is not to be asked for a while."""
    KSR.pvx.shv_seti(_VARIABLE, _now() + pause_deciseconds)
    KSR.htable.sht_rm(_TABLE, _PROBE)


def close() -> None:
    """Call control answered."""
    KSR.pvx.shv_seti(_ANSWERED, _now())
    if shv_get(_VARIABLE):
        KSR.pvx.shv_seti(_VARIABLE, 0)
        KSR.htable.sht_rm(_TABLE, _PROBE)
