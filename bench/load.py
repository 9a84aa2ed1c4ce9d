"""One trial: so many seconds at one rate, and what came of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench import results, sipp
from bench.processes import Machine, cpu_seconds

RETRANSMISSIONS_MAX = 0.001
"""Per call: more is not clean. An overloaded machine sends thousands."""

RATE_REACHED_MIN = 0.97
FEW_CALLS = 100
CALLERS = {"caller": 1, "registrant": 2}
"""One SIPp has one processor at most, and a REGISTER costs it as much as it costs Kamailio: one alone would be the limit."""


@dataclass(frozen=True)
class User:
    name: str
    password: str
    called: str


@dataclass(frozen=True)
class Trial:
    """`cpu_seconds` by group of processes, over the whole trial. `ring_ms`: INVITE with digest to 180 (a REGISTER: to 200), at the caller.
    `unexpected`: how often the caller got which status that it did not expect."""

    rate: int
    calls: int
    succeeded: int
    retransmissions: int
    cpu_seconds: Mapping[str, float]
    machine: Machine
    ring_ms: Sequence[float] = field(repr=False)
    rate_reached: float
    unexpected: Mapping[str, int]

    @property
    def clean(self) -> bool:
        return self.succeeded == self.calls and self.retransmissions <= RETRANSMISSIONS_MAX * self.calls and self.reached

    @property
    def reached(self) -> bool:
        """Did SIPp itself keep up?"""
        return self.calls < FEW_CALLS or self.rate_reached >= RATE_REACHED_MIN * self.rate

    def cpu_ms_per_call(self) -> dict[str, float]:
        return {name: round(seconds / self.calls * 1000, 3) for name, seconds in self.cpu_seconds.items()}


def run_trial(scenario: str, target: str, users: Sequence[User], groups: Mapping[str, set[int]], *, rate: int, seconds: float) -> Trial:
    """`scenario`: `caller` (with a carrier) or `registrant`. `groups`: the processes of the system under test, by name."""
    calls = max(1, round(rate * seconds))
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as name:
        callers, at_carrier = _directories(Path(name), CALLERS[scenario])
        _write_users(Path(name), users)
        with sipp.carrier(at_carrier) if scenario == "caller" else nullcontext() as carrier:
            before, machine_before = _spent(groups), Machine.now()
            sipp_seconds = sipp.call(callers, scenario, target, rate=rate, calls=calls)
            machine, spent = Machine.now() - machine_before, _spent(groups)
            sipp_seconds += sipp.hang_up(carrier) if carrier else 0.0
        responses = [response for caller in callers for response in results.responses(caller)]
        return Trial(
            rate=rate,
            calls=calls,
            succeeded=sum(map(results.succeeded, callers)),
            retransmissions=sum(map(results.retransmissions, [*callers, at_carrier])),
            cpu_seconds={group: spent[group] - before[group] for group in groups} | {"sipp": sipp_seconds},
            machine=machine,
            ring_ms=[response.after_ms for response in responses],
            rate_reached=results.rate_reached(responses),
            unexpected=sum(map(results.unexpected_statuses, callers), Counter()),
        )


def _directories(scratch: Path, callers: int) -> tuple[list[Path], Path]:
    """For each SIPp one of its own, to write in."""
    found = [scratch / f"c{number}" for number in range(callers + 1)]
    for directory in found:
        directory.mkdir()
    return found[:-1], found[-1]


def _write_users(scratch: Path, users: Sequence[User]) -> None:
    lines = [f"{user.name};{user.password};{user.called};" for user in users]
    (scratch / "users.csv").write_text("\n".join(["SEQUENTIAL", *lines, ""]))


def _spent(groups: Mapping[str, set[int]]) -> dict[str, float]:
    return {group: cpu_seconds(pids) for group, pids in groups.items()}
