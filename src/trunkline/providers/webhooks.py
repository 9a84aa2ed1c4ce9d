"""How an event leaves: one POST over HTTPS to an address that is public, looked up once and then pinned, without redirects.

Whoever enters a URL must not reach through us what only we can reach: neither by a private address, nor by a name that leads to one, nor by a
name that changes between our look and our call.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

CONNECT_SECONDS = 4.0
WHOLE_SECONDS = 8.0
"""Then the connection is shut, whatever the other side has sent by then."""
SIGNATURE = "Trunkline-Signature"


class UrlRefused(ValueError):  # noqa: N818 - an answer, not a fault
    """Nothing is ever sent there; the text says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """`status` 0: there was no answer. `failure` empty: it took it (2xx)."""

    status: int
    failure: str = ""


def check_url(url: str, *, is_test: bool) -> SplitResult:
    """`is_test`: this instance is nobody's but its tester's; then HTTP and private addresses are allowed."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UrlRefused("This is not a URL.") from None
    if parts.scheme not in (("https", "http") if is_test else ("https",)):
        raise UrlRefused("The URL must begin with https://.")
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise UrlRefused("The URL needs a host, and can have neither a password nor a #fragment.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UrlRefused("The URL has characters that must be written as %XX.")
    return parts


def signature(secrets: Sequence[str], at: int, body: bytes) -> str:
    """`t=<seconds>`, and for each secret `v1=<hex HMAC-SHA256 of "<seconds>.<body>">`: two while one takes the other's place."""
    digests = (hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={at}", *(f"v1={digest}" for digest in digests)])


def post(url: str, body: bytes, *, headers: dict[str, str], is_test: bool) -> Told:
    """Never raises for what the other side does."""
    try:
        parts = check_url(url, is_test=is_test)
        address = _address(parts, is_test=is_test)
        return _send(parts, address, body, headers)
    except UrlRefused as problem:
        return Told(0, str(problem))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        return Told(0, f"{type(problem).__name__}: {problem}"[:200])


def _address(parts: SplitResult, *, is_test: bool) -> tuple[str, int]:
    """Where the name leads now. One private address among its addresses, and none of them is called."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UrlRefused(f"There is no host {parts.hostname}.") from None
    addresses = [str(each[4][0]) for each in found]
    if not is_test and not all(_is_public(address) for address in addresses):
        raise UrlRefused(f"{parts.hostname} leads to an address that is not public.")
    return addresses[0], port


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return False
    return address.is_global and not address.is_multicast


def _send(parts: SplitResult, address: tuple[str, int], body: bytes, headers: dict[str, str]) -> Told:
    host = parts.hostname or ""
    connection = http.client.HTTPConnection(host, address[1], timeout=CONNECT_SECONDS)
    plain = socket.create_connection(address, timeout=CONNECT_SECONDS)
    shut = threading.Timer(WHOLE_SECONDS, _shut, [plain])
    shut.daemon = True
    shut.start()
    try:
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if parts.scheme == "https" else plain
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {"Host": parts.netloc, "Content-Type": "application/json", **headers})
        status = connection.getresponse().status
    finally:
        shut.cancel()
        connection.close()
        plain.close()
    return Told(status) if 200 <= status < 300 else Told(status, f"It answered {status}; only 2xx counts.")


def _shut(plain: socket.socket) -> None:
    try:
        plain.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already
