"""What one side of a call may see of the other (R10.4): headers by an allow-list, From and To as call control says, Contacts sealed.

Via, Record-Route, Contact and Call-ID are masked by Kamailio's `topoh` when a message leaves; this is the rest.
"""

from __future__ import annotations

import re

import KSR

from .directory import is_carrier
from .place import ALIAS, DOMAIN
from .seals import Mark, seal
from .text import address_uri, host_and_port, is_usable_uri, pv, text

_ALWAYS = "via v from f to t call-id i cseq max-forwards contact m route record-route content-type c content-length l"
_ABOUT_BODY = "content-encoding e content-disposition content-language mime-version"
_ABOUT_CALL = (
    "accept accept-encoding accept-language allow allow-events u supported k require unsupported expires min-expires session-expires x min-se "
    "rseq rack reason privacy retry-after timestamp priority date event o info-package recv-info user-to-user p-early-media answer-mode "
    "identity y diversion"
)
PASSED_ON = frozenset(f"{_ALWAYS} {_ABOUT_BODY} {_ABOUT_CALL} th".split())  # TH is topoh's own, and leaves with it

SHAPES_MAX = 1000
HEADERS_MAX = 10
TRANSPORTS = {"1": "udp", "2": "tcp", "3": "tls"}


class SpoofedError(Exception):
    """The sender wrote a header that only we write."""


_names_in = re.compile(r"\n([^\s:]+)[ \t]*:").findall
_shapes: dict[tuple[str, ...], tuple[list[str], bool]] = {}
"""By the names of a message's headers: which to remove, and whether there is a Diversion. A device always sends the same ones, so that this is
decided once."""


def drop_headers() -> None:
    """Remove what is not on the list."""
    names = tuple(_names_in(text("$mb").partition("\r\n\r\n")[0]))
    shape = _shapes.get(names)
    unwanted, is_diverted = _decide(names) if shape is None else shape
    for name in unwanted:
        KSR.textops.remove_hf(name)
    if is_diverted:
        _hide_diversion()


def _decide(names: tuple[str, ...]) -> tuple[list[str], bool]:
    """A second TH would steer topoh: nobody outside has a reason to send one."""
    lower = [name.lower() for name in names]
    if lower.count("th") > 1:
        raise SpoofedError("TH")
    if len(_shapes) >= SHAPES_MAX:
        _shapes.clear()
    return _shapes.setdefault(names, (sorted(set(lower) - PASSED_ON), "diversion" in lower))


def _hide_diversion() -> None:
    """Who diverted the call stays, where that was does not."""
    values = header_values("Diversion")
    KSR.textops.remove_hf("Diversion")
    for value in values:
        hidden = re.sub(r"@[^>;,\s\"]+", f"@{DOMAIN}", value)
        KSR.hdr.append(f"Diversion: {hidden}\r\n")


def set_from_and_to(from_uri: str, to_uri: str) -> None:
    """Both without display name; tags stay. Empty: leave it."""
    if from_uri:
        KSR.uac.uac_replace_from("", from_uri)
    if to_uri:
        KSR.uac.uac_replace_to("", to_uri)


def seal_contact(mark: Mark, call_id: str, hop: str = "") -> str:
    """Pass the Contact on with our seal and without its parameters, which say what kind of device it is. Returns it as reported, or nothing. One that
    nobody can use is not passed on: what is in it would end up in other people's messages. `hop`: the proxy nearest to us on the way there, which a
    carrier may have."""
    contact = text("$ct")
    if not contact or contact == "*":
        return ""
    uri = address_uri(contact).partition("?")[0]
    KSR.textops.remove_hf("Contact")
    if not is_usable_uri(uri):
        return ""
    if is_usable_uri(hop) and f";{ALIAS}=" not in uri and is_carrier(pv("$si")):
        uri += _alias(hop)
    KSR.hdr.append(f"Contact: <{seal(uri, mark, call_id)}>\r\n")
    return reported(uri)


def shift_cseq(by: int) -> None:
    """The callee of an INVITE that was sent again with credentials counts one more than its caller."""
    number, method = int(pv("$cs")), pv("$rm")
    KSR.textops.remove_hf("CSeq")
    KSR.hdr.append(f"CSeq: {number + by} {method}\r\n")
    if method == "PRACK" and KSR.hdr.is_present("RAck") > 0:
        response, request, of = text("$hdr(RAck)").split()
        KSR.textops.remove_hf("RAck")
        KSR.hdr.append(f"RAck: {response} {int(request) + by} {of}\r\n")


def note_real_address() -> bool:
    """Behind NAT the Contact is not where the message came from: note that in it, before anything else reads it. (What is relayed, the dialog's own
    BYE, and requests from the other side go there.) Only in the request route. A carrier's Contact is believed. False: there is none to use."""
    uri = address_uri(text("$ct"))
    if not is_usable_uri(uri):
        return False
    if not is_carrier(pv("$si")) and not _is_where_it_came_from(uri):
        KSR.nathelper.add_contact_alias()
        KSR.textopsx.msg_apply_changes()
    return True


def _is_where_it_came_from(uri: str) -> bool:
    """Over UDP only: a connection comes from a port of its own."""
    _, named, transport = uri.lower().partition(";transport=")
    return bool(KSR.is_UDP() and host_and_port(uri) == (pv("$si"), pv("$sp")) and (not named or transport.startswith("udp")))


def _alias(hop: str) -> str:
    host, port = host_and_port(hop)
    if not host:
        return ""
    kind = 3 if hop.startswith("sips:") or "transport=tls" in hop else 2 if "transport=tcp" in hop else 1
    return f";{ALIAS}={f'[{host}]' if ':' in host else host}~{port}~{kind}"


def target_and_next_hop(contact: str) -> tuple[str, str]:
    """What a Contact says, and where to send instead if that is behind NAT (else empty)."""
    uri, _, alias = contact.partition(f";{ALIAS}=")
    if not alias:
        return uri, ""
    ip, port, transport = alias.partition(";")[0].split("~")
    return uri, f"sip:{ip}:{port};transport={TRANSPORTS.get(transport, 'udp')}"


def reported(contact: str) -> str:
    """A Contact for a journal: behind NAT followed by a space and the next hop."""
    return " ".join(filter(None, target_and_next_hop(contact)))


def header_values(name: str) -> list[str]:
    """All values of a header that may be repeated or hold a list."""
    values: list[str] = []
    for index in range(HEADERS_MAX):
        body = text(f"$(hdr({name})[{index}])")
        if not body:
            break
        values += split_values(body)
    return values


def callee_routes() -> list[str]:
    """Of a reply: the proxies on the callee's side, nearest first; the Record-Route entries above ours."""
    above: list[str] = []
    for value in header_values("Record-Route"):
        if ";tl=" in value:
            break
        above.insert(0, value)
    return above


def first_hop(routes: list[str]) -> str:
    return address_uri(routes[0]) if routes else ""


def split_values(body: str) -> list[str]:
    """A header's comma separated values; commas in quotes and angle brackets do not count."""
    if "," not in body:
        return [body]
    values, start, is_quoted, is_bracketed = [], 0, False, False
    for at, letter in enumerate(body):
        if letter == '"' and body[at - 1 : at] != "\\":
            is_quoted = not is_quoted
        elif is_quoted:
            continue
        elif letter in "<>":
            is_bracketed = letter == "<"
        elif letter == "," and not is_bracketed:
            values.append(body[start:at].strip())
            start = at + 1
    return [value for value in [*values, body[start:].strip()] if value]
