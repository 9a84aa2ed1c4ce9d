"""RTPengine in user space: control on loopback only, time-outs as the last line of defence for calls that nobody ended."""

from __future__ import annotations

from pathlib import Path

from trunkline.runtime.sandbox import engine_command
from trunkline.runtime.settings import Settings

SOUNDS = Path(__file__).with_name("sounds")
# What who calls the echo service hears first. G.711 at 8 kHz.
ECHO_ANNOUNCEMENT = SOUNDS / "echo.wav"
ECHO_ANNOUNCEMENT_SECONDS = 3.7
OFFER_TIMEOUT_SECONDS = 300  # an unanswered call holds its ports no longer than an INVITE may ring
MEDIA_TIMEOUT_SECONDS = 60
HELD_TIMEOUT_SECONDS = 3600  # a call on hold is silent, not dead
FINAL_TIMEOUT_SECONDS = 14_400 + 60  # a minute beyond the longest call: call control and Kamailio end it first


def rtpengine_command(settings: Settings, root: Path | None) -> list[str]:
    interface = settings.sip_address
    if settings.advertised_address != settings.sip_address:
        interface = f"{settings.sip_address}!{settings.advertised_address}"
    first_port, last_port = settings.rtpengine_ports
    argv = [
        "rtpengine", "--config-file=none",  # not the package's example
        "--foreground", "--log-stderr", "--log-level=5",
        "--tos=184",  # voice, for routers that care
        "--table=-1",  # user space: a kernel module is not ours to load
        f"--interface={interface}",
        f"--listen-ng=127.0.0.1:{settings.rtpengine_port}",
        f"--port-min={first_port}", f"--port-max={last_port}",
        "--endpoint-learning=heuristic",  # a PBX behind NAT, without letting anybody take a stream over
        f"--offer-timeout={OFFER_TIMEOUT_SECONDS}", f"--timeout={MEDIA_TIMEOUT_SECONDS}",
        f"--silent-timeout={HELD_TIMEOUT_SECONDS}", f"--final-timeout={FINAL_TIMEOUT_SECONDS}",
        "--delete-delay=1",  # not half a minute: an ended call's four ports are wanted by the next one
    ]  # fmt: skip
    return engine_command(root, argv, readable=[SOUNDS])
