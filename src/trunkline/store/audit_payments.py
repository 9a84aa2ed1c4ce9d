"""Are payments, refunds and disputes in the ledger as they are stored, and is nothing else there as a payment (SPEC R4.1)?

Joined in by `store.audit`.
"""
# ruff: noqa: S608 - the statements are made of each other, of nothing that anybody typed

from __future__ import annotations

# As `usecases.credit` and `usecases.payment_steps` name them: one that was booked by hand has the Manager's id and the operator's reference.
_KEY = """'payment/' || CASE y.provider
    WHEN 'booked' THEN CAST(y.manager_id AS TEXT) || '/' || substr(y.reference, length('m' || CAST(y.manager_id AS TEXT) || '.booked.') + 1)
    ELSE CAST(y.id AS TEXT) END"""
_DUE = "CASE y.state WHEN 'succeeded' THEN y.amount_micros ELSE 0 END"


def _left(what: str, back: str, came_back: str) -> str:
    """What a refund or dispute took from the Manager's Credit, took in all, and gave back: `taken/in all/back`, from its postings and as stored."""
    key = f"'{what}/' || CAST(y.id AS TEXT)"
    whole, returned = (f"(SELECT coalesce(sum(p.amount), 0) FROM store_posting p WHERE p.key IN ({each}, {each} || '/loss'))"
                       for each in (key, f"{key} || '/{back}'"))  # fmt: skip
    taken = f"(SELECT coalesce(sum(p.amount), 0) FROM store_posting p WHERE p.key = {key})"
    stored = f"y.taken_micros || '/' || y.amount_micros || '/' || CASE y.state WHEN '{came_back}' THEN y.amount_micros ELSE 0 END"
    return f"""
        SELECT '{what}', id, follows, stored FROM (
            SELECT y.id, {taken} || '/' || {whole} || '/' || {returned} AS follows, {stored} AS stored FROM store_{what} y
        ) sides WHERE follows <> stored ORDER BY id"""


_RETURNED = """coalesce((SELECT sum(r.amount_micros) FROM store_refund r WHERE r.payment_id = y.id AND r.state <> 'failed'), 0)
    || '/' || coalesce((SELECT sum(d.counted_micros) FROM store_dispute d WHERE d.payment_id = y.id AND d.state <> 'won'), 0)"""

# Each gives (what, whose, what follows, what is stored) where the last two differ.
CHECKS = {
    "payment_posted": f"""
        SELECT 'payment', y.id, coalesce(p.amount, 0), {_DUE} FROM store_payment y LEFT JOIN store_posting p ON p.key = {_KEY}
        WHERE coalesce(p.amount, 0) <> {_DUE} ORDER BY y.id""",
    "posting_payment": f"""
        SELECT 'posting', p.id, p.amount, 0 FROM store_posting p
        LEFT JOIN (SELECT {_KEY} AS key FROM store_payment y) named ON named.key = p.key
        WHERE p.kind = 'payment' AND named.key IS NULL ORDER BY p.id""",
    "refund_posted": _left("refund", "back", "failed"),
    "dispute_posted": _left("dispute", "won", "won"),
    "payment_returned": f"""
        SELECT 'payment', y.id, {_RETURNED}, y.refunded_micros || '/' || y.disputed_micros FROM store_payment y
        WHERE {_RETURNED} <> y.refunded_micros || '/' || y.disputed_micros ORDER BY y.id""",
}
