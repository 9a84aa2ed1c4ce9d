"""What one side of a call may see of the other (R10.4): headers by an allow-list, From and To as call control says, Contacts sealed.

Via, Record-Route, Contact and Call-ID are masked by Kamailio's `topoh` when a message leaves; this is the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import KSR

from .directory import is_carrier
from .place import ALIAS, DOMAIN
from .seals import Mark, seal
from .text import address_uri, host_and_port, is_usable_uri, pv, text

_ALWAYS = "via v from f to t call-id i cseq max-forwards contact m route record-route content-type c content-length l"
_ABOUT_BODY = "content-encoding e content-disposition content-language mime-version"
_ABOUT_CALL = (
    "accept accept-encoding accept-language allow allow-events u supported k require unsupported expires min-expires session-expires x min-se rseq "
    "rack reason privacy retry-after timestamp priority date event o info-package recv-info user-to-user p-early-media answer-mode identity y diversion"
)
PASSED_ON = frozenset(f"{_ALWAYS} {_ABOUT_BODY} {_ABOUT_CALL} th".split())  # TH is topoh's own, and leaves with it

_start, _next, _name, _remove = (
    KSR.textopsx.hf_iterator_start,
    KSR.textopsx.hf_iterator_next,
    KSR.textopsx.hf_iterator_hname,
    KSR.textopsx.hf_iterator_rm,
)


HEADERS_MAX = 10
TRANSPORTS = {"1": "udp", "2": "tcp", "3": "tls"}


class SpoofedError(Exception):
    """The sender wrote a header that only we write."""


def drop_headers(also: Iterable[str] = ()) -> None:
    """Remove what is not on the list. A second TH would steer topoh: nobody outside has a reason to send one."""
    _start("h")
    marks = 0
    while _next("h") > 0:
        name = _name("h").lower()
        if name not in PASSED_ON or name in also:
            _remove("h")
        elif name == "diversion":
            _hide_diversion()
        elif name == "th":
            marks += 1
    if marks > 1:
        raise SpoofedError("TH")


def _hide_diversion() -> None:
    """Who diverted the call stays, where that was does not."""
    KSR.textopsx.hf_iterator_rm("h")
    value = re.sub(r"@[^>;,\s\"]+", f"@{DOMAIN}", text("$hdr(Diversion)"))
    KSR.hdr.append(f"Diversion: {value}\r\n")


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
    if hop and f";{ALIAS}=" not in uri and is_carrier(pv("$si")):
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


def note_real_address() -> None:
    """Behind NAT the Contact is not where the message came from: note that in it, before anything else reads it. (What is relayed, the dialog's own
    BYE, and requests from the other side go there.) Only in the request route. A carrier's Contact is believed."""
    contact = text("$ct")
    if not contact or contact == "*" or is_carrier(pv("$si")):
        return
    if KSR.is_UDP() and host_and_port(address_uri(contact)) == (pv("$si"), pv("$sp")):
        return
    KSR.nathelper.add_contact_alias()
    KSR.textopsx.msg_apply_changes()


def _alias(hop: str) -> str:
    host, port = host_and_port(hop)
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
