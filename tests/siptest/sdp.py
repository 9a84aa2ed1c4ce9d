"""Session descriptions: the few lines that a telephone call needs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

PAYLOADS = {"PCMU": 0, "G722": 9, "PCMA": 8, "G729": 18, "telephone-event": 101}


def describe(
    host: str,
    port: int,
    codecs: Sequence[str] = ("PCMA", "PCMU", "telephone-event"),
    *,
    profile: str = "RTP/AVP",
    direction: str = "sendrecv",
    extra: Sequence[str] = (),
    version: int = 1,
) -> bytes:
    """An offer or answer with one audio line; `extra` are further attribute lines such as `a=crypto:...`."""
    family = "IP6" if ":" in host else "IP4"
    payloads = [PAYLOADS[codec] for codec in codecs]
    lines = [
        "v=0",
        f"o=siptest {secrets.randbits(31)} {version} IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
        f"m=audio {port} {profile} {' '.join(map(str, payloads))}",
        *(f"a=rtpmap:{PAYLOADS[codec]} {codec}/8000" for codec in codecs),
        *(["a=fmtp:101 0-16"] if "telephone-event" in codecs else []),
        "a=ptime:20",
        f"a={direction}",
        *extra,
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


@dataclass(frozen=True)
class Sdp:
    """What the other side said about its first audio stream."""

    host: str
    port: int
    profile: str
    payloads: tuple[int, ...]
    direction: str
    text: str

    @classmethod
    def parse(cls, body: bytes) -> Sdp:
        text = body.decode("utf-8", "replace")
        session, _, media = text.partition("m=audio ")
        if not media:
            raise ValueError(f"no audio in {text!r}")
        media = media.partition("\nm=")[0]
        port, profile, *payloads = media.splitlines()[0].split()
        connection = re.search(r"^c=IN IP[46] (\S+)", media, re.MULTILINE) or re.search(r"^c=IN IP[46] (\S+)", session, re.MULTILINE)
        if not connection:
            raise ValueError(f"no connection line in {text!r}")
        direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", media, re.MULTILINE)
        numbers = tuple(int(payload) for payload in payloads if payload.isdigit())
        return cls(connection[1], int(port), profile, numbers, direction[1] if direction else "sendrecv", text)

    def attributes(self, name: str) -> list[str]:
        """Values of `a=name:` lines, e.g. `crypto`."""
        return re.findall(rf"^a={re.escape(name)}:(.*?)\r?$", self.text, re.MULTILINE)
