"""What call control counts, for Prometheus (docs/reference/metrics.md)."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram, start_http_server

ATTEMPTS = Counter("trunkline_attempts_total", "Attempts decided, by outcome: admitted, or the refusal's name", ["outcome"])
SETTLED = Counter("trunkline_calls_settled_total", "Calls that are over, by result", ["result"])
UNPAID = Counter("trunkline_unpaid_seconds_total", "Talk time that nobody paid: the operator's loss")
EVENTS = Counter("trunkline_journal_events_total", "Journal events read")
NOT_UNDERSTOOD = Counter("trunkline_not_understood_total", "Questions and journal lines that did not fit the protocol")
SET_ASIDE = Counter("trunkline_set_aside_total", "Events and questions that failed alone and were set aside")
CUTS = Counter("trunkline_calls_cut_total", "Calls that call control told the edge to end")
RECONCILED = Counter("trunkline_reconciled_total", "Calls that were not there any more when the engines were asked")
LIVE = Gauge("trunkline_live_calls", "Calls in progress, ringing ones included")
TURN_SECONDS = Histogram(
    "trunkline_turn_seconds", "Time of one turn: load, decide, write, commit", buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2)
)


def count(attempts: Mapping[str, int], settled: Mapping[str, int]) -> None:
    """Once for each turn: a counter costs more than a dictionary."""
    for outcome, number in attempts.items():
        ATTEMPTS.labels(outcome).inc(number)
    for result, number in settled.items():
        SETTLED.labels(result).inc(number)


def serve(port: int) -> None:
    """Answer scrapes on loopback."""
    start_http_server(port, addr="127.0.0.1")
