"""What SIPp wrote down about its run."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path


def succeeded(scratch: Path, side: str) -> int:
    return int(_last_row(scratch / f"{side}.csv").get("SuccessfulCall(C)", 0))


def retransmissions(scratch: Path, side: str) -> int:
    """Sent and received."""
    rows = (_last_row(path) for path in scratch.glob(f"{side}_*_counts.csv"))
    return sum(int(count) for row in rows for name, count in row.items() if name.endswith("_Retrans"))


def response_times_ms(scratch: Path, side: str) -> Iterator[float]:
    """A row for each: moment, milliseconds with their fractions, name of the timer."""
    for path in scratch.glob(f"{side}_*_rtt.csv"):
        with path.open() as file:
            yield from (float(row[1]) for row in csv.reader(file, delimiter=";") if len(row) > 2 and row[1][:1].isdigit())


def unexpected_statuses(scratch: Path, side: str) -> Counter[str]:
    """A row for each second: moment; seconds since the start; statuses with commas between them."""
    found: Counter[str] = Counter()
    for path in scratch.glob(f"{side}_*_error_codes.csv"):
        for line in path.read_text().splitlines():
            found.update(status for status in line.split(";")[-1].split(",") if status.isdigit())
    return found


def _last_row(path: Path) -> dict[str, str]:
    """SIPp adds a row each second; all are cumulative."""
    with path.open() as file:
        rows = list(csv.reader(file, delimiter=";"))
    return dict(zip(rows[0], rows[-1], strict=False)) if len(rows) > 1 else {}
