"""The client of Kamailio's command socket (JSON-RPC in datagrams): end calls, list dialogs, forget cached identities.

Everything raises OSError when Kamailio is away or does not answer within the time-out, and `RpcError` (one of them) when it refuses.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

CARRIERS_FILE = "carriers.list"
TIMEOUT_SECONDS = 1.0
REPLY_BYTES_MAX = 65536
BYE_CSEQ = 2_147_000_000
"""Above whatever the leg's other end has used, and below the limit of RFC 3261."""
DIALOG_ANSWERED = 3
"""Below it a dialog's INVITE has no 2xx yet."""
DIALOG_OVER = 5
"""Kamailio keeps a dialog for a moment when its BYE has passed."""

Legs = Mapping[str, Any]


class RpcError(OSError):
    """Kamailio's fault: code and text."""


class KamailioRpc:
    """One client, one caller at a time. `timeout_seconds` bounds every method: each makes one or two requests to a process of its own in Kamailio,
    which answers in well under a millisecond."""

    def __init__(self, socket_path: Path, carriers_path: Path, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path = socket_path
        self._carriers_path = carriers_path
        self._timeout_seconds = timeout_seconds
        self._ids = itertools.count(1)

    def call(self, method: str, *params: str | int) -> Any:
        """One request, its result."""
        ident = next(self._ids)
        request = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": ident})
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(self._timeout_seconds)
            channel.bind("")  # the kernel chooses an abstract name for the answer
            channel.sendto(request.encode(), str(self._path))
            reply = _read(channel.recv(REPLY_BYTES_MAX))
        if "error" in reply:
            raise RpcError(reply["error"]["code"], f"{method}: {reply['error']['message']}")
        return reply.get("result")

    # Calls

    def end_call(self, *, ref: int, call_id: str, legs: Legs, headers: str) -> bool:
        """BYE to both sides with these header lines; a call that still rings is cancelled. `call_id` is the caller's Call-ID, which several calls
        may have: it is the caller's to choose. When Kamailio has lost the dialog the BYEs are made from `legs`. False: no such dialog, and the legs
        do not say enough, or Kamailio can't use them."""
        return self._end_dialog(ref, call_id, headers) or self.bye_from_legs(legs, headers)

    def _end_dialog(self, ref: int, call_id: str, headers: str) -> bool:
        try:
            found = self.call("dlg.dlg_list", call_id)
            for dialog in found if isinstance(found, list) else [found]:
                if int(_noted(dialog).get("tl", 0)) == ref:
                    self._end(dialog, headers)
                    return True
        except RpcError:
            return False
        return False

    def _end(self, dialog: Mapping[str, Any], headers: str) -> None:
        """Before the answer dlg.end_dlg would use the INVITE's transaction, and crash Kamailio if that is gone."""
        if dialog["state"] < DIALOG_ANSWERED:
            self.call("tm.cancel", dialog["call-id"], _noted(dialog)["invite"])
        elif dialog["state"] < DIALOG_OVER:
            self.call("dlg.end_dlg", dialog["h_entry"], dialog["h_id"], headers)

    def bye_from_legs(self, legs: Legs, headers: str) -> bool:
        """BYE to each side that `legs` (of the `ans` event) knows enough of. What one side said must not save the other one its BYE."""
        if not all(legs.get(name) for name in ("call_id", "from_tag", "to_tag")):
            return False
        told = []
        for bye in (self._bye_caller, self._bye_callee):
            try:
                told.append(bye(legs, headers))
            except RpcError:
                told.append(False)
        return any(told)

    def _bye_caller(self, legs: Legs, headers: str) -> bool:
        if not legs.get("caller_contact"):
            return False
        us, them = f"<{legs['to_uri']}>;tag={legs['to_tag']}", f"<{legs['from_uri']}>;tag={legs['from_tag']}"
        self._bye(legs["caller_contact"], legs["caller_routes"], legs["caller_sock"], us, them, legs["call_id"], headers)
        return True

    def _bye_callee(self, legs: Legs, headers: str) -> bool:
        if not legs.get("callee_contact"):
            return False
        us, them = f"<{legs['sent_from']}>;tag={legs['from_tag']}", f"<{legs['sent_to']}>;tag={legs['to_tag']}"
        routes = legs.get("callee_routes", [])
        # TH: for Kamailio's topoh, which masks the Call-ID for this side and removes the header
        self._bye(legs["callee_contact"], routes, legs["callee_sock"], us, them, legs["call_id"], f"{headers}TH: dlh\r\n")
        return True

    def _bye(self, contact: str, routes: Sequence[str], our_socket: str, us: str, them: str, call_id: str, headers: str) -> None:
        target, next_hop = real_target(contact)
        lines = [f"From: {us}", f"To: {them}", f"Call-ID: {call_id}", f"CSeq: {BYE_CSEQ} BYE", "Max-Forwards: 70"]
        lines += [f"Route: {route}" for route in routes]
        self.call("tm.t_uac_start", "BYE", target, next_hop or _first_hop(routes) or ".", our_socket, "\r\n".join(lines) + "\r\n" + headers)

    def dialogs(self) -> dict[int, str]:
        """The callers' Call-IDs of all dialogs, by call reference. By a file: a datagram has no room for thousands of them."""
        listing = self._path.with_name(f"dialogs-{os.getpid()}-{next(self._ids)}.json")
        try:
            self.call("dlg.dump_file", str(listing))
            with listing.open("rb") as lines:
                found = [_read(line) for line in lines]
        finally:
            listing.unlink(missing_ok=True)
        return {int(ref): dialog["call_id"] for dialog in found if dialog["state"] != DIALOG_OVER and (ref := _noted(dialog).get("tl"))}

    # Identities and carriers

    def forget(self, key: str) -> None:
        """Forget a cached identity: `user:<user>`, `src:<ip>` or `src:<ip>:<port>`. One that is not cached is forgotten already."""
        try:
            self.call("htable.delete", "directory", key)
        except RpcError:
            return

    def flush_directory(self) -> None:
        """Forget all cached identities."""
        self.call("htable.flush", "directory")

    def set_carriers(self, carriers: Iterable[tuple[int, str]]) -> None:
        """The carriers to probe: id and URI. Who is a carrier is learnt again. Kamailio finds the list when it starts, too."""
        write_carriers(self._carriers_path, carriers)
        self.call("dispatcher.reload")
        self.flush_directory()

    def uptime_seconds(self) -> int:
        """How long Kamailio has been running."""
        return int(self.call("core.uptime")["uptime"])


def _noted(dialog: Mapping[str, Any]) -> dict[str, str]:
    """What the edge's script noted about a call. Kamailio lists variables one by one, and dumps them together."""
    variables = dialog.get("variables", {})
    each = variables if isinstance(variables, list) else [variables]
    return {name: value for variable in each for name, value in variable.items()}


def _read(data: bytes) -> Any:
    """Kamailio's JSON has names in it that strangers wrote: any bytes. RpcError if it is none, as when it was too long for a datagram."""
    try:
        return json.loads(data.decode("utf-8", "replace"), strict=False)
    except ValueError as problem:
        raise RpcError(500, f"an answer that cannot be read: {problem}") from problem


def real_target(contact: str) -> tuple[str, str]:
    """Request-URI and next hop of a Contact as the edge reports it: behind NAT it is followed by where its messages come from."""
    uri, _, next_hop = contact.partition(" ")
    return uri, next_hop


def _first_hop(routes: Sequence[str]) -> str:
    return routes[0].partition("<")[2].partition(">")[0] if routes else ""


def write_carriers(path: Path, carriers: Iterable[tuple[int, str]]) -> None:
    """The list of carriers to probe, as Kamailio's dispatcher reads it: id and URI."""
    path.parent.mkdir(mode=0o700, exist_ok=True)  # call control may start before Kamailio ever did
    fresh = path.with_suffix(".new")
    fresh.write_text("".join(f"{ident} {uri}\n" for ident, uri in carriers), encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(path)
