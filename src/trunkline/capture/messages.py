"""What is kept of a SIP message: its first line and its headers. Passwords' digests and media keys never are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

HEAD_CHARACTERS_MAX = 16 * 1024
CALL_ID_MAX = 512
"""The edge takes 256 from outside; masked they become longer."""
MASK = "(not kept)"
SECRET_HEADERS = frozenset(["authorization", "proxy-authorization"])
SHORT_NAMES = {"i": "call-id", "f": "from", "t": "to"}
METHODS = frozenset(["INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO"])
"""Of calls. The edge's configuration lets no other through (edge/kamailio/kamailio.cfg)."""
_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE = re.compile(r"\r?\n")
_KEYS = re.compile(r"^(k=|a=crypto:[^\r\n]*?inline:|a=key-mgmt:|a=ice-pwd:)[^\r\n]*", re.MULTILINE)
_MARK = re.compile(r";tl=([0-9]{1,19})[a-z.]")
_CONTROLS = dict.fromkeys((code for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\r\n"), "\ufffd")
"""What would do something to a terminal."""


@dataclass(frozen=True, slots=True)
class Message:
    """`method`: of a reply, that of its request. `head`: the headers, one a line."""

    first_line: str
    method: str
    call_id: str
    head: str
    body: str
    begins_call: bool
    call_ref: int | None

    @property
    def is_request(self) -> bool:
        return not self.first_line.startswith("SIP/2.0 ")


def read(payload: bytes) -> Message | None:
    """None: no message of a call, or one that says not which. `call_ref` is what the topmost Record-Route of an INVITE says: ours, if we sent it."""
    head, _, body = payload.decode("utf-8", "replace").translate(_CONTROLS).partition("\r\n\r\n")
    first_line, *lines = _LINE.split(_FOLD.sub(" ", head[:HEAD_CHARACTERS_MAX]))
    headers = list(_named(lines))
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name, value)
    method, call_id = _method(first_line, found.get("cseq", "")), found.get("call-id", "")
    if method not in METHODS or not 0 < len(call_id) <= CALL_ID_MAX:
        return None
    is_invite = method == "INVITE" and first_line.startswith("INVITE ")
    return Message(
        first_line=first_line,
        method=method,
        call_id=call_id,
        head="\n".join(_kept(line) for line in lines),
        body=_without_keys(body),
        begins_call=is_invite and ";tag=" not in found.get("to", "").lower().replace(" ", ""),
        call_ref=_mark(found.get("record-route", "")) if is_invite else None,
    )


def _named(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        lower = name.strip().lower()
        yield SHORT_NAMES.get(lower, lower), value.strip()


def _method(first_line: str, cseq: str) -> str:
    return cseq.rpartition(" ")[2] if first_line.startswith("SIP/2.0 ") else first_line.partition(" ")[0]


def _kept(line: str) -> str:
    """Of credentials the scheme."""
    name, _, value = line.partition(":")
    if name.strip().lower() not in SECRET_HEADERS:
        return line
    scheme = value.strip().partition(" ")[0]
    return f"{name.strip()}: {scheme if scheme.isalpha() else ''} {MASK}".replace("  ", " ")


def _without_keys(body: str) -> str:
    return _KEYS.sub(rf"\1{MASK}", body)


def _mark(record_route: str) -> int | None:
    found = _MARK.search(record_route.partition(",")[0])
    return int(found[1]) if found and int(found[1]) < 1 << 63 else None
