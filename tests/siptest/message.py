"""SIP messages for tests: as lenient as a test needs, and able to build wrong ones on purpose.

Deliberately not the product's parser: what the product gets wrong must not be hidden by a shared mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COMPACT = {
    "i": "call-id",
    "m": "contact",
    "f": "from",
    "t": "to",
    "v": "via",
    "c": "content-type",
    "l": "content-length",
    "k": "supported",
    "s": "subject",
    "e": "content-encoding",
    "x": "session-expires",
}
_COMMA_LISTS = {"via", "contact", "route", "record-route", "path", "service-route"}
_START = re.compile(r"(?:SIP/2\.0 \d{3}(?: .*)?|\S+ \S+ SIP/2\.0)$")
_COMMA = re.compile(r',(?=(?:[^"<]|"(?:[^"\\]|\\.)*"|<[^>]*>)*$)')

Headers = list[tuple[str, str]]


def canonical(name: str) -> str:
    low = name.strip().lower()
    return COMPACT.get(low, low)


@dataclass(frozen=True)
class Address:
    """A name-addr or addr-spec with its header parameters: `"Name" <sip:user@host;uri=param>;tag=x`."""

    uri: str
    display: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: str) -> Address:
        bracketed = re.match(r'\s*("(?:[^"\\]|\\.)*"|[^<"]*)\s*<([^>]*)>(.*)$', value, re.DOTALL)
        if bracketed:
            display, uri, rest = bracketed.groups()
        else:
            display, (uri, _, rest) = "", value.strip().partition(";")
        return cls(uri.strip(), display.strip().strip('"'), parameters(rest))

    @property
    def user(self) -> str:
        return uri_user(self.uri)


def parameters(text: str) -> dict[str, str]:
    """`;a=1;b` -> {"a": "1", "b": ""}."""
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def uri_user(uri: str) -> str:
    rest = uri.partition(":")[2]
    return rest.rpartition("@")[0].partition(":")[0] if "@" in rest else ""


def uri_params(uri: str) -> dict[str, str]:
    return parameters(uri.rpartition("@")[2].partition(";")[2].partition("?")[0])


def uri_hostport(uri: str) -> tuple[str, int]:
    """Host and port (0 if none is given); brackets of an IPv6 reference are kept off."""
    rest = uri.partition(":")[2].rpartition("@")[2]
    hostport = re.split(r"[;?>]", rest, maxsplit=1)[0]
    found = re.match(r"^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$", hostport)
    if not found:
        raise ValueError(f"no host in SIP URI {uri!r}")
    return found[1] or found[2], int(found[3] or 0)


@dataclass
class Message:
    """One request or response; `headers` keeps order, spelling and repetition."""

    start: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def request(cls, method: str, uri: str, headers: Headers, body: bytes = b"") -> Message:
        return cls(f"{method} {uri} SIP/2.0", headers, body)

    @classmethod
    def parse(cls, data: bytes) -> Message:
        head, _, body = data.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "surrogateescape")).split("\r\n")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"not a SIP header: {line!r}")
            headers.append((name.strip(), value.strip()))
        if not _START.match(lines[0]):
            raise ValueError(f"not a SIP start line: {lines[0]!r}")
        return cls(lines[0], headers, body)

    def encode(self) -> bytes:
        """The bytes to send. A Content-Length given by the test is kept, also when it lies."""
        headers = list(self.headers)
        if not self.get("content-length"):
            headers.append(("Content-Length", str(len(self.body))))
        head = "\r\n".join([self.start, *(f"{name}: {value}" for name, value in headers)])
        return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        return int(self.start.split(" ", 2)[1]) if self.is_response else 0

    @property
    def phrase(self) -> str:
        return self.start.split(" ", 2)[2] if self.is_response and self.start.count(" ") > 1 else ""

    @property
    def method(self) -> str:
        """Of a request: its method; of a response: that of the request it answers."""
        return self.get("cseq").split()[-1] if self.is_response else self.start.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        return "" if self.is_response else self.start.split(" ")[1]

    def all(self, name: str) -> list[str]:
        """Every value of a header, comma lists of the routing headers taken apart."""
        wanted = canonical(name)
        values = [value for header, value in self.headers if canonical(header) == wanted]
        if wanted in _COMMA_LISTS:
            values = [part.strip() for value in values for part in _COMMA.split(value)]
        return values

    def get(self, name: str) -> str:
        """The first value of a header, or an empty string."""
        return next(iter(self.all(name)), "")

    def address(self, name: str) -> Address:
        return Address.parse(self.get(name))

    @property
    def call_id(self) -> str:
        return self.get("call-id")

    @property
    def cseq(self) -> int:
        return int(self.get("cseq").split()[0])

    @property
    def from_tag(self) -> str:
        return self.address("from").params.get("tag", "")

    @property
    def to_tag(self) -> str:
        return self.address("to").params.get("tag", "")

    @property
    def branch(self) -> str:
        return parameters(self.get("via").partition(";")[2]).get("branch", "")

    def __str__(self) -> str:
        return self.start


class StreamFramer:
    """Cuts a TCP byte stream into messages by Content-Length; empty lines between them are keep-alives."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        messages = []
        while (message := self._take()) is not None:
            messages.append(message)
        return messages

    def _take(self) -> bytes | None:
        self._buffer = self._buffer.lstrip(b"\r\n")
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = re.search(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d+)", self._buffer[:end], re.IGNORECASE | re.MULTILINE)
        size = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < size:
            return None
        message, self._buffer = self._buffer[:size], self._buffer[size:]
        return message
