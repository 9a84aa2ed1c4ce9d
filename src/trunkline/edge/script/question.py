"""Asking call control without waiting for it.

A worker suspends the transaction, sends its question from the socket of an answer process, and goes on with the next message. Those processes
(`serve_answers`) read their sockets and continue the transaction. Nobody blocks, so a call control that is frozen costs nothing but the calls that
ask it: those get 503 when `ASK_TIMEOUT_MS` is over, later ones at once (`breaker`).

A question's number is the transaction's index and label: an answer finds its call without a table.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import KSR

from . import breaker
from .place import ANSWER_PROCESSES, ASK_TIMEOUT_MS, RUN_DIR
from .text import pv

CALL_CONTROL = f"{RUN_DIR}/callcontrol.sock"
ANSWERS_BYTES_MAX = 16 * 1024
AWAY = (FileNotFoundError, ConnectionRefusedError)
OVERFLOW_SECONDS = 0.002
_decode = json.JSONDecoder().raw_decode  # what `json.loads` ends in
OVERFLOW_PACKETS = 256


def _bind(path: str) -> socket.socket:
    with suppress(FileNotFoundError):
        os.unlink(path)  # of a Kamailio that was killed
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    made.bind(path)
    os.chmod(path, 0o600)
    return made


# Opened before Kamailio forks, so that every worker can send and each answer process receive from its own.
_sockets = [_bind(f"{RUN_DIR}/edge-answers-{number}.sock") for number in range(ANSWER_PROCESSES)]
# Questions that found call control's own queue full; packets, so that many workers can write and each read gives one.
_overflow_read, _overflow_write = os.pipe2(os.O_DIRECT | os.O_NONBLOCK | os.O_CLOEXEC)
fcntl.fcntl(_overflow_write, fcntl.F_SETPIPE_SZ, OVERFLOW_PACKETS * select.PIPE_BUF)

answer: dict[str, Any] = {}
"""What is being continued, in the answer process."""
_taken = False


def ask(question: str) -> None:
    """Suspend the present transaction and ask; `question` is JSON fields without `n`. `ksr_answered` or `ksr_unanswered` goes on."""
    KSR.tm.t_on_failure("ksr_unanswered")
    KSR.tm.t_set_fr(ASK_TIMEOUT_MS, ASK_TIMEOUT_MS)
    if KSR.tmx.t_suspend() < 0:
        raise RuntimeError("the transaction cannot be suspended")
    index, label = pv("$T(id_index)"), pv("$T(id_label)")
    data = f'{{"n":{index << 32 | label},{question}}}'.encode()
    try:
        _sockets[label % ANSWER_PROCESSES].sendto(data, CALL_CONTROL)
    except BlockingIOError:
        _put_aside(data, index, label)
    except AWAY:
        breaker.trip(breaker.GONE_DECISECONDS)
        KSR.tmx.t_continue(index, label, "ksr_unasked")


def _put_aside(data: bytes, index: int, label: int) -> None:
    """Call control does not keep up just now: an answer process sends it as soon as there is room."""
    try:
        if len(data) <= select.PIPE_BUF:
            os.write(_overflow_write, data)
            return
    except BlockingIOError:
        pass
    KSR.tmx.t_continue(index, label, "ksr_unasked")


def serve_answers(number: int, abandoned: Callable[[dict[str, Any]], None]) -> None:
    """An answer process: for ever. Of several, the first one also sends what was put aside."""
    poll = select.epoll()
    poll.register(_sockets[number], select.EPOLLIN)
    if number == 0:
        poll.register(_overflow_read, select.EPOLLIN)
    waiting: list[bytes] = []
    while True:
        for descriptor, _ in poll.poll(OVERFLOW_SECONDS if waiting else -1):
            if descriptor == _overflow_read:
                waiting.append(os.read(_overflow_read, select.PIPE_BUF))
            else:
                _take_answers(_sockets[number].recv(ANSWERS_BYTES_MAX), abandoned)
        while waiting and _sent(waiting[0]):
            waiting.pop(0)


def _sent(question: bytes) -> bool:
    """True also if call control is gone: those who wait have their time-out."""
    try:
        _sockets[0].sendto(question, CALL_CONTROL)
    except BlockingIOError:
        return False
    except AWAY:
        breaker.trip(breaker.GONE_DECISECONDS)
    return True


def _take_answers(lines: bytes, abandoned: Callable[[dict[str, Any]], None]) -> None:
    """What call control decided in one turn: a line for each."""
    breaker.close()
    for line in lines.split(b"\n"):
        try:
            _continue(_decode(line.decode())[0], abandoned)
        except Exception as problem:
            KSR.err(f"an answer that cannot be used ({problem!r}): {line!r}\n")


def _continue(received: dict[str, Any], abandoned: Callable[[dict[str, Any]], None]) -> None:
    """Go on with the call that asked. `abandoned` hears of an answer that nobody waits for any more: cancelled, timed out, or asked by a
    Kamailio that is gone."""
    global answer, _taken
    answer, _taken = received, False
    number = received["n"]
    KSR.tmx.t_continue(number >> 32, number & 0xFFFFFFFF, "ksr_answered")
    if not _taken:
        abandoned(received)


def take() -> dict[str, Any]:
    """The answer, for the continuation."""
    global _taken
    _taken = True
    return answer
