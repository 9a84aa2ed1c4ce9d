"""Q.850 causes of calls that were not connected, by SIP status (RFC 3398 8.2.6.1): what a telephone network would have said."""

from __future__ import annotations

NORMAL_CLEARING = 16
INTERWORKING = 127

_BY_STATUS = {
    400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 415: 79, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28,
    485: 1, 486: 17, 487: NORMAL_CLEARING, 488: 31, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 600: 17, 603: 21, 604: 1, 606: 31,
}  # fmt: skip


def cause_of(status: int) -> int | None:
    """None when nothing was reported."""
    if status < 400:
        return NORMAL_CLEARING if status else None
    return _BY_STATUS.get(status, INTERWORKING)
