"""The messages of docs/reference/edge-protocol.md as types.

Decoding refuses what does not fit; nothing that comes from SIP is trusted beyond its type.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Field = Annotated[str, Meta(max_length=512)]
Micros = Annotated[int, Meta(ge=0, le=1 << 62)]
LARGEST_MESSAGE = 16 * 1024


class Message(msgspec.Struct):
    """Base of all messages; unknown fields are ignored, so that an edge may be newer than its call control."""


class Who(Message, tag_field="q", tag="who"):
    """Which profile has this SIP user, and which HA1s are valid?"""

    n: int
    user: Field


class Source(Message, tag_field="q", tag="src"):
    """Who sends from this address?"""

    n: int
    ip: Field
    port: int
    proto: Field = "udp"


class BindingOf(Message, tag_field="q", tag="binding"):
    """Where is this profile's PBX registered?"""

    n: int
    profile: int


class Admit(Message, tag_field="q", tag="admit"):
    """May this INVITE go on?"""

    n: int
    key: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    from_kind: Field
    from_id: int
    ruri: Field
    at: Micros
    to_user: Field = ""
    from_user: Field = ""
    pai: Field = ""
    anonymous: int = 0
    src: Field = ""
    call_id: Field = ""
    user_agent: Field = ""
    srtp: int = 0


Question = Who | Source | BindingOf | Admit


class Boot(Message, tag_field="e", tag="boot"):
    """A Kamailio has started."""

    at: Micros
    edge: Field = ""


class Registered(Message, tag_field="e", tag="reg"):
    """A REGISTER was accepted; `exp` 0: the registration is gone."""

    at: Micros
    p: int
    contact: Field
    exp: int
    src: Field = ""
    sock: Field = ""
    nat: int = 0
    ua: Field = ""
    call_id: Field = ""
    cseq: int = 0
    old: int = 0


class Answered(Message, tag_field="e", tag="ans"):
    """The first 2xx to the INVITE is relayed."""

    at: Micros
    c: str
    route: int = 0
    ring_at: Micros = 0
    legs: dict[str, str | int | list[str]] = {}
    codec: Field = ""
    tried: list[tuple[int, int]] = []


class Failed(Message, tag_field="e", tag="fail"):
    """The INVITE ended with a final failure. Without `c`, by `key`: the edge gave up before it was answered."""

    at: Micros
    c: str = ""
    key: str = ""
    status: int = 0
    phrase: Field = ""
    by: Field = ""
    ring_at: Micros = 0
    tried: list[tuple[int, int]] = []


class Ended(Message, tag_field="e", tag="end"):
    """A BYE passed, or the edge ended the dialog itself."""

    at: Micros
    c: str
    by: Field = ""


class LegMoved(Message, tag_field="e", tag="legs"):
    """A re-INVITE or UPDATE changed a Contact."""

    at: Micros
    c: str
    side: Field
    contact: Field


class CarrierHealth(Message, tag_field="e", tag="carrier"):
    """A probe changed its mind."""

    at: Micros
    id: int
    up: int
    status: int = 0


class AuthenticationFailed(Message, tag_field="e", tag="auth"):
    """Somebody tried a wrong password."""

    at: Micros
    src: Field = ""
    user: Field = ""
    why: Field = ""


Event = Boot | Registered | Answered | Failed | Ended | LegMoved | CarrierHealth | AuthenticationFailed

_question: msgspec.json.Decoder[Question] = msgspec.json.Decoder(Question)
_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
encode = msgspec.json.encode


class NotUnderstoodError(ValueError):
    """A message that does not fit the protocol."""


def decode_question(data: bytes) -> Question:
    """Raises NotUnderstoodError, which names the field that does not fit."""
    try:
        return _question.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise NotUnderstoodError(str(problem)) from problem


def decode_event(line: bytes) -> Event:
    """Raises NotUnderstoodError, which names the field that does not fit."""
    try:
        return _event.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise NotUnderstoodError(str(problem)) from problem
