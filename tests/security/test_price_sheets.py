"""`./trunkline prices import` of files that are no price list: one clear message, exit status 1, and the prices are as they were."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.security.instance import WholeInstance

pytestmark = pytest.mark.engines

HEADER = b"prefix,destination,rate\n"
RIGHT = b"44,United Kingdom,0.02\n"
LARGE_BYTES = 100 << 20

# What the message says, beside the line number.
WRONG = {
    "empty": (b"", "no lines below its header"),
    "only a header": (HEADER, "no lines below its header"),
    "binary": (bytes(range(256)) * 50, "not UTF-8"),
    "an archive": (b"PK\x03\x04" + bytes(200), "no column 'prefix'"),
    "NUL": (HEADER + b"44,Uni\0ted,0.02\n", "NUL"),
    "another delimiter": (b"prefix|destination|rate\n44|UK|0.02\n", "no column 'prefix'"),
    "huge number": (HEADER + b"44,UK,99999999999999999999\n", "is not an amount"),
    "number in scientific notation": (HEADER + b"44,UK,1e9\n", "is not an amount"),
    "not a number": (HEADER + b"44,UK,NaN\n", "is not an amount"),
    "negative": (HEADER + b"44,UK,-0.02\n", "is negative"),
    "more decimals than money has": (HEADER + b"44,UK,0.0000001\n", "more than 6 decimals"),
    "two prices for a prefix": (HEADER + RIGHT + b"44,Again,0.03\n", "prefix 44 is on line 2 too"),
    "a formula as prefix": (HEADER + b'"=1+1",UK,0.02\n', "prefix"),
    "a formula as rate": (HEADER + b'44,UK,"=HYPERLINK(""http://x"")"\n', "is not an amount"),
    "SQL": (HEADER + b'"44\'; DROP TABLE store_price; --",UK,0.02\n', "prefix"),
    "a name with an escape sequence": (HEADER + b"44,\x1b[2JUK,0.02\n", "destination"),
    "an open quotation mark": (HEADER + b'44,"UK,0.02\n', "quotation marks"),
    "more cells than columns": (HEADER + b"44,UK,0,02\n", "4 cells under 3 headers"),
    "a prefix of words": (HEADER + b"forty four,UK,0.02\n", "prefix"),
    "a range of everything": (HEADER + b"0-99999999,UK,0.02\n", "the range 0-99999999"),
    "another currency": (b"prefix,destination,rate,currency\n44,UK,0.02,EUR\n", "EUR"),
    "an end before its beginning": (b"prefix,destination,rate,from,until\n44,UK,0.02,2027-02-01,2027-01-01\n", "ends before"),
}


def prices(instance: WholeInstance) -> list[tuple[object, ...]]:
    return instance.rows("SELECT prefix, destination, rate_per_minute_micros, effective_until FROM store_price ORDER BY id")


def test_what_is_wrong_changes_nothing_and_is_said_clearly(instance: WholeInstance, tmp_path: Path) -> None:
    before = prices(instance)

    def imported(number: int) -> subprocess.CompletedProcess[str]:
        sheet = tmp_path / f"{number}.csv"
        sheet.write_bytes(list(WRONG.values())[number][0])
        return instance.trunkline("prices", "import", "Retail", str(sheet), check=False)

    with ThreadPoolExecutor(4) as crowd:
        for (name, (_, told)), done in zip(WRONG.items(), crowd.map(imported, range(len(WRONG))), strict=True):
            assert (done.returncode, "Traceback" in done.stderr) == (1, False), (name, done.stderr)
            assert told in done.stderr, (name, done.stderr)
            assert "line " in done.stderr, (name, done.stderr)
            assert done.stderr.replace("\n", "").isprintable(), (name, ascii(done.stderr))
            assert len(done.stderr) < 1000, (name, done.stderr)
    assert prices(instance) == before


def test_a_file_that_is_far_too_large(instance: WholeInstance, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    with sheet.open("wb") as file:
        file.write(HEADER)
        os.truncate(file.fileno(), LARGE_BYTES)
    done = instance.trunkline("prices", "import", "Retail", str(sheet), check=False)
    assert done.returncode == 1
    assert "larger than 32 MiB" in done.stderr


def test_errors_without_end_are_counted_not_listed(instance: WholeInstance, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(HEADER + b"44,UK,-1\n" * 20_000)
    done = instance.trunkline("prices", "import", "Retail", str(sheet), check=False)
    assert done.returncode == 1
    assert "and 19950 more lines with errors" in done.stderr
    assert len(done.stderr.splitlines()) < 60


@pytest.mark.parametrize("missing", ["nothing.csv", "."])
def test_what_is_no_file(instance: WholeInstance, missing: str) -> None:
    done = instance.trunkline("prices", "import", "Retail", missing, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
