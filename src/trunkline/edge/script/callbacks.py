"""Where Kamailio comes in. Every callback is guarded: an exception in a callback would drop the message without a word."""

from __future__ import annotations

import functools
import gc
import traceback
from collections.abc import Callable
from typing import Any

import KSR

from . import calls, dialogs, hiding, identity, probes, question, registrar, routes, strays
from .answers import ALLOW, reply
from .journal import report
from .place import ANSWER_PROCESSES, EDGE_NAME
from .text import is_plain, pv, quoted, text

FIRST_WORKER = 1
MAX_FORWARDS = 70
CONTINUE = 1
FEW_COLLECTIONS = (50_000, 20, 50)
MESSAGE_BYTES_MAX = 16 * 1024
"""Calls must fit into the datagrams in which they are ended. An INVITE with video, ISUP and a signature has half of this."""
ALL_BUT_DIGEST, NO_URIS = 0x3E7, 0
"""What the sanity module looks at by itself, less credentials."""
UNSOUND = (
    (0x001, 505, "Version Not Supported"),
    (0x002, 400, "Bad Request-URI"),
    (0x004, 400, "Missing Header"),
    (0x020, 400, "Bad CSeq Method"),
    (0x040, 400, "Bad CSeq Number"),
    (0x080, 400, "Bad Content-Length"),
    (0x100, 400, "Bad Expires"),
    (0x800, 400, "Bad Credentials"),
)
"""Each of them, in the order in which it looks, and what is said when it finds something."""
KNOWN_METHODS = frozenset(["MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO", "REFER", "UPDATE", "PRACK", "BYE"])

Callback = Callable[..., int]


def guarded(*, answers: bool, drops: bool = False) -> Callable[[Callable[..., None]], Callback]:
    """`answers`: a failure is answered with 500 (400 if the sender wrote what only we write). `drops`: what would leave half dressed does not."""

    def guard(body: Callable[..., None]) -> Callback:
        @functools.wraps(body)
        def run(*arguments: Any) -> int:
            try:
                body(*arguments)
            except Exception as problem:
                _log_failure(body.__name__, problem)
                if drops:
                    KSR.set_drop()
                if answers:
                    _answer_failure(problem)
            return CONTINUE

        return run

    return guard


def _log_failure(where: str, problem: Exception) -> None:
    if isinstance(problem, hiding.SpoofedError):
        KSR.notice(f"{where}: a header that only we write: {problem}\n")
    else:
        KSR.err(f"{where} failed:\n{''.join(traceback.format_exception(problem))}\n")


def _answer_failure(problem: Exception) -> None:
    try:
        if isinstance(problem, hiding.SpoofedError):
            reply(400, "Bad Request")
        else:
            reply(500, "Server Internal Error")
    except Exception as worse:
        KSR.err(f"and could not be answered: {worse!r}\n")


class Edge:
    """Kamailio calls its methods by name."""

    def child_init(self, rank: int) -> int:
        if rank == FIRST_WORKER:
            report("boot", f'"edge":{quoted(EDGE_NAME)}')
        return 0

    @guarded(answers=True)
    def ksr_request_route(self, message: Any) -> None:
        if KSR.maxfwd.process_maxfwd(MAX_FORWARDS) < 0:
            reply(483, "Too Many Hops")
            return
        method = text("$rm")
        if method == "CANCEL":
            if KSR.tm.t_check_trans() > 0:
                KSR.tm.t_relay()
            else:
                reply(481, "Call/Transaction Does Not Exist")
        elif KSR.siputils.has_totag() > 0:
            dialogs.request(method)
        else:
            _outside(method)

    @guarded(answers=True)
    def ksr_answered(self, message: Any) -> None:
        calls.answered()

    @guarded(answers=True)
    def ksr_unanswered(self, message: Any) -> None:
        calls.unanswered()

    @guarded(answers=True)
    def ksr_unasked(self, message: Any) -> None:
        calls.unasked()

    @guarded(answers=False, drops=True)
    def ksr_dress(self, message: Any) -> None:
        routes.dress()

    @guarded(answers=False)
    def ksr_invite_reply(self, message: Any) -> None:
        routes.replied()

    @guarded(answers=True)
    def ksr_invite_failed(self, message: Any) -> None:
        routes.failed()

    @guarded(answers=False)
    def ksr_inside_reply(self, message: Any) -> None:
        dialogs.replied()

    @guarded(answers=False)
    def ksr_stray_reply(self, message: Any) -> None:
        strays.reply()

    @guarded(answers=False)
    def ksr_local_request(self, message: Any, event: str) -> None:
        if event == "tm:local-request":
            dialogs.local_request()

    @guarded(answers=False)
    def ksr_carrier(self, message: Any, event: str) -> None:
        probes.changed(event)


