"""A mailbox that tests wait on: whatever does not match stays for a later expectation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

WAIT_SECONDS = 5.0  # how long any expectation waits unless the test says otherwise


class Inbox(Generic[T]):
    def __init__(self) -> None:
        self._items: list[T] = []
        self._arrival = asyncio.Event()

    def put(self, item: T) -> None:
        self._items.append(item)
        self._arrival.set()

    def __len__(self) -> int:
        return len(self._items)

    async def take(self, within: float, fits: Callable[[T], bool] = lambda _: True) -> T:
        """The oldest item that fits, waiting for it if need be; TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while True:
                for item in self._items:
                    if fits(item):
                        self._items.remove(item)
                        return item
                self._arrival.clear()
                await self._arrival.wait()
