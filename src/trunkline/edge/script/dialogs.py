"""Requests inside a dialog, and their replies. All that is needed to relay them is in them (`seals`), so they pass also after a crash."""

from __future__ import annotations

from typing import NamedTuple

import KSR

from . import media
from .answers import ALLOW, reply
from .hiding import drop_headers, note_real_address, seal_contact, set_from_and_to, shift_cseq, target_and_next_hop
from .identity import may_hear
from .journal import report
from .place import DOMAIN
from .seals import Mark, read_mark, unseal
from .text import number, pv, quoted, text

ANONYMOUS = f"sip:anonymous@{DOMAIN}"
RELAYED = frozenset(["ACK", "BYE", "INVITE", "UPDATE", "PRACK", "INFO", "OPTIONS", "NOTIFY"])
"""No REFER: a carrier that follows one makes a call that nobody pays for. A PBX bridges the two calls itself when it is refused."""
OFFERING = frozenset(["INVITE", "UPDATE"])

ERROR, UNFINISHED = (500, "Server Internal Error"), (400, "Bad Request")
END_OF_HEADERS = "\r\n\r\n"


class Inside(NamedTuple):
    """A request that belongs to one of our calls."""

    method: str
    mark: Mark
    call_id: str
    is_from_caller: bool

    @property
    def side(self) -> str:
        return "caller" if self.is_from_caller else "callee"


def request(method: str) -> None:
    route = text("$route_uri")
    if not route:
        _not_ours(method)
        return
    call_id, mark = text("$ci"), read_mark(route)
    target = unseal(text("$ru"), mark, call_id) if mark else None
    if mark is None or target is None:
        _not_ours(method)
    elif method not in RELAYED:
        reply(405, "Method Not Allowed", ALLOW)
    elif KSR.rr.loose_route() > 0:
        if method in OFFERING:
            note_real_address()
        _aim(target)
        _relay(Inside(method, mark, call_id, bool(KSR.rr.is_direction("downstream") > 0)))
    else:
        _not_ours(method)


def _not_ours(method: str) -> None:
    """An ACK to a final refusal belongs to its transaction and ends here; whatever else is in no call of ours."""
    if method == "ACK":
        KSR.tm.t_check_trans()
    elif may_hear():
        reply(481, "Call/Transaction Does Not Exist")


def _aim(target: str) -> None:
    """To the announced Contact; if that one is behind NAT or a proxy, there. Never as Route says: that is the sender's to write."""
    uri, next_hop = target_and_next_hop(target)
    KSR.seturi(uri)
    if next_hop:
        KSR.setdsturi(next_hop)
    else:
        KSR.resetdsturi()


def _relay(inside: Inside) -> None:
    if inside.method == "BYE":
        report("end", f'"c":"{inside.mark.ref}","by":"{inside.side}"')
        media.end(inside.mark)
    drop_headers()
    shown_from, shown_to = _shown(inside)
    sent_from, sent_to = shown_from and text("$fu"), shown_to and text("$tu")
    set_from_and_to(shown_from, shown_to)
    contact = seal_contact(inside.mark, inside.call_id)
    if inside.method in OFFERING:
        _offer(inside, contact)
    elif inside.method in ("ACK", "PRACK") and inside.mark.has_media and media.description():
        media.answer()  # the offer came in the 2xx
    if inside.is_from_caller and inside.mark.is_shifted:
        shift_cseq(1)
    if inside.method != "ACK":
        back = (sent_from, sent_to, inside.mark.ref, inside.mark.traits, inside.side, pv("$avp(offered)") or "")
        KSR.pvx.avp_sets("back", "\n".join(back))
        KSR.tm.t_on_reply("ksr_inside_reply")
    if KSR.tm.t_relay() <= 0 and inside.method != "ACK":
        reply(*(ERROR if END_OF_HEADERS in text("$mb") else UNFINISHED))


def _shown(inside: Inside) -> tuple[str, str]:
    """From and To as the other side knows them; empty: as sent. When the dialog was lost in a crash: nobody's."""
    if KSR.dialog.is_known_dlg() <= 0:
        return ANONYMOUS, ANONYMOUS
    sent = KSR.dialog.var_get("sent")
    if not sent:
        return "", ""
    if inside.is_from_caller:
        shown_from, _, shown_to = sent.partition("\n")
        return shown_from, shown_to
    return text("$dlg(to_uri)"), text("$dlg(from_uri)")


def _offer(inside: Inside, contact: str) -> None:
    """re-INVITE and UPDATE may bring a new description and move the Contact."""
    if contact:
        _report_moved(inside.mark.ref, inside.side, contact)
    if inside.mark.has_media and media.description():
        KSR.pvx.avp_sets("offered", "1")
        if not media.offer(inside.mark, to_callee=inside.is_from_caller):
            media.withhold()


def _report_moved(ref: str, side: str, contact: str) -> None:
    report("legs", f'"c":"{ref}","side":"{side}","contact":{quoted(contact)},"cseq":{number(str(pv("$cs")))}')


def replied() -> None:
    """A reply to a request inside a dialog, before it is relayed."""
    kept = pv("$avp(back)")
    if not kept:
        return
    sent_from, sent_to, ref, traits, side, offered = kept.split("\n")
    mark = Mark(ref, traits)
    drop_headers()
    set_from_and_to(sent_from, sent_to)
    if side == "caller" and mark.is_shifted:
        shift_cseq(-1)
    status, method = pv("$rs"), pv("$rm")
    if method not in OFFERING or not 100 < status < 300:
        return
    contact = seal_contact(mark, text("$ci"))
    if contact and status >= 200:
        _report_moved(ref, "callee" if side == "caller" else "caller", contact)
    if mark.has_media and media.description():
        done = media.answer() if offered else media.offer(mark, to_callee=side != "caller")
        if not done:
            media.withhold()


def local_request() -> None:
    """What Kamailio sends by itself in a dialog: its BYEs when `max_s` is over or call control ends the call."""
    if pv("$rm") != "BYE":
        return
    if KSR.dialog.dlg_get(text("$ci"), text("$ft"), text("$tt")) <= 0:
        return
    ref, sent = KSR.dialog.var_get("tl"), KSR.dialog.var_get("sent")
    if KSR.hdr.is_present("TH") > 0:  # towards the callee, who knows other names
        if sent:
            shown_from, _, shown_to = sent.partition("\n")
            set_from_and_to(shown_from, shown_to)
    elif ref:
        report("end", f'"c":"{ref}","by":"edge"')
        media.end(Mark(ref, "r"))
