"""Text from SIP messages, made fit to leave them."""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii as quoted

import KSR

FIELD_MAX = 512

pv = KSR.pv.get

__all__ = ["FIELD_MAX", "address_uri", "cleaned", "field", "host_and_port", "is_plain", "is_usable_uri", "number", "pv", "quoted", "text"]

_PLAIN_MAX = 256
_SURELY_SHORT = FIELD_MAX // 4  # a character takes four bytes at most
_USABLE_URI = re.compile(r"sips?:[!#-;=@-\[\]-~]{1,506}", re.IGNORECASE)


def text(name: str) -> str:
    """A pseudo-variable; what is not there is empty, and bytes that are no UTF-8 become U+FFFD (Kamailio's `get` raises)."""
    try:
        return pv(name) or ""
    except UnicodeDecodeError:
        bare = name[2:-1] if name.startswith("$(") else name[1:]
        hexadecimal = pv(f"$({bare}{{s.encode.hexa}})") or ""
        return bytes.fromhex(hexadecimal).decode("utf-8", "replace")


def field(name: str) -> str:
    """The same as a quoted JSON string: at most 512 bytes, no control characters."""
    value = text(name)
    return quoted(value if len(value) <= _SURELY_SHORT and value.isprintable() else cleaned(value))


def cleaned(value: str, longest: int = FIELD_MAX) -> str:
    """Fit to be stored and shown: at most so many bytes, no control characters."""
    if not value.isprintable():
        value = "".join(letter if letter.isprintable() else " " for letter in value[:longest])
    # every character that is not ASCII may take more than a byte
    if len(value) * 4 > longest and len(value.encode()) > longest:
        value = value.encode()[:longest].decode("utf-8", "ignore")
    return value


def is_plain(value: str) -> bool:
    """Fit to name a call: in journals, in commands, in lists of dialogs. RFC 3261 allows no more in a Call-ID or a tag."""
    return value.isascii() and value.isprintable() and " " not in value and len(value) <= _PLAIN_MAX


def is_usable_uri(uri: str) -> bool:
    """A SIP URI without headers that can be put into a message: what is not printable ASCII must be escaped in it (RFC 3261 25.1)."""
    return _USABLE_URI.fullmatch(uri) is not None and uri.count("@") < 2 and host_and_port(uri)[0] != ""


def number(digits: str, otherwise: int = 0) -> int:
    """A number that somebody else wrote; at most nine digits."""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else otherwise


def address_uri(header: str) -> str:
    """The URI of a From, To or Contact value, without the display name and the parameters of the header."""
    start = 0
    if header.startswith('"'):
        start = header.find('"', 1)
        while start > 0 and header[start - 1] == "\\":
            start = header.find('"', start + 1)
    opened = header.find("<", max(start, 0))
    if opened >= 0:
        return header[opened + 1 :].partition(">")[0].strip()
    return header.partition(";")[0].strip()


def host_and_port(uri: str) -> tuple[str, int]:
    """Of a SIP URI; IPv6 without brackets."""
    place = uri.partition(":")[2].rpartition("@")[2].partition(";")[0].partition("?")[0]
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return host.lower(), number(rest.lstrip(":"), 5060)
    host, _, port = place.partition(":")
    return host.lower(), number(port, 5060)
