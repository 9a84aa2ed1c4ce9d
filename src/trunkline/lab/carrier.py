"""The lab's carrier: an Asterisk that reaches "the telephone network", where the end of a number says what its owner does."""

from __future__ import annotations

from pathlib import Path

from trunkline.lab.talker import Talker

# The last four digits of a number -> dialplan. Everybody else answers at once. All lie in 0100-0199, which numbering plans keep for
# fiction.
BEHAVIOURS = {
    "0104": "Hangup(1)",  # 404 unknown number
    "0103": "Hangup(34)",  # 503
    "0108": "Wait(60)",  # says nothing after 100
    "0180": "Ringing() & Wait(120)",  # nobody at home
    "0182": "Ringing() & Wait(2) & Goto(lab-answer,${EXTEN},1)",
    "0183": "Progress() & Playtones(425/400,0/200) & Wait(2) & Goto(lab-answer,${EXTEN},1)",  # early media
    "0186": "Busy(0)",  # 486
    "0187": "Answer() & Wait(2) & Hangup(16)",  # hangs up after two seconds
}


def carrier(
    directory: Path,
    root: Path | None,
    *,
    address: str,
    port: int,
    platform: tuple[str, int],
    rtp_ports: tuple[int, int],
    credentials: tuple[str, str] | None = None,
) -> Talker:
    """`platform`: address and SIP port of the service; `credentials`: what the service must prove to us, if anything."""
    files = {
        "pjsip.conf": _trunk(address, port, platform, credentials),
        "extensions.conf": _dialplan(),
    }
    return Talker(directory, files, root, rtp_ports)


def _trunk(address: str, port: int, platform: tuple[str, int], credentials: tuple[str, str] | None) -> str:
    host, sip_port = platform
    proof = "auth=platform" if credentials else ""
    sections = f"""
[transport]
type=transport
protocol=udp
bind={address}:{port}

[platform]
type=aor
contact=sip:{host}:{sip_port}

[platform]
type=endpoint
transport=transport
context=from-platform
aors=platform
disallow=all
allow=alaw,ulaw
direct_media=no
media_address={address}
bind_rtp_to_media_address=yes
rtp_symmetric=yes
send_pai=yes
trust_id_inbound=yes
from_domain={address}
t38_udptl=yes
{proof}

[platform]
type=identify
endpoint=platform
match={host}
"""
    if credentials:
        user, password = credentials
        sections += f"\n[platform]\ntype=auth\nauth_type=userpass\nusername={user}\npassword={password}\n"
    return sections


def _dialplan() -> str:
    lines = [
        "[from-platform]",
        "exten => _[+0-9].,1,GotoIf($[${DIALPLAN_EXISTS(behaviour-${EXTEN:-4},${EXTEN},1)}]?behaviour-${EXTEN:-4},${EXTEN},1)",
    ]
    lines += [" same => n,Goto(lab-answer,${EXTEN},1)", ""]
    for ending, steps in BEHAVIOURS.items():
        first, *others = steps.split(" & ")
        lines += [
            f"[behaviour-{ending}]",
            f"exten => _[+0-9].,1,{first}",
            *(f" same => n,{step}" for step in others),
            " same => n,Hangup()",
            "",
        ]
    return "\n".join([*lines, "[internal]", "exten => _[+0-9].,1,Dial(PJSIP/${EXTEN}@platform,120)", ""])
