"""The audit, run from the console: who asked and what came of it is kept (SPEC R4.4, R12)."""

from __future__ import annotations

from datetime import datetime

from trunkline.store.audit import Audit, audit
from trunkline.store.work import By, work

CHECKED = "ledger.checked"


def check_ledger(*, now: datetime, by: By) -> Audit:
    """Reads everything at one moment; takes seconds with millions of postings."""
    found = audit()
    with work(now=now, by=by) as doing:
        after = {"differences": len(found.differences), "postings": found.checked["postings"], "accounts": found.checked["accounts"]}
        doing.audit(CHECKED, "ledger", after=after)
    return found
