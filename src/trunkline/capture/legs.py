"""Which leg of a call a message belongs to. Only calls whose first INVITE was captured have legs: half a ladder explains nothing."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from trunkline.capture.messages import Message
from trunkline.store.ladders import LadderFile

REMEMBERED_MAX = 5000
MESSAGES_MAX = 400
"""Of a leg. A call that is held and resumed all day has its beginning, not all of it."""


@dataclass(slots=True)
class Leg:
    id: int
    messages: int = 0
    is_new: bool = False


class Legs:
    """By Call-ID; those of late are remembered, the others are in the file."""

    def __init__(self, file: LadderFile) -> None:
        self._file = file
        self._known: OrderedDict[str, Leg] = OrderedDict()

    def leg_of(self, message: Message, at_us: int, *, is_ours: bool) -> Leg | None:
        """None: its call's beginning was not captured. `is_new` the first time. Our own INVITE tells the call's reference; one that came in may say
        what it likes."""
        leg = self._known.get(message.call_id) or self._find(message, at_us)
        if leg is None:
            return None
        if is_ours and leg.is_new and message.call_ref is not None:
            self._file.name_leg(leg.id, message.call_ref)
        self._known[message.call_id] = Leg(leg.id, leg.messages + 1)
        self._known.move_to_end(message.call_id)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return leg

    def forget(self) -> None:
        """What was begun and not committed is gone."""
        self._known.clear()

    def _find(self, message: Message, at_us: int) -> Leg | None:
        found = self._file.find_leg(message.call_id)
        if found is not None:
            return Leg(found)
        return Leg(self._file.begin_leg(message.call_id, at_us), is_new=True) if message.begins_call else None
