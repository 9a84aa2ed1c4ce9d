"""What a demonstration consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trunkline.domain.errors import Problem
from trunkline.lab.asterisk import LabError


class DemonstrationError(RuntimeError):
    """Something went otherwise than it should."""


@dataclass(frozen=True)
class Step:
    name: str
    ok: bool
    detail: str


def attempt(name: str, act: Callable[[], str]) -> Step:
    """`act` returns what it saw."""
    try:
        return Step(name, ok=True, detail=act())
    except (DemonstrationError, LabError, Problem) as problem:
        return Step(name, ok=False, detail=str(problem))
