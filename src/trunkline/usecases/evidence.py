"""Why somebody was suspended, in the words of the operator's people: in the log, but in no company's (SPEC R12)."""

from __future__ import annotations

from trunkline.domain.names import check_name
from trunkline.store.work import Work

KEPT = "suspension.evidence"
LONGEST = 1000


def keep_evidence(doing: Work, target: str, evidence: str) -> None:
    """An entry of the log without a company; none when there is nothing to say."""
    if evidence.strip():
        doing.audit(KEPT, target, after={"evidence": check_name(evidence, "evidence", longest=LONGEST)})
