"""An Asterisk that talks and listens: each call plays a melody of its own and keeps what it hears.

Calls are made by call files, through the dialplan's context `internal`, as an extension of that PBX would. What became of them stands
in one file, a line each: `took <id> <number> <caller>` when a call was taken, `heard <id>` when its
recording is complete, and `ended <id> <DIALSTATUS> <HANGUPCAUSE> <SIP response>` (`-` for a status: we were the callee).
"""

from __future__ import annotations

import array
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trunkline.lab.asterisk import Asterisk
from trunkline.lab.melody import PROVEN, likeness, melody

ANSWER_SECONDS = 30.0  # length of the melody that callees play, over and over
RING_SECONDS = 60

_DIALPLAN = """
[lab-dial]
exten => _[+0-9a-z].,1,Set(CHANNEL(hangup_handler_push)=lab-over,s,1)
 same => n,ExecIf($["${LAB_CALLER}" != ""]?Set(CALLERID(num)=${LAB_CALLER}))
 same => n,Goto(internal,${EXTEN},1)

[lab-speak]
exten => s,1,Set(CHANNEL(hangup_handler_push)=lab-heard,s,1)
 same => n,MixMonitor(${LAB_DIR}/${LAB_ID}-mixed.sln,nr(${LAB_DIR}/${LAB_ID}-heard.sln))
 same => n,Playback(${LAB_DIR}/${LAB_ID})
 same => n,Hangup()

[lab-answer]
exten => _[+0-9].,1,Set(LAB_ID=${UNIQUEID})
 same => n,Set(CHANNEL(hangup_handler_push)=lab-over,s,1)
 same => n,Set(CHANNEL(hangup_handler_push)=lab-heard,s,1)
 same => n,Answer()
 same => n,Set(FILE(${LAB_DIR}/calls,,,al,u)=took ${LAB_ID} ${EXTEN} ${CALLERID(num)})
 same => n,MixMonitor(${LAB_DIR}/${LAB_ID}-mixed.sln,nr(${LAB_DIR}/${LAB_ID}-heard.sln))
 same => n(again),Playback(${LAB_DIR}/answer)
 same => n,Goto(again)

[lab-heard]
exten => s,1,StopMixMonitor()
 same => n,Set(FILE(${LAB_DIR}/calls,,,al,u)=heard ${LAB_ID} -)
 same => n,Return()

[lab-over]
exten => s,1,Set(LAB_SIP=${HANGUPCAUSE(${CUT(HANGUPCAUSE_KEYS(),\\,,1)},tech)})
 same => n,Set(FILE(${LAB_DIR}/calls,,,al,u)=ended ${LAB_ID} ${IF($["${DIALSTATUS}" = ""]?-:${DIALSTATUS})} ${HANGUPCAUSE} ${LAB_SIP})
 same => n,Return()
"""


