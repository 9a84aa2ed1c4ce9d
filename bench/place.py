"""Where everything in the bench listens: loopback addresses of its own, so that nothing else on the machine is in the way."""

from __future__ import annotations

DOMAIN = "bench.localhost"

TRUNKLINE = "127.0.24.1"
BARE = "127.0.24.2"
MINIMAL = "127.0.24.3"
STOCK = "127.0.24.6"
CALLER = "127.0.24.4"
CARRIER = "127.0.24.5"
"""A carrier needs an address of its own: whatever comes from there is the carrier's."""

SIP_PORT = 24000
CALLER_PORTS = (24010, 24012)
CARRIER_PORT = 24014
BARE_RTPENGINE_PORT = 24020
SIPP_MEDIA_PORTS = (24900, 24998)
RTP_PORTS = (25000, 59999)
"""On the addresses above; a call needs four for three seconds. No port of SIP is among them: RTPengine would take it over without an error."""

TRUNKLINE_SETTINGS = {
    "SIP_ADDRESS": TRUNKLINE,
    "SIP_DOMAIN": DOMAIN,
    "SIP_PORT": SIP_PORT,
    "SIPS_PORT": 24001,
    "WEB_PORT": 24002,
    "RTPENGINE_PORT": 24003,
    "ECHO_PORT": 24008,
    "METRICS_PORT": 24004,
    "CAPTURE_PORT": 24006,
    "RTP_PORT_MIN": RTP_PORTS[0],
    "RTP_PORT_MAX": RTP_PORTS[1],
    "ALLOW_PRIVATE_SOURCES": "true",
}
