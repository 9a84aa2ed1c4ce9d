"""How many calling channels does a company need? (SPEC R3.7)

Erlang B: of calls that come at random to `n` channels, and go away when all are taken, the share that is turned away. Exact fractions: the
recursion 1/B(n) = 1 + n/a · 1/B(n-1), 1/B(0) = 1, where `a` is the traffic in Erlang, that is hours of talk in an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from trunkline.domain.channels import MOST_CHANNELS, rounded_channels
from trunkline.domain.errors import Invalid

HOUR_SECONDS = 3600
BLOCKED = Fraction(1, 100)
"""One call of a hundred in the busiest hour finds no channel."""

EMPLOYEE_SECONDS = 240
"""An assumption: in the busiest hour an employee talks to the outside for four minutes. People who sell or support by telephone talk more."""

EMPLOYEES = (5, 10, 25, 50, 100, 250, 500, 1000, 2500)
QUARTER_US = 15 * 60 * 1_000_000
QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Advice:
    """`channels` None: more than a SIP Profile can have. `busy_seconds`: of talk in the busiest hour, which it is for."""

    channels: int | None
    busy_seconds: int
    words: str


def channels_for(busy_seconds: int, blocked: Fraction = BLOCKED) -> int | None:
    """The fewest channels that turn away at most this share of the calls, as they are sold; None: more than 300."""
    if busy_seconds < 0:
        raise Invalid("busy_seconds", "Talk time is zero or more.")
    if not 0 < blocked < 1:
        raise Invalid("blocked", "The share of calls that find no channel must be between 0 and 1, such as 0.01.")
    inverse = Fraction(1)
    for channels in range(1, MOST_CHANNELS + 1):
        inverse = 1 + Fraction(channels * HOUR_SECONDS, max(busy_seconds, 1)) * inverse
        if inverse * blocked >= 1:
            return _sold(channels)
    return None


def advise_by_traffic(busy_seconds: int, blocked: Fraction = BLOCKED) -> Advice:
    channels = channels_for(busy_seconds, blocked)
    return Advice(channels, busy_seconds, f"for {busy_seconds // 60} minutes of talk in the busiest hour")


def advise_by_employees(employees: int, seconds_each: int = EMPLOYEE_SECONDS) -> Advice:
    if employees < 1:
        raise Invalid("employees", "Give the number of employees, 1 or more.")
    channels = channels_for(employees * seconds_each)
    words = f"for {employees} employees, if each talks to the outside for {seconds_each // 60} minutes in the busiest hour"
    return Advice(channels, employees * seconds_each, words)


def guideline() -> list[tuple[int, int | None]]:
    """The table: employees, channels."""
    return [(employees, advise_by_employees(employees).channels) for employees in EMPLOYEES]


def busiest_hour_seconds(talk_seconds_by_quarter: Mapping[int, int]) -> int:
    """The most talk in any four quarters of an hour that follow each other. Keys are their beginnings in microseconds."""
    hours = (sum(talk_seconds_by_quarter.get(start + n * QUARTER_US, 0) for n in range(QUARTERS)) for start in talk_seconds_by_quarter)
    return max(hours, default=0)


def _sold(channels: int) -> int:
    """Above 100 they are sold by tens: rounded up, or too many calls would be turned away."""
    rounded = rounded_channels(channels)
    return rounded if rounded >= channels else rounded + 10
