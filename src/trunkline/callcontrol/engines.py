"""Asking the engines what they know, for the reconciler."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterable
from typing import Protocol

from trunkline.callcontrol.reconcile import Look

MICROSECONDS = 1_000_000

MOST_AT_ONCE = 500
TIMEOUT_SECONDS = 0.5
LARGEST_REPLY = 65535


class MediaRelay:
    """A client of RTPengine's control port on loopback: a cookie and a bencoded dictionary in a UDP datagram."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._cookies = itertools.count(1)

    def unknown(self, call_ids: Iterable[str]) -> frozenset[str]:
        """Those of `call_ids` that RTPengine does not know. Empty when it does not answer: nothing follows from that."""
        missing = set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.settimeout(TIMEOUT_SECONDS)
            channel.connect(self._address)
            for call_id in itertools.islice(call_ids, MOST_AT_ONCE):
                try:
                    if self._is_unknown(channel, call_id):
                        missing.add(call_id)
                except OSError:
                    return frozenset()
        return frozenset(missing)

    def _is_unknown(self, channel: socket.socket, call_id: str) -> bool:
        cookie = f"cc{next(self._cookies)}".encode()
        ident = call_id.encode()
        channel.send(cookie + b" d7:call-id" + str(len(ident)).encode() + b":" + ident + b"7:command5:querye")
        while True:
            reply = channel.recv(LARGEST_REPLY)
            if reply.startswith(cookie + b" "):
                return b"6:result5:error" in reply and b"nknown call-id" in reply


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