def _answer_process(number: int) -> Callback:
    @guarded(answers=False)
    def run(self: Edge, message: Any, timer: str) -> None:
        question.serve_answers(number, calls.abandoned)

    return run


for _number in range(ANSWER_PROCESSES):
    setattr(Edge, f"ksr_answers_{_number}", _answer_process(_number))


def _outside(method: str) -> None:
    """Requests outside any dialog."""
    if not _is_sound():
        return
    KSR.textops.remove_hf("Route")
    if method == "INVITE":
        _one_copy_at_a_time(calls.invite)
    elif method == "REGISTER":
        _one_copy_at_a_time(registrar.register)
    elif method == "ACK":
        KSR.tm.t_check_trans()
    elif identity.may_hear():
        _tell_what_we_do(method)


def _one_copy_at_a_time(body: Callable[[], None]) -> None:
    """A copy that another worker meets between the making of a transaction and its suspension would make tm drop it as an orphan (Kamailio
    6.1.5, `t_unref`): then the call fails though everybody answers. With the lock it comes too early or finds a suspended one."""
    call_id = text("$ci")
    KSR.cfgutils.lock(call_id)
    try:
        body()
    finally:
        KSR.cfgutils.unlock(call_id)


def _is_sound() -> bool:
    """False: answered, unless the sender is a flood."""
    if pv("$ml") > MESSAGE_BYTES_MAX:
        if identity.may_hear():
            reply(513, "Message Too Large")
        return False
    if KSR.sanity.sanity_check_defaults() < 0 and not _has_other_credentials():
        if identity.may_hear():
            reply(*_what_is_wrong())
        return False
    if is_plain(text("$ci")) and is_plain(text("$ft")):
        return True
    if identity.may_hear():
        reply(400, "Bad Request")
    return False


def _has_other_credentials() -> bool:
    """Nothing is wrong but that they are no digest; those of another scheme are none (RFC 4475, 3.3.7)."""
    shown = [text("$hdr(Authorization)"), text("$hdr(Proxy-Authorization)")]
    is_digest = any(each.lstrip().lower().startswith("digest") for each in shown)
    return not is_digest and KSR.sanity.sanity_check(ALL_BUT_DIGEST, NO_URIS) > 0


def _what_is_wrong() -> tuple[int, str]:
    """The sanity module has an answer of its own to some of it only, and to the rest 500."""
    for check, status, phrase in UNSOUND:
        if KSR.sanity.sanity_check(check, NO_URIS) <= 0:
            return status, phrase
    return (420, "Bad Extension") if text("$hdr(Proxy-Require)") else (400, "Bad Request")


def _tell_what_we_do(method: str) -> None:
    if method == "OPTIONS":
        reply(200, "OK", f"{ALLOW}Accept: application/sdp\r\n")
    elif method in KNOWN_METHODS:
        reply(405, "Method Not Allowed", ALLOW)
    else:
        reply(501, "Not Implemented")


def mod_init() -> Edge:
    """Before Kamailio forks: what is loaded by now stays, and is not looked through for garbage again. Calls are freed by reference counting."""
    gc.freeze()
    gc.set_threshold(*FEW_COLLECTIONS)
    return Edge()
