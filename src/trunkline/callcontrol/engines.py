"""Asking the engines what they know, for the reconciler."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Protocol

from trunkline.callcontrol.reconcile import Look

MICROSECONDS = 1_000_000

MOST_AT_ONCE = 500
TIMEOUT_SECONDS = 0.5
LARGEST_REPLY = 65535


class MediaRefusedError(OSError):
    """RTPengine answered that it will not."""


class MediaRelay:
    """A client of RTPengine's control port on loopback: a cookie and a bencoded dictionary in a UDP datagram."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._cookies = itertools.count(1)

    def tell(self, command: str, call_id: str, from_tag: str, **more: str) -> None:
        """One command about one side of a call. Raises OSError: no answer, or MediaRefusedError."""
        with self._channel() as channel:
            reply = self._ask(channel, {"command": command, "call-id": call_id, "from-tag": from_tag, **more})
        if b"6:result2:ok" not in reply:
            raise MediaRefusedError(f"{command}: {reply[-200:]!r}")

    def unknown(self, call_ids: Iterable[str]) -> frozenset[str]:
        """Those of `call_ids` that RTPengine does not know. Empty when it does not answer: nothing follows from that."""
        missing = set()
        with self._channel() as channel:
            for call_id in itertools.islice(call_ids, MOST_AT_ONCE):
                try:
                    reply = self._ask(channel, {"command": "query", "call-id": call_id})
                except OSError:
                    return frozenset()
                if b"6:result5:error" in reply and b"nknown call-id" in reply:
                    missing.add(call_id)
        return frozenset(missing)

    def _channel(self) -> socket.socket:
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        channel.settimeout(TIMEOUT_SECONDS)
        channel.connect(self._address)
        return channel

    def _ask(self, channel: socket.socket, command: Mapping[str, str]) -> bytes:
        cookie = f"cc{next(self._cookies)} ".encode()
        pairs = b"".join(_bencoded(key) + _bencoded(value) for key, value in sorted(command.items()))
        channel.send(cookie + b"d" + pairs + b"e")
        while not (reply := channel.recv(LARGEST_REPLY)).startswith(cookie):
            pass  # a late answer to an earlier question
        return reply


def _bencoded(text: str) -> bytes:
    data = text.encode()
    return b"%d:%s" % (len(data), data)


class Dialogs(Protocol):
    """The part of `trunkline.edge.rpc.KamailioRpc` that is used here. All raise OSError when Kamailio is away."""

    def uptime_seconds(self) -> int:
        """How long Kamailio has been running."""

    def dialogs(self) -> dict[int, str]:
        """The SIP Call-IDs of all dialogs, by call reference."""


class EngineLook:
    """Looks at both engines."""

    def __init__(self, dialogs: Dialogs, media: MediaRelay) -> None:
        self._dialogs = dialogs
        self._media = media

    def __call__(self, relayed_call_ids: Iterable[str]) -> Look:
        at_us = time.time_ns() // 1000
        unknown = self._media.unknown(relayed_call_ids)
        try:
            since_us = at_us - self._dialogs.uptime_seconds() * MICROSECONDS
            return Look(at_us, since_us, self._dialogs.dialogs(), unknown)
        except OSError:
            return Look(at_us, None, None, unknown)
