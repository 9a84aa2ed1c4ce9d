"""An INVITE without To tag: who sends it, and may it go on."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import KSR

from . import breaker, directory, media, registrar, routes
from .answers import call_control_away, reply, source_address
from .hiding import note_real_address
from .identity import challenge, challenge_stranger, may_hear, proven
from .journal import report
from .place import now_us
from .question import ask, take
from .text import address_uri, cleaned, field, pv, quoted, text


def invite(*, is_resumed: bool = False) -> None:
    """Carriers and PBXs with a fixed address are known by their source; everybody else proves who he is."""
    source = directory.source(pv("$si"), pv("$sp"))
    is_known = source is not None and source.kind != "none"
    if not is_known and pv("$au") is None:
        _introduce(source, is_resumed=is_resumed)
    elif not is_resumed and not _hold():
        return
    elif source is not None and is_known:
        admit(source.kind, source.ident)
    else:
        proof = proven(is_resumed=is_resumed, is_held=True)
        if proof is not None:
            admit("profile", proof.profile)


def _hold() -> bool:
    """Make the transaction, before a nonce is counted: a retransmission must not be challenged. False: this is one, or the other side could never
    send anything back, not even that the call is over."""
    if not note_real_address():
        if may_hear():
            reply(400, "Contact not usable")
        return False
    return bool(KSR.tm.t_newtran() > 0)


def _introduce(source: directory.Source | None, *, is_resumed: bool) -> None:
    """Neither his address nor credentials say who sends."""
    if is_resumed:
        challenge()
    elif source is not None:
        challenge_stranger()
    elif may_hear():  # a flood of unknown addresses must not become a flood of questions
        _ask_source()


def _ask_source() -> None:
    if not breaker.lets_through():
        call_control_away()
    elif _hold():
        ask(f'"q":"src","ip":"{pv("$si")}","port":{pv("$sp")},"proto":"{pv("$proto")}"')


def admit(kind: str, ident: int) -> None:
    """Ask whether the call may go on."""
    if not breaker.lets_through():
        call_control_away()
    else:
        identity = f"{kind}:{ident}|{text('$ci')}|{text('$ft')}|{pv('$cs')}"
        key = blake2b(identity.encode(), digest_size=16).hexdigest()
        KSR.pvx.avp_sets("key", key)
        ask(
            f'"q":"admit","key":"{key}","from_kind":"{kind}","from_id":{ident},"ruri":{field("$rU")},"to_user":{field("$tU")},'
            f'"from_user":{field("$fU")},"pai":{_asserted()},"anonymous":{_is_anonymous()},"src":"{source_address()}",'
            f'"call_id":{field("$ci")},"user_agent":{field("$ua")},"srtp":{_offers_srtp()},"at":{now_us()}'
        )


def _offers_srtp() -> int:
    """-1: there is no offer yet."""
    offer = media.description()
    return int("RTP/SAVP" in offer) if offer else -1


def _asserted() -> str:
    """The user part of P-Asserted-Identity, as JSON: what a PBX claims. Call control decides what becomes of it."""
    header = text("$hdr(P-Asserted-Identity)")
    if not header:
        return '""'
    user = address_uri(header).partition(":")[2].partition("@")[0].partition(";")[0]
    return quoted(cleaned(user, 128))


def _is_anonymous() -> int:
    return int(text("$fU").lower() == "anonymous" or "id" in text("$hdr(Privacy)").lower().replace(";", " ").split())


# Continuing


def answered() -> None:
    """Call control has answered; the present transaction is the one that asked."""
    answer = take()
    if "go" in answer:
        if answer["go"]:
            routes.start(answer)
        else:
            reply(answer["status"], answer["phrase"], answer.get("headers", ""))
    elif "contact" in answer:
        registrar.tell_binding(answer)
    else:
        _learn(answer)
        if KSR.is_REGISTER():
            registrar.register(is_resumed=True)
        else:
            invite(is_resumed=True)


def _learn(answer: dict[str, Any]) -> None:
    if "ok" in answer:
        directory.learn_user(text("$au"), answer)
    else:
        directory.learn_source(pv("$si"), pv("$sp"), answer)


def unanswered() -> None:
    """Time-out of a question, in its failure route; or the caller gave up meanwhile."""
    is_cancelled = KSR.tm.t_is_canceled() > 0
    if not is_cancelled:
        breaker.note_time_out()
    _report_given_up("caller" if is_cancelled else "edge")
    if not is_cancelled:
        call_control_away()


def unasked() -> None:
    """The question could not even be sent."""
    _report_given_up("edge")
    call_control_away()


def _report_given_up(by: str) -> None:
    """By key, since the call has no reference yet: should call control find the question later, it is not to be a call."""
    key = pv("$avp(key)")
    if key:
        status, phrase = (487, "Request Terminated") if by == "caller" else (503, "Service Unavailable")
        report("fail", f'"key":"{key}","status":{status},"phrase":"{phrase}","by":"{by}","ring_at":0,"tried":[]')


def abandoned(answer: dict[str, Any]) -> None:
    """An allowed call that nobody waits for any more must not hold a channel and money."""
    if answer.get("go"):
        report("fail", f'"c":"{answer["call"]}","status":487,"phrase":"Request Terminated","by":"caller","ring_at":0,"tried":[]')
