"""What call control asks of the edge, through Kamailio's JSON-RPC: end calls, forget cached identities."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Protocol

import structlog

from trunkline.callcontrol.batch import EndCall

log = structlog.get_logger()


class Edge(Protocol):
    """The part of `trunkline.edge.rpc.KamailioRpc` that is used here. All raise OSError when Kamailio is away."""

    def end_call(self, *, ref: int, call_id: str, legs: dict[str, Any], headers: str) -> bool:
        """BYE to both sides, with these header lines. False if the edge has no such dialog and the legs do not say enough."""

    def forget(self, key: str) -> None:
        """Forget a cached identity (`user:…`, `src:…`)."""

    def set_carriers(self, carriers: Iterable[tuple[int, str]]) -> None:
        """The carriers to probe: id and URI."""


def end_calls(edge: Edge, commands: Iterable[EndCall]) -> list[EndCall]:
    """Carry out what a turn asked for. Returns the calls that are over; the others are asked for again by the schedule."""
    over = []
    for command in commands:
        try:
            edge.end_call(ref=command.ref, call_id=command.call_id, legs=command.legs, headers=command.headers)
        except OSError as problem:
            log.warning("could not end a call", call=command.ref, problem=str(problem))
        else:
            over.append(command)
    return over


def pass_on_change(edge: Edge, what: str, ident: str, sip_user: str) -> None:
    """Tell the edge to forget what a use case has changed. If Kamailio is away, its cache is gone too."""
    try:
        if sip_user:
            edge.forget(f"user:{sip_user}")
        if what == "source" and ident:
            edge.forget(f"src:{as_kamailio_writes(ident)}")
    except OSError as problem:
        log.warning("could not pass on a change", what=what, problem=str(problem))


def as_kamailio_writes(source: str) -> str:
    """`address:port` as in Kamailio's `$si:$sp`, which writes out every group of an IPv6 address."""
    address, _, port = source.rpartition(":")
    if ":" in address:
        address = ":".join(f"{int(group, 16):x}" for group in ipaddress.IPv6Address(address).exploded.split(":"))
    return f"{address}:{port}"


def pass_on_carriers(edge: Edge, carriers: Iterable[tuple[int, str]]) -> None:
    """Tell the edge which carriers to probe. If Kamailio is away, it reads them when it starts."""
    try:
        edge.set_carriers(carriers)
    except OSError as problem:
        log.warning("could not pass on the carriers", problem=str(problem))
