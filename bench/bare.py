"""Bare Kamailio, and bare Kamailio with an RTPengine of its own: the yardsticks."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bench.load import User
from bench.place import BARE, BARE_RTPENGINE_PORT, CARRIER, CARRIER_PORT, DOMAIN, MINIMAL, PROBE_PORT, RTP_PORTS, SIP_PORT, STOCK
from bench.processes import family
from trunkline.domain.credentials import ha1
from trunkline.edge.config import KAMAILIO_OPTIONS, udp_workers
from trunkline.runtime.engine_root import ensure_root
from trunkline.runtime.engines.rtpengine import rtpengine_command
from trunkline.runtime.sandbox import engine_command
from trunkline.runtime.settings import Settings

CONFIGURATION = Path(__file__).parent / "engines" / "bare.cfg"
MEMORY = ("-m", "1024")
"""More than the edge's own: at the yardsticks' rates `tm` keeps more transactions, and a yardstick must not fail for lack of memory."""
STOCK_WORKERS = 8
"""Kamailio's own default."""
USERS = 500
MEDIA_FLAGS = (
    "replace-origin replace-session-connection replace-username replace-session-name strict-source ICE=remove rtcp-mux-demux RTP/AVP"
)
READY_SECONDS = 30.0
PATIENCE_SECONDS = 0.2
HELLO = (
    f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{PROBE_PORT};branch=z9hG4bKbench\r\nFrom: <sip:bench@{DOMAIN}>;tag=1\r\n"
    f"To: <sip:{DOMAIN}>\r\nCall-ID: bench\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 10\r\nContent-Length: 0\r\n\r\n"
).encode()


@dataclass(frozen=True)
class Bare:
    """A running one. `groups`: its processes by name."""

    address: str
    users: Sequence[User]
    groups: dict[str, set[int]]


@contextmanager
def bare_system(scratch: Path, *parts: str) -> Iterator[Bare]:
    """`parts`: what the configuration is to do beyond the minimum (see there); `STOCK`: with Kamailio's defaults for memory and processes."""
    address = STOCK if "STOCK" in parts else BARE if "HIDING" in parts else MINIMAL
    users = [User(f"{10_000_000_000_000 + number}", f"password{number}", f"4420794600{number % 100:02d}") for number in range(USERS)]
    directory = scratch / address
    directory.mkdir()
    with ExitStack() as started:
        groups = {}
        if "MEDIA" in parts:  # first: Kamailio gives up on one that is not there
            groups["rtpengine"] = started.enter_context(_rtpengine(directory, address))
        groups["kamailio"] = started.enter_context(_kamailio(directory, address, users, parts))
        yield Bare(address, users, groups)


@contextmanager
def _kamailio(directory: Path, address: str, users: Sequence[User], parts: Sequence[str]) -> Iterator[set[int]]:
    configuration = directory / "kamailio.cfg"
    options, workers = ((), STOCK_WORKERS) if "STOCK" in parts else (KAMAILIO_OPTIONS, udp_workers(Settings(home=directory)))
    configuration.write_text(_filled_in(address, users, workers))
    defined = [argument for part in parts for argument in ("-A", f"WITH_{part}")]
    argv = ["kamailio", "-DD", "-E", *options, *MEMORY, "-Y", "/run", "-f", str(configuration), *defined]
    with _running(argv, directory) as process:
        _until_answered(process, (address, SIP_PORT), HELLO)
        yield family(process.pid)


def _filled_in(address: str, users: Sequence[User], workers: int) -> str:
    values = {
        "address": address,
        "port": SIP_PORT,
        "domain": DOMAIN,
        "workers": workers,
        "carrier": f"{CARRIER}:{CARRIER_PORT}",
        "rtpengine_port": _rtpengine_port(address),
        "media_flags": MEDIA_FLAGS,
        "passwords": "\n".join(f'    $sht(ha1=>{user.name}) = "{ha1(user.name, DOMAIN, user.password)}";' for user in users),
    }
    return _AtTemplate(CONFIGURATION.read_text()).substitute(values)


class _AtTemplate(Template):
    delimiter = "@"  # `$` is Kamailio's own


def _rtpengine_port(address: str) -> int:
    return BARE_RTPENGINE_PORT + (BARE, MINIMAL, STOCK).index(address)


@contextmanager
def _rtpengine(directory: Path, address: str) -> Iterator[set[int]]:
    """As Trunkline runs its own."""
    first_port, last_port = RTP_PORTS
    port = _rtpengine_port(address)
    settings = Settings(home=directory, sip_address=address, rtpengine_port=port, rtp_port_min=first_port, rtp_port_max=last_port)
    with _running(rtpengine_command(settings, None), directory) as process:
        _until_answered(process, ("127.0.0.1", port), b"bench d7:command4:pinge")
        yield family(process.pid)


@contextmanager
def _running(argv: Sequence[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = engine_command(ensure_root("engine"), argv, writable=[directory], die_with_parent=True)
    with (directory / f"{argv[0]}.log").open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()  # the head of its process namespace: all of it goes, and nothing here is to be kept
        process.wait()


def _until_answered(process: subprocess.Popen[bytes], place: tuple[str, int], hello: bytes) -> None:
    deadline = time.monotonic() + READY_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", PROBE_PORT))
        probe.settimeout(PATIENCE_SECONDS)
        while process.poll() is None and time.monotonic() < deadline:
            probe.sendto(hello, place)
            try:
                probe.recv(4096)
            except (TimeoutError, ConnectionRefusedError):
                continue
            return
    raise RuntimeError(f"{process.args!r} does not answer")
