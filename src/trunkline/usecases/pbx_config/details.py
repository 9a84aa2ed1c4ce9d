"""What a PBX needs to know about one SIP Profile; checked, so that nothing typed becomes a line of configuration of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TRANSPORTS = ("udp", "tcp", "tls")

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*")
_BIND = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]+")
_DIALLED = re.compile(r"[A-Za-z0-9_.*#-]+")
_NUMBER = re.compile(r"\+?[0-9]+")


@dataclass(frozen=True, kw_only=True)
class TrunkDetails:
    """One SIP Profile as its PBX needs to know it.

    profile: its name; comments and section names are made of it
    domain: SIP domain and realm; server: where to send to, if that is not the domain itself
    sip_user, password: empty for IP authentication
    extensions: number as it is sent to the PBX -> extension that it rings
    bind: address and port that the PBX listens on
    """

    profile: str
    domain: str
    port: int
    server: str = ""
    sip_user: str = ""
    password: str = ""
    transport: str = "udp"
    srtp: bool = False
    extensions: Mapping[str, str] = field(default_factory=dict)
    bind: str = "0.0.0.0:5060"

    def __post_init__(self) -> None:
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport must be one of {', '.join(TRANSPORTS)}, not {self.transport!r}")
        if not _BIND.fullmatch(self.bind):
            raise ValueError(f"not an address with a port: {self.bind!r}")
        for host in (self.domain, self.host):
            if not _HOST.fullmatch(host):
                raise ValueError(f"not a host name or address: {host!r}")
        for number, extension in self.extensions.items():
            if not _NUMBER.fullmatch(number) or not _DIALLED.fullmatch(extension):
                raise ValueError(f"not a number and its extension: {number!r}, {extension!r}")
        if any(ord(character) < 32 for character in self.sip_user + self.password):
            raise ValueError("credentials have no control characters")

    @property
    def host(self) -> str:
        return self.server or self.domain

    @property
    def registers(self) -> bool:
        return bool(self.sip_user)

    @property
    def section(self) -> str:
        """The profile's name in letters that every PBX takes as a name."""
        return "trunkline-" + (re.sub(r"[^a-z0-9]+", "-", self.profile.lower()).strip("-") or "profile")

    @property
    def title(self) -> str:
        """The profile's name on one line."""
        return re.sub(r"[\x00-\x1f\x7f]+", " ", self.profile)
