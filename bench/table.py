"""`python -m bench.table < result.json`: a result as the tables of docs/explanation/performance.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

SYSTEMS = ("bare", "minimal", "stock", "trunkline")


def main() -> int:
    found = json.loads(sys.stdin.read().splitlines()[-1])
    print("\n".join(lines(found)))
    return 0


def lines(found: dict[str, Any]) -> Iterator[str]:
    modes: dict[str, Any] = {name: found[name] for name in ("signalling", "media", "register") if name in found}
    machine = found["machine"]
    yield (
        f"{machine['processors']} processors ({machine['model']}), {machine['memory_mb'] // 1024} GB, Linux {machine['kernel']};"
        f" a synced write takes {machine['disk_sync_ms']['p50']:.1f} ms; {machine['busy_when_idle']:.0%} busy before the run."
    )
    yield from _rates(modes)
    for name, mode in modes.items():
        yield from _costs(name, mode["cpu_ms_per_call"])
    delays: dict[str, Any] = {name: mode["post_dial_delay_ms"] for name, mode in modes.items() if "post_dial_delay_ms" in mode}
    if delays:
        yield from _delays(delays)
    yield f"\nAudit after the run: {'ok' if found['audit']['ok'] else found['audit']['differences']}."


def _rates(modes: dict[str, Any]) -> Iterator[str]:
    yield "\n| per second | bare, same SIP work | minimal | stock, same SIP work | Trunkline | ratio | to minimal | to stock |"
    yield "|" + "---|" * 8
    for name, mode in modes.items():
        rates = " | ".join(str(mode[f"{system}_per_second"]) for system in SYSTEMS)
        yield f"| {name} | {rates} | **{mode['ratio']:.2f}** | {mode['ratio_minimal']:.2f} | {mode['ratio_stock']:.2f} |"


def _costs(mode: str, costs: dict[str, dict[str, float]]) -> Iterator[str]:
    groups = list(dict.fromkeys(group for system in SYSTEMS for group, cost in costs[system].items() if cost >= 0.005))
    yield f"\n| {mode}: ms of CPU | {' | '.join(groups)} |\n|---|{'---|' * len(groups)}"
    for system in SYSTEMS:
        yield f"| {system} | {' | '.join(_cost(costs[system].get(group)) for group in groups)} |"


def _cost(cost: float | None) -> str:
    return "–" if cost is None else f"{cost:.2f}"


def _delays(delays: dict[str, Any]) -> Iterator[str]:
    yield "\n| INVITE to 180, ms | at calls/s | bare p50 | bare p99 | Trunkline p50 | Trunkline p99 | added p99 |\n|---|---|---|---|---|---|---|"
    for mode, delay in delays.items():
        bare, ours = delay["bare"], delay["trunkline"]
        yield (
            f"| {mode} | {delay['at_per_second']} | {bare['p50']:.1f} | {bare['p99']:.1f}"
            f" | {ours['p50']:.1f} | {ours['p99']:.1f} | **{delay['added_p99']:.1f}** |"
        )


if __name__ == "__main__":
    sys.exit(main())
