"""The three contests: calls with direct media, calls through RTPengine, registrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bare import bare_system
from bench.contest import Contender, Say, contest, post_dial_delay
from bench.instance import Instance


@dataclass(frozen=True)
class Mode:
    """`parts`: what bare Kamailio's configuration needs for it. `media`: which of Trunkline's profiles."""

    name: str
    scenario: str
    parts: tuple[str, ...]
    media: str


MODES = {
    mode.name: mode
    for mode in (
        Mode("signalling", "caller", (), "direct"),
        Mode("media", "caller", ("MEDIA",), "relay"),
        Mode("register", "registrant", ("REGISTER",), "direct"),
    )
}


@dataclass(frozen=True)
class Plan:
    """How long all takes: trials of so many seconds, so many of them for each system."""

    seconds: float
    rounds: dict[str, int]
    delay_repeats: int

    @classmethod
    def full(cls, seconds: float | None) -> Plan:
        return cls(seconds or 7.0, {"signalling": 11, "media": 7, "register": 7}, 3)

    @classmethod
    def quick(cls, seconds: float | None) -> Plan:
        return cls(seconds or 3.0, {"signalling": 4, "media": 3, "register": 3}, 1)


def run_mode(mode: Mode, instance: Instance, plan: Plan, scratch: Path, say: Say) -> dict[str, Any]:
    say(f"{mode.name}:")
    with _contenders(mode, instance, scratch) as contenders:
        contest(mode.scenario, contenders, rounds=plan.rounds[mode.name], seconds=plan.seconds, say=say)
        found = figures(contenders)
        if mode.scenario == "caller":
            bare, _, trunkline = contenders
            rate = max(1, trunkline.highest // 2)
            delays = post_dial_delay([bare, trunkline], rate=rate, repeats=plan.delay_repeats, seconds=plan.seconds, say=say)
            added = {f"added_{which}": round(delays["trunkline"][which] - delays["bare"][which], 2) for which in ("p50", "p99")}
            found["post_dial_delay_ms"] = delays | added | {"at_per_second": rate}
    return found


@contextmanager
def _contenders(mode: Mode, instance: Instance, scratch: Path) -> Iterator[list[Contender]]:
    directory = scratch / mode.name
    directory.mkdir()
    with ExitStack() as started:
        bare = started.enter_context(bare_system(directory, "HIDING", *mode.parts))
        minimal = started.enter_context(bare_system(directory, *mode.parts))
        yield [
            Contender("bare", bare.address, bare.users, bare.groups),
            Contender("minimal", minimal.address, minimal.users, minimal.groups),
            Contender("trunkline", instance.address, instance.users[mode.media], instance.groups),
        ]


def figures(contenders: list[Contender]) -> dict[str, Any]:
    highest = {contender.name: contender.highest for contender in contenders}
    return {
        **{f"{name}_per_second": rate for name, rate in highest.items()},
        "ratio": _ratio(highest["trunkline"], highest["bare"]),
        "ratio_minimal": _ratio(highest["trunkline"], highest["minimal"]),
        "cpu_ms_per_call": {contender.name: contender.cpu_ms_per_call() for contender in contenders},
        "trials": {contender.name: [[trial.rate, trial.clean] for trial in contender.trials] for contender in contenders},
    }


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0
