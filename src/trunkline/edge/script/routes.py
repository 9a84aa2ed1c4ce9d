"""A call that may go on: its routes in order, until one rings or answers (R6.1)."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import KSR

from . import media
from .answers import RETRY_AFTER, our_socket, reply, source_address
from .directory import note_carrier
from .hiding import callee_routes, drop_headers, first_hop, header_values, reported, seal_contact, set_from_and_to, shift_cseq
from .journal import report
from .place import DOMAIN, now_us
from .seals import Mark, mark_parameter
from .text import address_uri, cleaned, host_and_port, number, pv, quoted, text

FIRST_ANSWER_MS = 3000
"""No answer at all in this time: the next route. Long enough for three INVITEs over UDP."""
NEVER_SHOWN = {401: (503, "Service Unavailable"), 407: (503, "Service Unavailable")}
"""A carrier that does not know us is our business, not the caller's: no challenge that he cannot answer."""
MOVED = (480, "Temporarily Unavailable")
"""For 3xx: where to it moved is the callee's business, and the new place was never paid for."""

READABLE, NO_URIS = 4, 0
"""What the sanity module is to look at: whether the headers can be read."""


class Call(NamedTuple):
    """What the transaction remembers of its call, in `$avp(call)`. `caller_leg`: the caller's half of `legs`, as JSON fields."""

    ref: str
    traits: str
    from_uri: str
    to_uri: str
    route: str
    had_offer: str
    caller_leg: str
    sent_from: str = ""
    sent_to: str = ""
    is_announced: str = ""

    @property
    def mark(self) -> Mark:
        return Mark(self.ref, self.traits)


class _Sending(NamedTuple):
    """`hop`: the proxy nearest to us on the caller's side."""

    call: Call
    route: dict[str, Any]
    hop: str


_sending: _Sending | None = None
"""For the branch route, which runs within `t_relay`."""
_media_is_away = False


def recall() -> Call | None:
    kept = pv("$avp(call)")
    return Call(*kept.split("\n")) if kept else None


def _remember(call: Call) -> None:
    KSR.pvx.avp_sets("call", "\n".join(call))


def start(verdict: dict[str, Any]) -> None:
    """Follow the first route that can be followed."""
    routes = verdict["routes"]
    if len(routes) > 1 or routes[0].get("auth"):
        KSR.pvx.avp_sets("routes", json.dumps(routes))
        KSR.pvx.avp_sets("expires", str(verdict["expires_s"]))
    KSR.dialog.dlg_manage()
    KSR.dialog.dlg_set_timeout(verdict["max_s"])
    KSR.dialog.var_sets("tl", verdict["call"])
    KSR.dialog.var_sets("invite", str(pv("$cs")))  # to cancel it; the dialog's own number moves on
    offer = media.description() if verdict["media"] == "relay" else ""
    beyond = header_values("Record-Route")
    call = Call(
        ref=verdict["call"],
        traits=media.media_of(verdict["media"], offer),
        from_uri=text("$fu"),
        to_uri=text("$tu"),
        route="0",
        had_offer="1" if offer else "",
        caller_leg=_caller_leg(beyond),
    )
    _follow(call, routes, verdict["expires_s"], first_hop(beyond))


def _caller_leg(beyond: list[str]) -> str:
    return (
        f'"call_id":{quoted(text("$ci"))},"from_tag":{quoted(text("$ft"))},"cseq":{number(str(pv("$cs")))},'
        f'"from_uri":{quoted(text("$fu"))},"to_uri":{quoted(text("$tu"))},"caller_contact":{quoted(reported(address_uri(text("$ct"))))},'
        f'"caller_src":"{source_address()}","caller_sock":"{our_socket()}","caller_routes":{_listed(beyond)}'
    )


def _listed(values: list[str]) -> str:
    return f"[{','.join(map(quoted, values))}]" if values else "[]"


def _follow(call: Call, routes: list[dict[str, Any]], expires_seconds: int, hop: str) -> None:
    """From `call.route` on, the first route along which the INVITE leaves; the rest is up to replies and time-outs."""
    for index in range(int(call.route), len(routes)):
        route = routes[index]
        attempt = call._replace(
            route=str(index),
            traits=call.traits[:2] + media.OF_ROUTE[route["srtp"]] if call.traits else "",
            sent_from=route["from"] or call.from_uri,
            sent_to=route["to"] or call.to_uri,
            is_announced="1" if route.get("announce") else "",
        )
        _remember(attempt)
        KSR.tm.t_set_fr(expires_seconds * 1000, FIRST_ANSWER_MS)
        if _relay(_Sending(attempt, route, hop)):
            return
        if _media_is_away:
            break
        _note_tried(index, 500)
    _give_up(call)


