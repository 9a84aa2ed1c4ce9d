"""Is each payment that succeeded in the ledger, and does each posting of a payment have one? Joined in by `store.audit` (SPEC R4.1)."""
# ruff: noqa: S608 - the statements are made of each other, of nothing that anybody typed

from __future__ import annotations

# As `usecases.credit` and `usecases.payment_steps` name them: one that was booked by hand has the Manager's id and the operator's reference.
_KEY = """'payment/' || CASE y.provider
    WHEN 'booked' THEN CAST(y.manager_id AS TEXT) || '/' || substr(y.reference, length('m' || CAST(y.manager_id AS TEXT) || '.booked.') + 1)
    ELSE CAST(y.id AS TEXT) END"""
_DUE = "CASE y.state WHEN 'succeeded' THEN y.amount_micros ELSE 0 END"

# Each gives (what, whose, what follows, what is stored) where the last two differ.
CHECKS = {
    "payment_posted": f"""
        SELECT 'payment', y.id, coalesce(p.amount, 0), {_DUE} FROM store_payment y LEFT JOIN store_posting p ON p.key = {_KEY}
        WHERE coalesce(p.amount, 0) <> {_DUE} ORDER BY y.id""",
    "posting_payment": f"""
        SELECT 'posting', p.id, p.amount, 0 FROM store_posting p
        LEFT JOIN (SELECT {_KEY} AS key FROM store_payment y) named ON named.key = p.key
        WHERE p.kind = 'payment' AND named.key IS NULL ORDER BY p.id""",
}