@dataclass(frozen=True)
class Heard:
    """What one side of a call heard."""

    recording: Path

    def samples(self) -> list[int]:
        if not self.recording.exists():
            return []
        found = array.array("h", self.recording.read_bytes()[: self.recording.stat().st_size // 2 * 2])
        if sys.byteorder == "big":
            found.byteswap()
        return found.tolist()

    def likeness(self, seed: str) -> float:
        return likeness(seed, self.samples())

    def proves(self, seed: str) -> bool:
        """The melody of `seed` was heard: not silence, not a tone, not somebody else."""
        return self.likeness(seed) >= PROVEN


@dataclass(frozen=True)
class Ended:
    """How a call ended; for the one who made it `sip` is the last answer of the other side, e.g. `SIP 402 Payment Required`."""

    dial_status: str
    cause: int
    sip: str
    heard: Heard

    @property
    def answered(self) -> bool:
        return self.dial_status == "ANSWER"


@dataclass(frozen=True)
class Taken:
    """A call that somebody made to us."""

    id: str
    number: str
    caller: str
    heard: Heard


class Talker:
    """`files` need a context `internal` in extensions.conf; `lab-answer` is there for its extensions to go to."""

    def __init__(self, directory: Path, files: Mapping[str, str], root: Path | None, rtp_ports: tuple[int, int]) -> None:
        self.seed = secrets.token_hex(8)  # of the melody that callees play
        self.calls_dir = directory / "spool" / "calls"
        dialplan = f"[globals]\nLAB_DIR={self.calls_dir}\n\n{files['extensions.conf']}\n{_DIALPLAN}"
        self.asterisk = Asterisk(directory, {**files, "extensions.conf": dialplan}, root, rtp_ports)

    def start(self) -> None:
        self.asterisk.start()
        if "No objects found" in self.asterisk.cli("pjsip show transports"):  # it boots all the same
            self.asterisk.stop()
            raise self.asterisk.error("its SIP port is taken")
        self.calls_dir.mkdir()
        self._write_melody("answer", self.seed, ANSWER_SECONDS)

    def stop(self) -> None:
        self.asterisk.stop()

    def _write_melody(self, name: str, seed: str, seconds: float) -> None:
        samples = array.array("h", melody(seed, seconds))
        if sys.byteorder == "big":
            samples.byteswap()
        (self.calls_dir / f"{name}.sln").write_bytes(samples.tobytes())

    def call(self, number: str, seconds: float = 3.0, caller: str = "") -> str:
        """Dial `number`; once answered, play the call's melody for some seconds and hang up. Its id, which is also its melody's seed."""
        call_id = secrets.token_hex(8)
        self._write_melody(call_id, call_id, seconds)
        lines = [
            f"Channel: Local/{number}@lab-dial/n",
            f"WaitTime: {RING_SECONDS}",
            "MaxRetries: 0",
            "Context: lab-speak",
            "Extension: s",
            f"Setvar: __LAB_ID={call_id}",
            f"Setvar: __LAB_CALLER={caller}",
            "",
        ]
        draft = self.calls_dir / f"{call_id}.call"
        draft.write_text("\n".join(lines), encoding="ascii")
        draft.rename(self.asterisk.directory / "spool" / "outgoing" / draft.name)
        return call_id

    def ended(self, call_id: str, within_seconds: float = 30.0) -> Ended:
        """Wait until a call that we made or took is over, and its recording complete."""
        self.asterisk.wait(lambda: self._over(call_id), f"call {call_id} to end", within_seconds)
        dial_status, cause, *sip = self.note("ended", call_id)
        return Ended(dial_status, int(cause or 0), " ".join(sip), self._heard(call_id))

    def _over(self, call_id: str) -> bool:
        ended = self.note("ended", call_id)
        return bool(ended) and (ended[0] not in ("ANSWER", "-") or bool(self.note("heard", call_id)))

    def taken(self, number: str, within_seconds: float = 10.0) -> Taken:
        """Wait for a call to `number`; the latest, if there were several. It may still be going on."""
        self.asterisk.wait(lambda: self._taken(number), f"a call to {number}", within_seconds)
        call_id, caller = self._taken(number)[-1]
        return Taken(call_id, number, caller, self._heard(call_id))

    def _taken(self, number: str) -> list[tuple[str, str]]:
        return [(line[1], line[3] if len(line) > 3 else "") for line in self._lines() if line[0] == "took" and line[2] == number]

    def note(self, kind: str, call_id: str) -> list[str]:
        """What the dialplan wrote down about a call, or nothing."""
        return next((line[2:] for line in self._lines() if line[:2] == [kind, call_id]), [])

    def _lines(self) -> Iterator[list[str]]:
        journal = self.calls_dir / "calls"
        if journal.exists():
            for line in journal.read_text(encoding="utf-8").splitlines():
                yield line.split()

    def _heard(self, call_id: str) -> Heard:
        return Heard(self.calls_dir / f"{call_id}-heard.sln")
