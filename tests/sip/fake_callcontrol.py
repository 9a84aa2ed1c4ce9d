"""Call control as the edge sees it, scripted by a test: answers questions on the datagram socket, reads the journals."""

from __future__ import annotations

import contextlib
import hashlib
import json
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

Json = dict[str, Any]
WAIT_SECONDS = 5.0


def ha1(user: str, realm: str, password: str) -> str:
    return hashlib.md5(f"{user}:{realm}:{password}".encode()).hexdigest()


def route(uri: str, **changes: Any) -> Json:
    """A route as a verdict has it."""
    plain = {"uri": uri, "dst": "", "from": "", "to": "", "pai": "", "privacy": 0, "auth": None, "carrier": 0, "srtp": "rtp", "announce": 0}
    return plain | changes


def allowed(*routes: Json, call: str = "", **changes: Any) -> Json:
    """A verdict; each has a call reference of its own."""
    plain = {"go": 1, "call": call or str(time.time_ns()), "expires_s": 30, "max_s": 3600, "media": "direct", "routes": list(routes)}
    return plain | changes


def refused(status: int, phrase: str, headers: str = "") -> Json:
    return {"go": 0, "call": str(time.time_ns()), "status": status, "phrase": phrase, "headers": headers}


class FakeCallControl:
    """`admit` is the test's: question in, verdict out. Everything asked is kept in `questions`."""

    def __init__(self, socket_path: Path, spool: Path, domain: str) -> None:
        self.socket_path, self.spool, self.domain = socket_path, spool, domain
        self.users: dict[str, tuple[int, list[str], int]] = {}
        self.sources: dict[str, tuple[str, int]] = {}
        self.bindings: dict[int, tuple[str, int]] = {}
        self.admit: Callable[[Json], Json] = lambda question: refused(403, "Forbidden")
        self.mute: Callable[[Json], bool] = lambda question: False
        self.questions: list[Json] = []
        self.delay_seconds = 0.0
        self._read: dict[str, int] = {}
        self._frozen = threading.Event()
        self._stopping = False

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *raised: object) -> None:
        self.kill()

    def _open(self) -> None:
        self.socket_path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.socket_path))
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Gone; the socket's file stays, as after a crash."""
        self._stopping = True
        self._thread.join(WAIT_SECONDS)
        self._socket.close()

    def restart(self) -> None:
        self._open()

    def freeze(self) -> None:
        """Alive, but it does nothing, like a stopped process: questions pile up in the kernel."""
        self._frozen.set()
        time.sleep(0.02)  # the one that is being answered may be answered

    def thaw(self) -> None:
        self._frozen.clear()

    # Users

    def add_user(self, user: str, profile: int, *passwords: str, old_until_us: int = 0) -> None:
        self.users[user] = (profile, [ha1(user, self.domain, password) for password in passwords], old_until_us)

    # Questions

    def _serve(self) -> None:
        while not self._stopping:
            if self._frozen.is_set():
                time.sleep(0.01)
                continue
            if select.select([self._socket], [], [], 0.01)[0] and not self._frozen.is_set():
                data, address = self._socket.recvfrom(65536)
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                question = json.loads(data)
                self.questions.append(question)
                if self.mute(question):
                    continue
                answer = {"n": question["n"], **self._answer(question)}
                with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                    self._socket.sendto(json.dumps(answer).encode(), address)

    def _answer(self, question: Json) -> Json:
        match question["q"]:
            case "who":
                if question["user"] not in self.users:
                    return {"ok": 0}
                profile, ha1s, until = self.users[question["user"]]
                return {"ok": 1, "profile": profile, "ha1": ha1s, "old_until": until}
            case "src":
                ip, port = question["ip"], question["port"]
                kind, ident = self.sources.get(f"{ip}:{port}") or self.sources.get(ip) or ("none", 0)
                return {"kind": kind, "id": ident}
            case "binding":
                contact, until = self.bindings.get(question["profile"], (None, 0))
                return {"contact": contact, "expires_at": until}
            case _:
                return self.admit(question)

    def asked(self, kind: str) -> list[Json]:
        return [question for question in self.questions if question["q"] == kind]

    # Journals

    def events(self, kind: str = "", **fields: Any) -> list[Json]:
        """All that was reported so far, in the order of time."""
        lines = [json.loads(line) for path in self.spool.glob("*.jsonl") for line in path.read_bytes().split(b"\n")[:-1]]
        found = [line for line in lines if not kind or line["e"] == kind]
        return sorted((line for line in found if fields.items() <= line.items()), key=lambda line: line["at"])

    def wait_for(self, kind: str, within: float = WAIT_SECONDS, **fields: Any) -> Json:
        """The latest such event, as soon as there is one."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if found := self.events(kind, **fields):
                return found[-1]
            time.sleep(0.01)
        raise AssertionError(f"no {kind} {fields} within {within:g} s; reported: {self.events()}")
