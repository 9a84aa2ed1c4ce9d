"""Carrier health: what Kamailio's dispatcher finds out with OPTIONS (R6.1)."""

from __future__ import annotations

from .journal import report
from .text import pv


def changed(event: str) -> None:
    """`dispatcher:dst-up` or `dispatcher:dst-down`. A carrier's set in the list is its id."""
    is_up = event.endswith("-up")
    report("carrier", f'"id":{pv("$dsv(setid)")},"up":{int(is_up)},"status":{pv("$dsv(code)") or 0}')
