"""Compare the live calls with what the engines know (DESIGN D5): at start and every 30 seconds.

Journals make sure that no event of a living Kamailio is lost; what remains are crashes and parties that vanish:

| seen | meaning | done |
|---|---|---|
| answered call, Kamailio older than it, no dialog | its end was never reported, or Kamailio lost it | BYE to both sides, settled |
| relayed call that RTPengine does not know | RTPengine was restarted, or both sides fell silent | BYE to both sides, settled |
| dialog without a live call | its end was lost, or it was never paid | BYE to both sides |

Looking is done by a thread of its own, since engines may be slow to answer; judging is done in the loop.
Nothing is done about what was seen only once. What is settled ended at the moment it was last seen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from trunkline.callcontrol.batch import EndCall
from trunkline.callcontrol.live import Calls, Live
from trunkline.domain.calls import State

log = structlog.get_logger()

MICROSECONDS = 1_000_000
EVERY_SECONDS = 30.0
AGAIN_SECONDS = 3.0
"""A suspicion is looked at again after this."""
YOUNG_US = 3 * MICROSECONDS
"""A call that was answered this shortly before the look may be missing from it for good reasons."""
REASONS = {"media": 'Reason: SIP;cause=500;text="Media lost"\r\n', "dialog": 'Reason: SIP;cause=481;text="Dialog lost"\r\n'}
REASON_UNKNOWN = 'Reason: SIP;cause=481;text="Call not known"\r\n'


@dataclass(frozen=True, slots=True)
class Look:
    """What the engines said at `at_us`: call references of dialogs with their Call-IDs, and Call-IDs whose media is gone. None: the engine did not
    answer, nothing follows from that."""

    at_us: int
    kamailio_since_us: int | None
    dialogs: Mapping[int, str] | None
    media_unknown: frozenset[str]


class Reconciler:
    """`look(call_ids)` asks the engines; `call_ids` are the SIP Call-IDs with relayed media, for RTPengine."""

    def __init__(self, look: Callable[[Iterable[str]], Look]) -> None:
        self._ask = look
        self._wake = threading.Event()
        self._wake.set()
        self._again_seconds = EVERY_SECONDS
        self._relayed: tuple[str, ...] = ()
        self._latest: Look | None = None
        self._judged: Look | None = None
        self._suspects: frozenset[int] = frozenset()
        self._last_seen_us: dict[int, int] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._look_for_ever, name="reconcile", daemon=True)
        self._thread.start()

    def is_due(self) -> bool:
        """There is a look that was not judged yet."""
        return self._latest is not None and self._latest is not self._judged

    def run(self, calls: Calls) -> list[EndCall]:
        """Judge the latest look: what is to be ended, in both directions."""
        look = self._latest
        assert look is not None
        self._judged = look
        self._relayed = tuple(_relayed(calls))
        to_end, suspects = self._judge(look, calls)
        self._again_seconds = AGAIN_SECONDS if suspects - self._suspects else EVERY_SECONDS
        self._suspects = suspects
        self._last_seen_us = {ref: us for ref, us in self._last_seen_us.items() if ref in calls.by_ref}
        self._wake.set()
        return to_end

    def _look_for_ever(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._latest is not None:
                time.sleep(self._again_seconds)
            self._latest = self._look()

    def _look(self) -> Look:
        """Whatever an engine says, the next look must come."""
        try:
            return self._ask(self._relayed)
        except Exception:
            log.exception("the engines could not be looked at")
            return Look(time.time_ns() // 1000, None, None, frozenset())

    def _judge(self, look: Look, calls: Calls) -> tuple[list[EndCall], frozenset[int]]:
        to_end, suspects = list[EndCall](), set[int]()
        for ref, live in list(calls.by_ref.items()):
            if live.call.state is not State.ANSWERED or (live.call.answered_us or 0) > look.at_us - YOUNG_US:
                continue
            problem = _problem(live, look)
            if problem is None:
                self._last_seen_us[ref] = look.at_us
                continue
            suspects.add(ref)
            if ref in self._suspects:
                to_end.append(self._conclude(live, problem))
        for ref, call_id in (look.dialogs or {}).items():
            if ref in calls.by_ref:
                continue
            suspects.add(ref)
            if ref in self._suspects:
                log.error("a dialog without a call: ending it", call=ref, call_id=call_id)
                to_end.append(EndCall(ref, look.at_us, call_id, {}, REASON_UNKNOWN))
        return to_end, frozenset(suspects)

    def _conclude(self, live: Live, problem: str) -> EndCall:
        assert live.call.answered_us is not None
        last_us = self._last_seen_us.get(live.ref, live.call.answered_us)
        log.error("a call that is not there any more", call=live.ref, problem=problem, last_seen_us=last_us)
        live.facts.trace.append(("reconciled", problem))
        return EndCall(live.ref, last_us, live.facts.sip["call_id"], live.facts.legs, REASONS[problem])


def _problem(live: Live, look: Look) -> str | None:
    if look.dialogs is not None and look.kamailio_since_us is not None:
        is_of_this_kamailio = look.kamailio_since_us < live.call.admitted_us
        if is_of_this_kamailio and live.ref not in look.dialogs:
            return "dialog"
    return "media" if live.facts.sip["call_id"] in look.media_unknown else None


def _relayed(calls: Calls) -> Iterable[str]:
    for live in calls.by_ref.values():
        if live.facts.media == "relay" and live.call.state is State.ANSWERED:
            yield live.facts.sip["call_id"]
