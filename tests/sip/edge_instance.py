"""A real Kamailio with the edge's script, a scripted call control, and, if wanted, a real RTPengine."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.ports import PortBlock
from tests.sip.fake_callcontrol import FakeCallControl, Json, allowed, route
from tests.siptest import Call, UserAgent
from trunkline.edge.config import KAMAILIO_OPTIONS, write_kamailio_config
from trunkline.edge.rpc import CARRIERS_FILE, KamailioRpc
from trunkline.runtime.engine_root import ensure_root
from trunkline.runtime.engines.rtpengine import rtpengine_command
from trunkline.runtime.sandbox import engine_command
from trunkline.runtime.settings import make_directories

EDGE = Path(__file__).resolve().parents[2] / "src" / "trunkline" / "edge"
START_SECONDS = 15.0


class EdgeInstance:
    """`kill` and `start` are for tests of crashes; `with` starts and stops everything."""

    def __init__(self, *, media: bool = False, udp_workers: int = 2, sip_address: str = "127.0.0.1") -> None:
        self.home = Path(tempfile.mkdtemp(prefix="tle-"))
        self._ports = PortBlock()
        self.settings = self._ports.settings(self.home, udp_workers=udp_workers, invite_workers=1, sip_address=sip_address)
        make_directories(self.settings)
        self.has_media = media
        self.log = self.home / "kamailio.log"
        self.rpc = KamailioRpc(self.settings.kamailio_rpc_socket, self.settings.engines_dir / "kamailio" / CARRIERS_FILE)
        self.callcontrol = FakeCallControl(self.settings.callcontrol_socket, self.settings.spool_dir, self.domain)
        self._root = ensure_root("engine")
        self._ready_at = 0
        self._forgiven: set[str] = set() if media else {"rtpengine"}
        self._kamailio: subprocess.Popen[bytes] | None = None
        self._rtpengine: subprocess.Popen[bytes] | None = None

    @property
    def domain(self) -> str:
        return self.settings.sip_domain

    @property
    def server(self) -> tuple[str, int]:
        return self.settings.sip_address, self.settings.sip_port

    @property
    def tls_server(self) -> tuple[str, int]:
        return self.settings.sip_address, self.settings.sips_port

    def __enter__(self) -> Self:
        try:
            self.callcontrol.__enter__()
            if self.has_media:
                self.start_rtpengine()
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill(signal.SIGTERM)
        if self._rtpengine:
            self.kill_rtpengine()
        self.callcontrol.kill()
        self._ports.close()
        if not os.environ.get("TRUNKLINE_KEEP"):
            shutil.rmtree(self.home)

    def start(self) -> None:
        """Returns when OPTIONS is answered."""
        directory = self.settings.engines_dir / "kamailio"
        config = write_kamailio_config(self.settings, directory)
        argv = ["kamailio", "-DD", "-E", *KAMAILIO_OPTIONS, "-Y", str(self.settings.run_dir), "-f", str(config)]
        writable = [self.settings.run_dir, self.settings.spool_dir, directory]
        command = engine_command(self._root, argv, writable=writable, readable=[EDGE], die_with_parent=True)
        with self.log.open("ab") as log:
            self._kamailio = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._wait_until_it_answers()
        self._ready_at = self.log.stat().st_size

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        family = socket.AF_INET6 if ":" in self.settings.sip_address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(self.server)
            probe.settimeout(0.1)
            while time.monotonic() < deadline:
                try:
                    probe.send(_options(self.domain))
                    probe.recv(4096)
                except OSError:
                    time.sleep(0.02)
                else:
                    return
        raise AssertionError(f"Kamailio does not answer:\n{self.log.read_text()[-4000:]}")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """All of Kamailio, at once."""
        if self._kamailio:
            os.killpg(self._kamailio.pid, how)
            self._kamailio.wait(10)
            self._kamailio = None

    def start_rtpengine(self) -> None:
        command = rtpengine_command(self.settings, self._root)
        with (self.home / "rtpengine.log").open("ab") as log:
            self._rtpengine = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._wait_for_rtpengine()

    def _wait_for_rtpengine(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("127.0.0.1", self.settings.rtpengine_port))
            probe.settimeout(0.1)
            while time.monotonic() < deadline:
                try:
                    probe.send(b"1 d7:command4:pinge")
                    probe.recv(4096)
                except OSError:
                    time.sleep(0.02)
                else:
                    return
        raise AssertionError("RTPengine does not answer")

    def kill_rtpengine(self) -> None:
        assert self._rtpengine
        os.killpg(self._rtpengine.pid, signal.SIGKILL)
        self._rtpengine.wait(10)
        self._rtpengine = None

    def is_answering(self, transport: str) -> bool:
        """OPTIONS from a socket of its own."""
        kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.settimeout(3)
            probe.connect(self.server)
            probe.send(_options(self.domain).replace(b"SIP/2.0/UDP", f"SIP/2.0/{transport.upper()}".encode()))
            return probe.recv(4096).startswith(b"SIP/2.0 200")

    def media_call_ids(self) -> set[str]:
        """What RTPengine has sessions for."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.connect(("127.0.0.1", self.settings.rtpengine_port))
            channel.settimeout(2)
            channel.send(
                secrets.token_hex(8).encode() + b" d7:command4:list5:limiti100ee"
            )  # RTPengine repeats its answer to a known cookie
            rest = channel.recv(65536).decode().partition("5:callsl")[2]
        found = set()
        while rest and rest[0].isdigit():  # bencode: length, colon, text
            length, _, rest = rest.partition(":")
            found.add(rest[: int(length)])
            rest = rest[int(length) :]
        return found

    def probe(self, carriers: list[tuple[int, str]]) -> None:
        """Kamailio watches these carriers from now on."""
        self.rpc.set_carriers(carriers)

    def processes(self) -> list[int]:
        """Every process of this Kamailio."""
        assert self._kamailio
        return _tree(self._kamailio.pid)

    def complaints(self) -> list[str]:
        """What Kamailio logged as an error since it is ready."""
        lines = self.log.read_bytes()[self._ready_at :].decode("utf-8", "replace").splitlines()
        bad = (line for line in lines if " ERROR:" in line or " CRITICAL:" in line or "Traceback" in line)
        return [line for line in bad if not any(text in line for text in self._forgiven)]

    def forgive(self, *texts: str) -> None:
        """What a test has provoked."""
        self._forgiven.update(texts)


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(below for child in children for below in _tree(int(child)))]


