"""Coroutines as tests, without a plug-in."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")

LONGEST_SECONDS = 60.0


def scenario(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """`@scenario async def test_x(fixture): ...` runs in a loop of its own, a minute at most."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **named), LONGEST_SECONDS))

    return run
