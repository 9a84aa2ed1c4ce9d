"""REGISTER: the rules of R2.6, without a location table. Call control keeps the contacts; it reads them in the journal."""

from __future__ import annotations

import time
from typing import NamedTuple

import KSR

from . import breaker
from .answers import call_control_away, our_socket, reply, source_address
from .hiding import header_values
from .identity import proven
from .journal import report
from .place import now_us
from .question import ask
from .text import address_uri, field, host_and_port, is_usable_uri, number, pv, quoted, text

NAT_SECONDS = 45
LONGEST_SECONDS = 3600
SHORTEST_SECONDS = 45


class Contact(NamedTuple):
    """expires: seconds, None if the contact does not say."""

    uri: str
    preference: float
    expires: int | None


def register(*, is_resumed: bool = False) -> None:
    proof = proven(is_resumed=is_resumed, is_held=is_resumed)
    if proof is None:
        return
    if text("$tU") != text("$au"):
        reply(403, "Not your address of record")
        return
    values = header_values("Contact")
    if not values:
        _ask_for_binding(proof.profile, is_held=is_resumed)
    elif values == ["*"]:
        _remove_all(proof.profile, by_old=proof.by_old)
    else:
        _bind(proof.profile, values, by_old=proof.by_old)


def _remove_all(profile: int, *, by_old: bool) -> None:
    if _header_expires() != 0:
        reply(400, "Contact: * needs Expires: 0")
        return
    _accept(profile, "*", 0, is_nat=False, by_old=by_old)


def _bind(profile: int, values: list[str], *, by_old: bool) -> None:
    """One PBX, one contact (R2.5): the last REGISTER wins, and in it the contact with the highest q; among equals the first."""
    default = _header_expires()
    contacts = [_parse(value) for value in values]
    wanted = {item: default if item.expires is None else item.expires for item in contacts}
    kept = [item for item in contacts if wanted[item]] or contacts
    chosen = max(kept, key=lambda item: item.preference)
    asked = wanted[chosen]
    if not is_usable_uri(chosen.uri):
        reply(400, "Contact not usable")
    elif 0 < asked < SHORTEST_SECONDS:
        reply(423, "Interval Too Brief", f"Min-Expires: {SHORTEST_SECONDS}\r\n")
    else:
        is_nat = _is_behind_nat(chosen.uri)
        granted = min(asked, NAT_SECONDS if is_nat else LONGEST_SECONDS)
        _accept(profile, chosen.uri, granted, is_nat=is_nat, by_old=by_old)


def _accept(profile: int, uri: str, seconds: int, *, is_nat: bool, by_old: bool) -> None:
    report(
        "reg",
        f'"p":{profile},"contact":{quoted(uri)},"exp":{seconds},"src":"{source_address()}","sock":"{our_socket()}","nat":{int(is_nat)},'
        f'"ua":{field("$ua")},"call_id":{field("$ci")},"cseq":{number(str(pv("$cs")))},"old":{int(by_old)}',
    )
    _confirm(uri, seconds)


def _confirm(uri: str, seconds: int) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    headers = f"Contact: <{uri}>;expires={seconds}\r\n" if seconds > 0 else ""
    reply(200, "OK", f"{headers}Date: {date}\r\n")


def _ask_for_binding(profile: int, *, is_held: bool) -> None:
    if not breaker.lets_through():
        call_control_away()
    elif is_held or KSR.tm.t_newtran() > 0:
        ask(f'"q":"binding","profile":{profile}')


def tell_binding(answer: dict[str, object]) -> None:
    """Continue a REGISTER without Contact."""
    uri, until_us = answer["contact"], answer.get("expires_at")
    seconds = (until_us - now_us()) // 1_000_000 if isinstance(until_us, int) else 0
    _confirm(str(uri), seconds if uri else 0)


# Contacts


def _parse(value: str) -> Contact:
    uri = address_uri(value).partition("?")[0]  # headers in a URI are for web pages
    parameters = dict(_parameters(value[value.rfind(">") + 1 :] if "<" in value else value.partition(";")[2]))
    try:
        preference = float(parameters.get("q", "1"))
    except ValueError:
        preference = 0.0
    expires = parameters.get("expires")
    return Contact(uri, preference, None if expires is None else number(expires, LONGEST_SECONDS))


def _parameters(tail: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in tail.split(";") if part.strip()]
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]


def _header_expires() -> int:
    written = text("$hdr(Expires)").strip()
    return number(written, LONGEST_SECONDS) if written else LONGEST_SECONDS


def _is_behind_nat(uri: str) -> bool:
    """Its packets come from elsewhere than its Contact says. Over TCP and TLS the port always differs: there only the host counts."""
    host, port = host_and_port(uri)
    if not host.replace(".", "").isdigit() and ":" not in host:  # a name: then the Via must fit
        return bool(text("$(hdr(Via)[0])").split(" ")[-1].partition(";")[0].partition(":")[0] != pv("$si"))
    return bool(host != pv("$si") or (KSR.is_UDP() and port != pv("$sp")))
