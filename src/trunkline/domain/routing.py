"""Where a call goes, and what the INVITE there looks like (SPEC R6.1, R7.3, R8.2; guide 8.2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from trunkline.domain import numbers
from trunkline.domain.directory import Binding, CarrierChoice, CarrierFacts, Directory, ProfileFacts
from trunkline.domain.media_encryption import Agreed

MOST_ROUTES = 4
ANONYMOUS = "sip:anonymous@anonymous.invalid"
_URI = re.compile(r"(sips?):(?:[^@]*@)?([^@]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """One place to try. Fields as in the edge protocol's `routes`; `name` is for the trace. `after_488`: only if the one before it refused its
    media."""

    name: str
    uri: str
    dst: str = ""
    from_uri: str = ""
    to_uri: str = ""
    asserted: str = ""
    privacy: bool = False
    auth: tuple[str, str] | None = None
    carrier_id: int = 0
    srtp: str = "same"
    after_488: bool = False
    announced: bool = False


def carrier_routes(number: str, shown: str, directory: Directory) -> tuple[Route, ...]:
    """The carriers that take the number, best first: healthy ones before others, then longest prefix, priority, cost.

    A carrier whose probe fails is tried last, not left out: a probe can be wrong, and a call that is not tried has failed.
    """
    healthy: list[Route] = []
    others: list[Route] = []
    seen: set[int] = set()
    for _, choices in directory.carrier_routes().matches(number):
        for choice in sorted(choices, key=_by_priority_then_cost):
            carrier = directory.carrier(choice.carrier_id)
            if carrier is None or carrier.carrier_id in seen:
                continue
            seen.add(carrier.carrier_id)
            (healthy if carrier.up else others).append(_carrier_route(carrier, number, shown, directory.sip_domain))
    return tuple((healthy + others)[:MOST_ROUTES])


def _by_priority_then_cost(choice: CarrierChoice) -> tuple[int, int, int]:
    return choice.priority, choice.cost_per_minute_micros, choice.carrier_id


def carrier_uri(carrier: CarrierFacts, user: str = "") -> str:
    """Where a carrier is reached, with or without a user part."""
    transport = "" if carrier.transport == "udp" else f";transport={carrier.transport}"
    host = f"[{carrier.host}]" if ":" in carrier.host else carrier.host
    return f"sip:{user}@{host}:{carrier.port}{transport}" if user else f"sip:{host}:{carrier.port}{transport}"


def _carrier_route(carrier: CarrierFacts, number: str, shown: str, domain: str) -> Route:
    return Route(
        name=f"carrier {carrier.name}",
        uri=carrier_uri(carrier, f"+{number}"),
        from_uri=shown_uri(shown, domain),
        to_uri=f"sip:+{number}@{domain}",
        asserted=f"+{shown}" if shown else "",
        privacy=not shown,
        auth=carrier.auth,
        carrier_id=carrier.carrier_id,
        srtp="rtp",
    )


def echo_route(directory: Directory) -> Route:
    """The echo service of this machine."""
    return Route(name="echo test", uri=directory.echo_uri, from_uri=ANONYMOUS, srtp="rtp", announced=True)


def pbx_routes(number: str, shown: str, callee: ProfileFacts, binding: Binding, domain: str, *, agreed: Agreed) -> tuple[Route, ...]:
    """The INVITE of guide 8.2.1: the registered contact with its parameters kept and its user part replaced by the number."""
    user = _as_wanted(number, callee)
    route = Route(
        name=f"PBX of {callee.name}",
        uri=replace_user(binding.contact, user),
        dst=binding.via,
        from_uri=shown_uri(shown, domain),
        to_uri=f"sip:{user}@{domain}",
        srtp="srtp" if agreed.srtp else "rtp",
    )
    return (route, replace(route, srtp="rtp", after_488=True)) if agreed.falls_back else (route,)


def shown_uri(shown: str, domain: str) -> str:
    """From towards the called side (RFC 3323 4.1.1.3 for the anonymous one)."""
    return f"sip:+{shown}@{domain}" if shown else ANONYMOUS


def replace_user(contact: str, user: str) -> str:
    """`contact` with another user part, which may have parameters of its own; everything behind the @ is kept. ValueError: not a SIP URI."""
    match = _URI.fullmatch(contact)
    if match is None:
        raise ValueError(f"not a SIP URI: {contact!r}")
    return f"{match[1]}:{user}@{match[2]}"


def _as_wanted(number: str, callee: ProfileFacts) -> str:
    if callee.number_format == "plus":
        return f"+{number}"
    if callee.number_format == "national":
        return numbers.to_national(number, callee.country)
    return number
