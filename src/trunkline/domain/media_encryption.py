"""TLS only, or TLS with SRTP: agreed with each PBX without anybody setting it (SPEC R10.2; guide 2).

Keys of SRTP travel in the SIP messages (SDES), so what is not connected by TLS gets none. Over TLS a PBX gets what it offers itself; before its first
call the kind of device tells; one that nobody knows is offered SRTP. A profile can force it or forbid it.
"""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.domain.directory import Binding


@dataclass(frozen=True, slots=True)
class Device:
    """A make of PBX. `agent`: how its User-Agent begins. `srtp`: whether it takes SRTP over TLS, as it comes or as “PBX setup” has it."""

    agent: str
    name: str
    srtp: bool


DEVICES = (
    Device("Asterisk PBX", "Asterisk", srtp=True),
    Device("FPBX-", "FreePBX", srtp=True),
    Device("FreeSWITCH", "FreeSWITCH", srtp=True),
    Device("3CXPhoneSystem", "3CX", srtp=True),
    Device("Cisco-SIPGateway", "Cisco IOS gateway", srtp=False),
)
"""A row that is wrong costs one refused INVITE a call: SRTP that is refused is followed by RTP. After the PBX's first own call its row is not asked
any more."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a PBX gets. `why`: for people. `falls_back`: if it refuses SRTP it gets RTP."""

    srtp: bool
    why: str
    falls_back: bool = False

    def __str__(self) -> str:
        return f"{'SRTP' if self.srtp else 'RTP'}: {self.why}"


def towards_pbx(policy: str, binding: Binding) -> Agreed:
    """For calls to a PBX. `policy`: `auto`, `force` or `forbid`."""
    if policy == "force":
        return Agreed(srtp=True, why="forced for this SIP Profile")
    if policy == "forbid":
        return Agreed(srtp=False, why="SRTP is forbidden for this SIP Profile")
    if binding.transport != "tls":
        return Agreed(srtp=False, why=f"connected by {binding.transport.upper()}, where keys could be read on the way")
    if binding.srtp_offered is not None:
        return _over_tls("and its last call offered " + ("SRTP" if binding.srtp_offered else "RTP"), srtp=binding.srtp_offered)
    device = next((each for each in DEVICES if binding.user_agent.startswith(each.agent)), None)
    if device is None:
        return _over_tls("by a device that we do not know", srtp=True)
    return _over_tls(f"by {device.name}", srtp=device.srtp)


def _over_tls(why: str, *, srtp: bool) -> Agreed:
    return Agreed(srtp, f"connected by TLS, {why}", falls_back=srtp)


def unacceptable(policy: str, *, offered: bool) -> str:
    """Of a call from a PBX: the refusal's name, or empty. Without a policy it speaks what it likes."""
    if policy == "force" and not offered:
        return "srtp_required"
    if policy == "forbid" and offered:
        return "srtp_forbidden"
    return ""
