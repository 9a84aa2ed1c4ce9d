"""Where everything in the bench listens: loopback addresses and ports of its own, so that nothing else on the machine is in the way.

The ports are below the blocks that tests take (tests/ports.py): one may run beside, and would make the figures worse, not the run fail.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

DOMAIN = "bench.localhost"

TRUNKLINE = "127.0.24.1"
BARE = "127.0.24.2"
MINIMAL = "127.0.24.3"
STOCK = "127.0.24.6"
CALLER = "127.0.24.4"
CARRIER = "127.0.24.5"
"""A carrier needs an address of its own: whatever comes from there is the carrier's."""

SIP_PORT = 7000
CALLER_PORTS = (7010, 7012)
CARRIER_PORT = 7014
BARE_RTPENGINE_PORT = 7020
PROBE_PORT = 7030
SIPP_MEDIA_PORTS = (7900, 7998)
RTP_PORTS = (25000, 59999)
"""On the addresses above; a call needs four for three seconds. No port of SIP is among them: RTPengine would take it over without an error."""

TRUNKLINE_SETTINGS = {
    "SIP_ADDRESS": TRUNKLINE,
    "SIP_DOMAIN": DOMAIN,
    "SIP_PORT": SIP_PORT,
    "SIPS_PORT": 7001,
    "WEB_PORT": 7002,
    "RTPENGINE_PORT": 7003,
    "ECHO_PORT": 7008,
    "METRICS_PORT": 7004,
    "CAPTURE_PORT": 7006,
    "RTP_PORT_MIN": RTP_PORTS[0],
    "RTP_PORT_MAX": RTP_PORTS[1],
    "ALLOW_PRIVATE_SOURCES": "true",
}


@contextmanager
def reserved(name: str = "trunkline-bench") -> Iterator[None]:
    """Nobody else is in this place. The kernel keeps the name while this process lives. RuntimeError: another bench has it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as kept:
        try:
            kept.bind(f"\0{name}")
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise
            raise RuntimeError(
                "Another bench runs on this machine. Beside each other neither measures anything: wait for its end."
            ) from None
        yield