def _options(domain: str) -> bytes:
    ident = secrets.token_hex(8)
    lines = [
        f"OPTIONS sip:{domain} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{ident}",
        f"From: <sip:probe@{domain}>;tag={ident}",
        f"To: <sip:{domain}>",
        f"Call-ID: {ident}",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# Who takes part

USER, PASSWORD, PROFILE = "12345678901234", "correct horse", 7
CARRIER_ADDRESS, CARRIER_ID = "127.0.0.2", 3


def pbx(edge: EdgeInstance, **details: Any) -> UserAgent:
    """Architects' PBX, with credentials."""
    plain = {"server": edge.server, "domain": edge.domain, "user": USER, "password": PASSWORD, "name": "pbx"}
    return UserAgent(**(plain | details))


def carrier(edge: EdgeInstance, **details: Any) -> UserAgent:
    """A carrier, known by its address."""
    plain = {"server": edge.server, "domain": edge.domain, "user": "gateway", "host": CARRIER_ADDRESS, "name": "carrier"}
    return UserAgent(**(plain | details))


def introduce(edge: EdgeInstance) -> None:
    """Call control knows both."""
    edge.callcontrol.add_user(USER, PROFILE, PASSWORD)
    edge.callcontrol.sources[CARRIER_ADDRESS] = ("carrier", CARRIER_ID)


@dataclass
class Connected:
    """A call that is up, from both ends."""

    caller: Call
    callee: Call
    verdict: Json


async def connect(
    edge: EdgeInstance, caller: UserAgent, callee: UserAgent, to: str = "33123456789", body: bytes | None = None, **verdict: Any
) -> Connected:
    """`caller` calls, `callee` rings and answers; both with `body` if there is one."""
    told = allowed(route(f"sip:+{to}@{callee.wire.local}")) | verdict
    edge.callcontrol.admit = lambda question: told
    call = await caller.invite(to, body=body)
    ringing = caller.spawn(call.expect(180))
    incoming = await callee.incoming()
    await incoming.ring()
    await ringing
    answering = callee.spawn(incoming.answer(body=body))
    await call.answered()
    await answering
    return Connected(call, incoming, told)
