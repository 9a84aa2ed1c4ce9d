"""The bench: what its output has, and the arithmetic that nobody sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import place, results
from bench.contest import Contender, percentiles
from bench.load import Trial
from bench.modes import MODES, figures
from bench.processes import Machine
from bench.staircase import SMALLEST_STEP, Staircase
from tests.ports import FIRST_PORTS

ROOT = Path(__file__).parents[2]
RATES = ("bare_per_second", "minimal_per_second", "stock_per_second", "trunkline_per_second", "ratio", "ratio_minimal", "ratio_stock")


def climbed(limit: int, *, first: int, rounds: int) -> Staircase:
    """On a machine that is clean up to `limit`."""
    staircase = Staircase(first)
    for _ in range(rounds):
        staircase.note(clean=staircase.rate <= limit)
    return staircase


@pytest.mark.parametrize("first", [100, 900, 1100, 5000])
def test_a_staircase_finds_the_limit_from_above_and_below(first: int) -> None:
    found = climbed(1000, first=first, rounds=16).highest
    assert 1000 * (1 - 2 * SMALLEST_STEP) <= found <= 1000


def test_one_disturbed_trial_does_not_decide() -> None:
    staircase = Staircase(800)
    for number in range(20):
        staircase.note(clean=staircase.rate <= 1000 and number != 2)
    assert 900 <= staircase.highest <= 1000


def test_never_clean_is_zero_and_always_clean_is_the_highest_tried() -> None:
    assert climbed(0, first=100, rounds=3).highest == 0
    assert climbed(10**9, first=100, rounds=3).highest == 225


def test_failures_and_many_retransmissions_are_not_clean() -> None:
    assert trial(calls=2000, retransmissions=2).clean
    assert not trial(calls=2000, retransmissions=3).clean
    assert not trial(calls=2000, succeeded=1999).clean


def test_percentiles() -> None:
    assert percentiles([float(number) for number in range(1, 1000)]) == (500.0, 990.0)
    assert percentiles([]) == (0.0, 0.0)


def test_what_sipp_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "caller.csv").write_text("CurrentCall;SuccessfulCall(C);\n2;3;\n0;41;\n")
    (tmp_path / "caller_1_counts.csv").write_text("CurrentTime;0_INVITE_Sent;0_INVITE_Retrans;7_BYE_Retrans;\nnow;9;1;0;\nnow;41;1;2;\n")
    (tmp_path / "caller_1_rtt.csv").write_text("Date_ms;response_time_ms;rtd_name\n1.5;0.25;ring\n20.5;12.5;ring\n")
    (tmp_path / "caller_1_error_codes.csv").write_text("now;00:00:01;\nnow;00:00:02;503,503,\nnow;00:00:03;486,\n")
    assert results.succeeded(tmp_path) == 41
    assert results.retransmissions(tmp_path) == 3
    assert results.responses(tmp_path) == [(1.5, 0.25), (20.5, 12.5)]
    assert results.unexpected_statuses(tmp_path) == {"503": 2, "486": 1}


def test_a_load_generator_that_does_not_keep_up_is_not_clean() -> None:
    sent = [results.Response(at_ms=number * 1.0 + 5, after_ms=5.0) for number in range(1000)]
    assert results.rate_reached(sent) == pytest.approx(1000)
    assert trial(rate=1000, rate_reached=results.rate_reached(sent)).clean
    assert not trial(rate=1100, rate_reached=results.rate_reached(sent)).clean


def test_figures_of_a_contest() -> None:
    found = figures([contender("bare", 2000), contender("minimal", 4000), contender("stock", 1600), contender("trunkline", 1200)])
    assert [found[name] for name in RATES] == [2000, 4000, 1600, 1200, 0.6, 0.3, 0.75]
    assert found["cpu_ms_per_call"]["trunkline"] == {"kamailio": 0.5}


def test_one_bench_runs_at_a_time() -> None:
    name = f"trunkline-bench-test-{os.getpid()}"
    with place.reserved(name), pytest.raises(RuntimeError, match="Another bench"), place.reserved(name):
        pass
    with place.reserved(name):
        pass


def test_no_test_takes_the_ports_of_the_bench() -> None:
    used = [*place.SIPP_MEDIA_PORTS, *(value for name, value in vars(place).items() if name.endswith("_PORT"))]
    used += [int(str(value)) for name, value in place.TRUNKLINE_SETTINGS.items() if name.endswith("_PORT")]
    assert max(used) < min(FIRST_PORTS)


@pytest.mark.slow
@pytest.mark.engines
def test_a_real_run_prints_one_object_last() -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--only", "register", "--seconds", "1", "--json-only"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["audit"]["ok"] is True
    assert found["machine"]["processors"] >= 1
    register = found[MODES["register"].name]
    assert all(register[name] > 0 for name in RATES)
    assert register["cpu_ms_per_call"]["trunkline"]["kamailio"] > 0


def trial(
    *, rate: int = 100, calls: int = 1000, succeeded: int | None = None, retransmissions: int = 0, rate_reached: float = 1e6
) -> Trial:
    return Trial(
        rate=rate,
        calls=calls,
        succeeded=calls if succeeded is None else succeeded,
        retransmissions=retransmissions,
        cpu_seconds={"kamailio": 0.5 * calls / 1000},
        machine=Machine(1.0, 0.0),
        ring_ms=[1.0],
        rate_reached=rate_reached,
        unexpected={},
    )


def contender(name: str, limit: int) -> Contender:
    """One that climbed, and turned exactly at its limit."""
    staircase = Staircase(limit)
    staircase.note(clean=True)
    staircase.note(clean=False)
    return Contender(name, "127.0.0.1", [], {}, [trial(rate=limit)], staircase)