def _relay(sending: _Sending) -> bool:
    """The INVITE leaves, dressed by `dress`."""
    global _sending, _media_is_away
    _sending, _media_is_away = sending, False
    KSR.tm.t_on_branch("ksr_dress")  # each time: nothing may leave undressed
    KSR.tm.t_on_reply("ksr_invite_reply")
    KSR.tm.t_on_failure("ksr_invite_failed")
    KSR.pv.unset("$avp(unreadable)")
    if sending.route["carrier"]:
        note_carrier(host_and_port(sending.route["uri"])[0])
    KSR.seturi(sending.route["uri"])
    if sending.route["dst"]:
        KSR.setdsturi(sending.route["dst"])
    return bool(KSR.tm.t_relay() > 0)


def dress() -> None:
    """Branch route: what the INVITE looks like along this route. What is changed here is changed for this branch only."""
    global _media_is_away
    if _sending is None:
        return
    call, route, hop = _sending
    mark = call.mark
    if call.had_offer and not media.offer(mark, to_callee=True, is_announced=bool(call.is_announced)):
        _media_is_away = True
        KSR.set_drop()
        return
    call_id = text("$ci")
    drop_headers()
    if route["carrier"]:
        KSR.textops.remove_hf("Identity")  # a PBX vouches for nobody: who calls is what we say (R8.2)
    seal_contact(mark, call_id, hop)
    if mark.is_shifted:
        shift_cseq(1)
    set_from_and_to(route["from"], route["to"])
    pai = f"P-Asserted-Identity: <sip:{route['pai']}@{DOMAIN}>\r\n" if route["pai"] else ""
    KSR.hdr.append(f"{pai}Privacy: id\r\nUser-Agent: Trunkline\r\n" if route["privacy"] else f"{pai}User-Agent: Trunkline\r\n")
    KSR.rr.add_rr_param(mark_parameter(mark, call_id))
    KSR.rr.record_route()
    if "transport=tcp" in route["dst"] or "transport=tls" in route["dst"]:
        # a PBX behind NAT: the connection that it opened is the only way to it
        KSR.set_forward_no_connect()


def _give_up(call: Call) -> None:
    """The INVITE did not leave."""
    phrase = "Media relay away" if _media_is_away else "No route"
    _report_failed(call, 503, phrase, "edge")
    reply(503, "Service Unavailable", RETRY_AFTER)


# What comes back


def replied() -> None:
    """A reply to the INVITE, before it is relayed."""
    status = pv("$rs")
    call = recall() if status > 100 else None
    if call is None:
        return
    if status >= 300 and KSR.sanity.sanity_check(READABLE, NO_URIS) <= 0:
        KSR.pvx.avp_sets("unreadable", "1")
        return
    mark = call.mark
    drop_headers()
    set_from_and_to(call.from_uri if call.sent_from != call.from_uri else "", call.to_uri if call.sent_to != call.to_uri else "")
    if mark.is_shifted:
        shift_cseq(-1)
    if status >= 300:
        return
    if mark.has_media and media.description():
        _answer_media(call)
    if status >= 200:
        beyond = callee_routes()
        _report_answered(call, seal_contact(mark, text("$ci"), first_hop(beyond)), beyond)
    else:
        _ring(status, call)


def _ring(status: int, call: Call) -> None:
    """Only when a provisional reply is acknowledged are there requests inside the early dialog, and anybody needs its Contact."""
    if KSR.hdr.is_present("RSeq") > 0:
        _note_names(call)
        seal_contact(call.mark, text("$ci"), first_hop(callee_routes()))
    else:
        KSR.textops.remove_hf("Contact")
    if status >= 180 and not pv("$avp(rang)"):
        KSR.pvx.avp_sets("rang", str(now_us()))


def _note_names(call: Call) -> None:
    """For requests inside the dialog."""
    if call.sent_from != call.from_uri or call.sent_to != call.to_uri:
        KSR.dialog.var_sets("sent", f"{call.sent_from}\n{call.sent_to}")


