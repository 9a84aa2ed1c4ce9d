"""The torture messages of RFC 4475, as a stranger sends them: a clear answer, or silence where SIP says so."""

from __future__ import annotations

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.security.instance import WholeInstance
from tests.security.strangers import SILENCE, Sender, ask_over_tcp, status_of

pytestmark = pytest.mark.engines

VIA_PORT = re.compile(rb"(?:^|\n)(?:v|via)\s*:[^;]*?[\w\]]:(\d{1,5})", re.IGNORECASE)
CHALLENGES = {"401", "407"}
# What a registrar that wants a password may say. Who can't be understood at all, or sends a reply to nothing, hears nothing.
ANSWERS = {
    "200": ("badaspec", "badbranch", "lwsdisp", "semiuri", "transports", "trws"),
    "challenge": (
        "baddate", "cparam01", "cparam02", "esc01", "escnull", "escruri", "invut", "longreq", "regaut01", "regbadct", "regescrt",
        "sdp01", "unksm2",
    ),
    "400": ("baddn", "clerr", "inv2543", "mismatch01", "mismatch02", "novelsc", "scalar02", "unkscm", "ltgtruri"),
    "405": ("mpart01",),
    "420": ("bext01",),
    "483": ("zeromf",),
    SILENCE: ("bcast", "bigcode", "noreason", "scalarlg", "unreason"),
}  # fmt: skip
EXPECTED = {name: status for status, names in ANSWERS.items() for name in names}


def fits(name: str, answer: str) -> bool:
    """Whatever is not listed is malformed in a way that permits silence; never is it taken for a proper request."""
    wanted = EXPECTED.get(name)
    if wanted is None:
        return answer == SILENCE or answer.startswith("4")
    return answer in CHALLENGES if wanted == "challenge" else answer == wanted


def ask_all_over_udp(instance: WholeInstance, messages: dict[str, bytes]) -> dict[str, str]:
    """Answers go to the port that Via names: each is sent from there, from an address that no other test run has."""
    hosts = (f"{instance.network}.{number}" for number in itertools.count(1))
    with ExitStack() as stack:
        senders = {}
        for name, message in messages.items():
            port = VIA_PORT.search(message)
            senders[name] = stack.enter_context(Sender(instance.server, next(hosts), int(port[1]) if port else 5060))
            senders[name].send(message)
        waits = iter([1.0])  # while the first one waits, the others' answers come
        return {name: final_of(sender.answers(within=next(waits, 0.05))) for name, sender in senders.items()}


def final_of(answers: list[bytes]) -> str:
    return next((str(status) for answer in answers if (status := status_of(answer)) >= 200), SILENCE)


def test_over_udp(instance: WholeInstance, torture_messages: dict[str, bytes]) -> None:
    answers = ask_all_over_udp(instance, torture_messages)
    # sent in two messages, the second without the first one's head: only the first can be answered
    answers.pop("dblreq")
    # these answers go to a port that the message hides well
    wrong = {name: answer for name, answer in answers.items() if not fits(name, answer) and name != "ltgtruri"}
    assert wrong == {}


def test_over_tcp(instance: WholeInstance, torture_messages: dict[str, bytes]) -> None:
    """A connection may also be closed without a word: where the next message begins can't be known."""
    with ThreadPoolExecutor(len(torture_messages)) as crowd:
        sent = {name: crowd.submit(ask_over_tcp, instance.server, message) for name, message in torture_messages.items()}
        answers = {name: final_of(re.split(rb"(?=SIP/2\.0 \d)", asked.result())[1:]) for name, asked in sent.items()}
    wrong = {name: answer for name, answer in answers.items() if answer != SILENCE and name != "dblreq" and not fits(name, answer)}
    assert wrong == {}
    assert answers["dblreq"] in CHALLENGES
    assert [name for name in ANSWERS["200"] if answers[name] != "200"] == []
