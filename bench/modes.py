"""The three contests: calls with direct media, calls through RTPengine, registrations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bare import bare_system
from bench.contest import Contender, Say, climb_in_turns, post_dial_delay
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
    """How long all takes: trials of so many seconds, and for each mode so many of them with each system; then so many for the post-dial delay. Well
    over the two seconds that a call lasts, or there is never the whole load."""

    seconds: float
    warm_up_seconds: float
    rounds: dict[str, int]
    delays: dict[str, int]

    @classmethod
    def full(cls, seconds: float | None) -> Plan:
        return cls(seconds or 5.0, 3.0, {"signalling": 9, "media": 6, "register": 6}, {"signalling": 3, "media": 1})

    @classmethod
    def quick(cls, seconds: float | None) -> Plan:
        return cls(seconds or 4.0, 2.0, {"signalling": 4, "media": 2, "register": 2}, {"signalling": 1})


def run_mode(mode: Mode, instance: Instance, plan: Plan, scratch: Path, say: Say) -> dict[str, Any]:
    say(f"{mode.name}:")
    with _contenders(mode, instance, scratch) as contenders:
        for contender in contenders:
            contender.warm_up(mode.scenario, plan.warm_up_seconds, say)
        climb_in_turns(mode.scenario, contenders, rounds=plan.rounds[mode.name], seconds=plan.seconds, say=say)
        found = figures(contenders)
        if repeats := plan.delays.get(mode.name):
            found["post_dial_delay_ms"] = _delay_at_half_load(contenders, repeats, plan.seconds, say)
    return found


def _delay_at_half_load(contenders: Sequence[Contender], repeats: int, seconds: float, say: Say) -> dict[str, Any]:
    """INVITE with digest to 180, at half of Trunkline's highest rate."""
    bare, trunkline = contenders[0], contenders[-1]
    rate = max(1, trunkline.highest // 2)
    delays = post_dial_delay([bare, trunkline], rate=rate, repeats=repeats, seconds=seconds, say=say)
    added = {f"added_{which}": round(delays["trunkline"][which] - delays["bare"][which], 2) for which in ("p50", "p99")}
    return delays | added | {"at_per_second": rate}


@contextmanager
def _contenders(mode: Mode, instance: Instance, scratch: Path) -> Iterator[Sequence[Contender]]:
    directory = scratch / mode.name
    directory.mkdir()
    with ExitStack() as started:
        kinds = {"bare": ("HIDING",), "minimal": (), "stock": ("HIDING", "STOCK")}
        yardsticks = {name: started.enter_context(bare_system(directory, *kind, *mode.parts)) for name, kind in kinds.items()}
        yield [
            *(Contender(name, yardstick.address, yardstick.users, yardstick.groups) for name, yardstick in yardsticks.items()),
            Contender("trunkline", instance.address, instance.users[mode.media], instance.groups),
        ]


def figures(contenders: Sequence[Contender]) -> dict[str, Any]:
    highest = {contender.name: contender.highest for contender in contenders}
    return {
        **{f"{name}_per_second": rate for name, rate in highest.items()},
        "ratio": _ratio(highest["trunkline"], highest["bare"]),
        "ratio_minimal": _ratio(highest["trunkline"], highest["minimal"]),
        "ratio_stock": _ratio(highest["trunkline"], highest["stock"]),
        "cpu_ms_per_call": {contender.name: contender.cpu_ms_per_call() for contender in contenders},
        "trials": {contender.name: [[trial.rate, trial.clean] for trial in contender.trials] for contender in contenders},
    }


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0