def _answer_media(call: Call) -> None:
    """If the INVITE came without a description this one is the offer, and the ACK brings the answer."""
    done = media.answer() if call.had_offer else media.offer(call.mark, to_callee=False, is_announced=bool(call.is_announced))
    if not done:
        KSR.err(f"RTPengine did not take the description of call {call.ref}\n")
        media.withhold()


def _report_answered(call: Call, contact: str, beyond: list[str]) -> None:
    """Once; a 2xx is repeated until its ACK comes."""
    if pv("$avp(answered)"):
        return
    KSR.pvx.avp_sets("answered", "1")
    _note_names(call)
    if call.is_announced and call.mark.has_media and not media.announce():
        KSR.err(f"RTPengine did not announce the echo test of call {call.ref}\n")
    legs = (
        f'{call.caller_leg},"to_tag":{quoted(text("$tt"))},"sent_from":{quoted(call.sent_from)},"sent_to":{quoted(call.sent_to)},'
        f'"callee_contact":{quoted(contact)},"callee_dst":"{source_address()}","callee_sock":"{our_socket()}","callee_routes":{_listed(beyond)}'
    )
    report(
        "ans",
        f'"c":"{call.ref}","route":{call.route},"ring_at":{pv("$avp(rang)") or 0},"legs":{{{legs}}},'
        f'"codec":{quoted(media.codec())},"tried":[{pv("$avp(tried)") or ""}]',
    )


# When it fails


def failed() -> None:
    """Failure route: the next route, credentials, or the end."""
    call = recall()
    if call is None:
        return
    if KSR.tm.t_is_canceled() > 0:
        _end(call, 487, "Request Terminated", "caller")
        return
    is_time_out = KSR.tm.t_branch_timeout() > 0
    status = 408 if is_time_out else int(pv("$T_reply_code"))
    routes = json.loads(pv("$avp(routes)") or "[]")
    index = int(call.route)
    if status in (401, 407) and routes and _authenticate(call, routes[index]):
        return
    if index + 1 < len(routes) and _may_try(routes[index + 1], status):
        _note_tried(index, status)
        _follow(call._replace(route=str(index + 1)), routes, int(pv("$avp(expires)")), first_hop(header_values("Record-Route")))
        return
    if routes:
        _note_tried(index, status)
    _end(call, status, "Request Timeout" if is_time_out else text("$T_rpl($rr)"), "timeout" if is_time_out else "callee")
    _replace_final(status)


def _may_try(route: dict[str, Any], status: int) -> bool:
    """Never after ringing: somebody may be about to answer, and everything above 5xx is a person's decision."""
    if pv("$avp(rang)"):
        return False
    return status == 488 if route.get("after_488") else status == 408 or 500 <= status < 600


def _replace_final(status: int) -> None:
    shown = MOVED if 300 <= status < 400 else NEVER_SHOWN.get(status)
    if not shown and pv("$avp(unreadable)"):
        shown = (status, "Refused")
    if shown:
        KSR.tm.t_reply(*shown)


def _authenticate(call: Call, route: dict[str, Any]) -> bool:
    """Answer the carrier's challenge, once."""
    if not route.get("auth") or call.mark.is_shifted:
        return False
    KSR.pv.sets("$avp(auth_user)", route["auth"][0])
    KSR.pv.sets("$avp(auth_password)", route["auth"][1])
    if KSR.uac.uac_auth() <= 0:
        return False
    again = call._replace(traits=call.traits + "x")
    _remember(again)
    return _relay(_Sending(again, route, first_hop(header_values("Record-Route"))))


def _end(call: Call, status: int, phrase: str, by: str) -> None:
    media.end(call.mark)
    _report_failed(call, status, phrase, by)


def _note_tried(index: int, status: int) -> None:
    before = pv("$avp(tried)")
    KSR.pvx.avp_sets("tried", f"{before},[{index},{status}]" if before else f"[{index},{status}]")


def _report_failed(call: Call, status: int, phrase: str, by: str) -> None:
    report(
        "fail",
        f'"c":"{call.ref}","status":{status},"phrase":{quoted(cleaned(phrase, 128))},"by":"{by}","ring_at":{pv("$avp(rang)") or 0},'
        f'"tried":[{pv("$avp(tried)") or ""}]',
    )
