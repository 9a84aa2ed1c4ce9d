"""Everything that an agent sent and received, with its time: the evidence a failing test shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.siptest.message import Message

_SHOWN = 60


class UnmetError(AssertionError):
    """An expectation that was not met; its text ends with the transcript."""


@dataclass(frozen=True)
class Entry:
    at: float  # seconds, time.monotonic()
    sent: bool
    peer: str
    raw: bytes
    message: Message | None
    note: str = ""

    def line(self, start: float) -> str:
        arrow = "-->" if self.sent else "<--"
        what = self.message.start if self.message else repr(self.raw[:80])
        cseq = f"  [{self.message.get('cseq')}]" if self.message and self.message.is_response else ""
        return f"{self.at - start:8.3f} {arrow} {self.peer}  {what}{cseq}{self.note}"


@dataclass
class Transcript:
    """`full()` has the messages themselves, `str()` the ladder."""

    name: str
    started: float = field(default_factory=time.monotonic)
    entries: list[Entry] = field(default_factory=list)

    def add(self, sent: bool, peer: str, raw: bytes, message: Message | None, note: str = "") -> None:
        self.entries.append(Entry(time.monotonic(), sent, peer, raw, message, note))

    def messages(self, sent: bool, matching: Callable[[Message], bool] = lambda _: True) -> Iterator[Message]:
        for entry in self.entries:
            if entry.sent is sent and entry.message and matching(entry.message):
                yield entry.message

    def received(self, method: str = "", status: int = 0, call_id: str = "") -> list[Message]:
        """What came in: requests of `method` (status 0), or responses with `status` (to `method`, if named)."""

        def fits(message: Message) -> bool:
            return message.status == status and (not method or message.method == method) and (not call_id or message.call_id == call_id)

        return list(self.messages(False, fits))

    def full(self) -> str:
        return "\n\n".join(entry.line(self.started) + "\n" + entry.raw.decode("utf-8", "replace") for entry in self.entries)

    def __str__(self) -> str:
        lines = [entry.line(self.started) for entry in self.entries[-_SHOWN:]]
        return "\n".join([f"transcript of {self.name}:", *(lines or ["  (nothing)"])])

    def unmet(self, what: str) -> UnmetError:
        return UnmetError(f"{what}\n{self}")
