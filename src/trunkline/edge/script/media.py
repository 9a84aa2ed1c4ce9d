"""RTPengine's part in a call: offers, answers and the end. The description that leaves names RTPengine only."""

from __future__ import annotations

import KSR

from .place import ANNOUNCEMENT
from .seals import Mark
from .text import text

# strict-source: what does not come from the learned address is dropped; RTPengine itself learns only while nothing has come yet
# (`endpoint-learning=heuristic`). Never trust-address: a PBX behind NAT does not know its address.
_ALWAYS = "replace-origin replace-session-connection replace-username replace-session-name strict-source ICE=remove rtcp-mux-demux"
# Never the suites that only look like encryption.
_SRTP = (
    "RTP/SAVP DTLS=off SDES-no-NULL_HMAC_SHA1_80 SDES-no-NULL_HMAC_SHA1_32 "
    "SDES-encrypted_srtp SDES-encrypted_srtcp SDES-authenticated_srtp SDES-pad"
)
# What is played and what comes after it are one stream: a PBX may take a second one, that begins with a lower number, for old packets.
_PLAYER = "audio-player=force"
_TOWARDS = {"p": "RTP/AVP", "s": _SRTP, "a": "DTLS=off"}
OF_ROUTE = {"rtp": "p", "srtp": "s", "same": "a"}


def media_of(verdict_media: str, offer: str) -> str:
    """The beginning of the mark's traits; the route adds its own letter. `offer`: the caller's description, empty if it comes late."""
    if verdict_media != "relay":
        return ""
    return "r" + ("s" if "RTP/SAVP" in offer else "p" if offer else "a")


def description() -> str:
    """The body if it is a session description. Fax (T.38) and DTMF are lines of it like any other."""
    body = text("$rb")
    return body if "v=0" in body and "m=" in body else ""


def offer(mark: Mark, *, to_callee: bool, is_announced: bool = False) -> bool:
    """False: RTPengine is away, or the description is not usable."""
    player = _PLAYER if is_announced else ""
    return bool(KSR.rtpengine.rtpengine_offer(f"{_ALWAYS} {_TOWARDS[mark.traits[2 if to_callee else 1]]} {player}") > 0)


def answer() -> bool:
    return bool(KSR.rtpengine.rtpengine_answer(_ALWAYS) > 0)


def announce() -> bool:
    """What the echo test says, to the caller (in a reply RTPengine would take the callee for him); until it is over he hears nobody else."""
    return bool(KSR.rtpengine.play_media(f"file={ANNOUNCEMENT} block-egress from-tag={text('$ft')}") > 0)


def end(mark: Mark) -> None:
    if mark.has_media:
        KSR.rtpengine.rtpengine_delete("delete-delay=0")


def codec() -> str:
    """The first payload of the first stream, by name if the description gives one."""
    body = description()
    stream = body.partition("m=")[2].partition("\n")[0].split()
    payload = stream[3] if len(stream) > 3 else ""
    for line in body.splitlines():
        if payload and line.startswith(f"a=rtpmap:{payload} "):
            return line.partition(" ")[2].partition("/")[0][:32]
    return {"0": "PCMU", "8": "PCMA", "9": "G722", "18": "G729"}.get(payload, "")


def withhold() -> None:
    """A description that RTPengine did not take names the other side: it must not pass."""
    KSR.textopsx.remove_body()
