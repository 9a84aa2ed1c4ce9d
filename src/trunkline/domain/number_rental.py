"""What a company agrees to when it rents an Online Number (SPEC R7.1)."""

from __future__ import annotations

USUAL_TERMS = (
    "The number is rented by the month and renewed, and paid from the Manager's Credit, until it is cancelled.",
    "Cancelled, or not paid for, it returns to the operator and may be given to somebody else.",
    "It is not for emergency calls: nobody who answers them learns where you are from it.",
)


def rental_terms(more: str, residency: str) -> tuple[str, ...]:
    """The usual ones, then those of the number itself."""
    rule = f"Who may rent it: {residency}" if residency else ""
    return (*USUAL_TERMS, *filter(None, (rule, more.strip())))


def agreement(e164: str, more: str, residency: str) -> str:
    """What is kept of it."""
    return "\n".join((f"+{e164}", *rental_terms(more, residency)))
