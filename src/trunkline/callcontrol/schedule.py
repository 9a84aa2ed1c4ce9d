"""When each call needs attention next."""

from __future__ import annotations

import heapq


class Schedule:
    """A heap of (moment, call). A call has one moment; setting another forgets the old one."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._due_us: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._due_us)

    def set(self, call_ref: int, due_us: int) -> None:
        """Wake for this call at `due_us`."""
        self._due_us[call_ref] = due_us
        heapq.heappush(self._heap, (due_us, call_ref))

    def cancel(self, call_ref: int) -> None:
        """Never wake for this call."""
        self._due_us.pop(call_ref, None)

    def next_us(self) -> int | None:
        """The earliest moment set."""
        while self._heap and self._due_us.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now_us: int) -> list[int]:
        """The calls whose moment has come, earliest first; each is forgotten."""
        due = []
        while (moment := self.next_us()) is not None and moment <= now_us:
            _, call_ref = heapq.heappop(self._heap)
            del self._due_us[call_ref]
            due.append(call_ref)
        return due
