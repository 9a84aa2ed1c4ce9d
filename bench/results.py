"""What a SIPp wrote down about its run, in its directory."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


def succeeded(directory: Path) -> int:
    return int(_last_row(directory / "caller.csv").get("SuccessfulCall(C)", 0))


def retransmissions(directory: Path) -> int:
    """Sent and received."""
    rows = (_last_row(path) for path in directory.glob("*_counts.csv"))
    return sum(int(count) for row in rows for name, count in row.items() if name.endswith("_Retrans"))


class Response(NamedTuple):
    """`at_ms`: when it came; `after_ms`: how long after its request."""

    at_ms: float
    after_ms: float


def responses(directory: Path) -> list[Response]:
    """In the order in which they came. A row for each: moment, milliseconds with their fractions, name of the timer."""
    found = []
    for path in directory.glob("*_rtt.csv"):
        with path.open() as file:
            found += [Response(float(row[0]), float(row[1])) for row in csv.reader(file, delimiter=";") if row[0][:1].isdigit()]
    return sorted(found)


def rate_reached(found: Sequence[Response]) -> float:
    """Requests a second, by when they were sent; first and last hundredth left out."""
    sent_ms = sorted(response.at_ms - response.after_ms for response in found)
    edge = len(sent_ms) // 100
    middle = sent_ms[edge : len(sent_ms) - edge]
    duration_ms = middle[-1] - middle[0] if middle else 0.0
    return (len(middle) - 1) / duration_ms * 1000 if duration_ms else 0.0


def unexpected_statuses(directory: Path) -> Counter[str]:
    """A row for each second: moment; seconds since the start; statuses with commas between them."""
    found: Counter[str] = Counter()
    for path in directory.glob("*_error_codes.csv"):
        for line in path.read_text().splitlines():
            found.update(status for status in line.split(";")[-1].split(",") if status.isdigit())
    return found


def _last_row(path: Path) -> dict[str, str]:
    """SIPp adds a row each second; all are cumulative."""
    with path.open() as file:
        rows = list(csv.reader(file, delimiter=";"))
    return dict(zip(rows[0], rows[-1], strict=False)) if len(rows) > 1 else {}
