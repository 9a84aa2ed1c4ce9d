"""Several systems on one staircase each, in turns: what disturbs the machine for a minute disturbs all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.load import Trial, User, run_trial
from bench.processes import machine_facts
from bench.staircase import Staircase

HELLO_RATE = 10
"""Nobody knows us yet: whoever begins with hundreds of calls a second, before one password of his has fitted, is taken for a flood."""
WARM_UP_RATE = 300
HELLO_SECONDS = 1.0
USABLE = 0.9
"""Of the processors, for a guess at what they could do: calls get cheaper with the rate, and other things dearer."""
SETTLE_SECONDS = 0.5
SETTLE_AFTER_FAILURE_SECONDS = 2.0

Say = Callable[[str], None]


@dataclass
class Contender:
    """A running system. `trials`: the staircase's, without the warm-up."""

    name: str
    address: str
    users: Sequence[User]
    groups: Mapping[str, set[int]]
    trials: list[Trial] = field(default_factory=list)
    staircase: Staircase | None = None

    def attempt(self, scenario: str, rate: int, seconds: float, say: Say) -> Trial:
        trial = run_trial(scenario, self.address, self.users, self.groups, rate=rate, seconds=seconds)
        say(f"  {self.name:10} {described(trial)}")
        time.sleep(SETTLE_SECONDS if trial.clean else SETTLE_AFTER_FAILURE_SECONDS)
        return trial

    def warm_up(self, scenario: str, seconds: float, say: Say) -> None:
        """The first calls fill caches; and what they cost says where to begin."""
        self.attempt(scenario, HELLO_RATE, HELLO_SECONDS, say)
        trial = self.attempt(scenario, WARM_UP_RATE, seconds, say)
        self.staircase = Staircase(_affordable(trial))

    def climb(self, scenario: str, seconds: float, say: Say) -> None:
        assert self.staircase is not None
        trial = self.attempt(scenario, self.staircase.rate, seconds, say)
        self.trials.append(trial)
        self.staircase.note(clean=trial.clean)
        if all(each.clean for each in self.trials):
            self.staircase.rate = max(self.staircase.rate, _affordable(trial))

    @property
    def highest(self) -> int:
        return self.staircase.highest if self.staircase else 0

    def cpu_ms_per_call(self) -> dict[str, float]:
        """Median of the clean trials; of all if none was clean."""
        trials = [trial for trial in self.trials if trial.clean] or self.trials
        return {name: round(median(trial.cpu_ms_per_call()[name] for trial in trials), 3) for name in trials[0].cpu_seconds}


def _affordable(trial: Trial) -> int:
    """The rate that the processors could do at the price that a call had in this trial."""
    seconds_per_call = sum(trial.cpu_seconds.values()) / trial.calls
    return round(USABLE * int(str(machine_facts()["processors"])) / seconds_per_call)


def climb_in_turns(scenario: str, contenders: Sequence[Contender], *, rounds: int, seconds: float, say: Say) -> None:
    for _ in range(rounds):
        for contender in contenders:
            contender.climb(scenario, seconds, say)


def post_dial_delay(contenders: Sequence[Contender], *, rate: int, repeats: int, seconds: float, say: Say) -> dict[str, dict[str, float]]:
    """p50 and p99 at one rate, in turns; each the median over the repeats, so that one hiccup of the machine is not the answer."""
    seen: dict[str, list[tuple[float, float]]] = {contender.name: [] for contender in contenders}
    for _ in range(repeats):
        for contender in contenders:
            trial = contender.attempt("caller", rate, seconds, say)
            seen[contender.name].append(percentiles(trial.ring_ms))
    return {
        name: {"p50": round(median(p50 for p50, _ in found), 2), "p99": round(median(p99 for _, p99 in found), 2)}
        for name, found in seen.items()
    }


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """p50 and p99."""
    if len(values) < 2:
        return (values[0], values[0]) if values else (0.0, 0.0)
    cuts = quantiles(values, n=100)
    return cuts[49], cuts[98]


def described(trial: Trial) -> str:
    p50, p99 = percentiles(trial.ring_ms)
    verdict = "clean" if trial.clean else f"{trial.calls - trial.succeeded} failed, {trial.retransmissions} retransmitted"
    if not trial.reached:
        verdict += f", only {trial.rate_reached:.0f}/s sent"
    refused = " ".join(f"{status}×{count}" for status, count in sorted(trial.unexpected.items()))
    cost = " ".join(f"{name} {cost:.2f}" for name, cost in trial.cpu_ms_per_call().items() if cost >= 0.005)
    return f"{trial.rate:5}/s  {verdict}{f' ({refused})' if refused else ''}; ms: p50 {p50:.1f} p99 {p99:.1f}, of CPU {cost}"
