"""Replies that the edge itself gives."""

from __future__ import annotations

import KSR

from .text import pv

RETRY_AFTER = "Retry-After: 5\r\n"
ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, UPDATE, PRACK, INFO\r\n"


def reply(status: int, phrase: str, headers: str = "") -> None:
    """Within the transaction if there is one."""
    if headers:
        KSR.hdr.append_to_reply(headers)
    KSR.sl.send_reply(status, phrase)


def call_control_away() -> None:
    reply(503, "Service Unavailable", RETRY_AFTER)


def source_address() -> str:
    """Who sent this, as `udp:192.0.2.1:5060`."""
    return str(pv("$sas"))


def our_socket() -> str:
    """Where it came in."""
    return str(pv("$Ras"))
