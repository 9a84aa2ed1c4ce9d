"""A 2xx to an INVITE whose transaction is gone: repeated because its ACK was lost, or answered after Kamailio crashed while the call rang.

Nothing of what the transaction knew is left; what the call is, its Record-Route says. All other strays are dropped: a reply goes where its second Via
says, which anybody can write.
"""

from __future__ import annotations

import re

import KSR

from . import media
from .answers import our_socket, source_address
from .dialogs import ANONYMOUS
from .hiding import callee_routes, drop_headers, first_hop, header_values, seal_contact, set_from_and_to, shift_cseq
from .journal import report
from .seals import Mark, is_genuine, read_mark
from .text import number, pv, quoted, text

PASS_ON = 1
"""A message flag, looked at in the configuration: setting `drop` from here has no effect there."""
SENT_BY_MATCH = re.compile(r"SIP\s*/\s*2\.0\s*/\s*UDP\s+(\[[^]]+\]|[^:;\s]+)(?::(\d{1,5}))?(.*)", re.IGNORECASE | re.DOTALL).match


def reply() -> None:
    """In the core's reply route, before the reply is forwarded by its Via."""
    call_id = text("$ci")
    marks = ((read_mark(value), value) for value in header_values("Record-Route"))
    mark = next((found for found, value in marks if found and is_genuine(found, value, call_id)), None)
    if mark is None or text("$rm") != "INVITE" or not 200 <= pv("$rs") < 300:
        return
    KSR.setflag(PASS_ON)
    from_uri, to_uri = ANONYMOUS, ANONYMOUS
    is_known = KSR.dialog.dlg_get(call_id, text("$ft"), text("$tt")) > 0
    if is_known:
        from_uri, to_uri = text("$dlg(from_uri)"), text("$dlg(to_uri)")
    sent_from, sent_to = text("$fu"), text("$tu")
    drop_headers()
    set_from_and_to(from_uri, to_uri)
    contact = seal_contact(mark, call_id, first_hop(callee_routes()))
    if mark.is_shifted:
        shift_cseq(-1)
    if mark.has_media and media.description() and not media.answer():
        media.withhold()
    if not is_known:
        _report_answered(mark, contact, sent_from, sent_to)


def _report_answered(mark: Mark, contact: str, sent_from: str, sent_to: str) -> None:
    legs = (
        f'"call_id":{quoted(text("$ci"))},"from_tag":{quoted(text("$ft"))},"to_tag":{quoted(text("$tt"))},"cseq":{number(str(pv("$cs")))},'
        f'"sent_from":{quoted(sent_from)},"sent_to":{quoted(sent_to)},"callee_contact":{quoted(contact)},"callee_dst":"{source_address()}",'
        f'"callee_sock":"{our_socket()}"{_caller_leg()}'
    )
    report("ans", f'"c":"{mark.ref}","route":0,"ring_at":0,"legs":{{{legs}}},"codec":{quoted(media.codec())},"tried":[]')


def _caller_leg() -> str:
    """His Contact was in the INVITE; a BYE finds him where this answer goes to. Connections did not survive the crash."""
    vias = header_values("Via")
    sent_by = SENT_BY_MATCH(vias[1]) if len(vias) > 1 else None
    if sent_by is None:
        return ""
    host, port, rest = sent_by.groups()
    parameters = dict(part.strip().partition("=")[::2] for part in rest.split(";"))
    where = f"sip:{parameters.get('received', host)}:{parameters.get('rport') or port or 5060}"
    return (
        f',"caller_contact":{quoted(where)},"caller_routes":[],"caller_sock":"{our_socket()}","from_uri":{quoted(ANONYMOUS)},'
        f'"to_uri":{quoted(ANONYMOUS)}'
    )
