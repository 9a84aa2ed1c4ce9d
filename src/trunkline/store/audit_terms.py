"""Does what runs for a time follow from its postings? Joined in by `store.audit` (SPEC R3, R5)."""
# ruff: noqa: S608 - the statements are made of each other, of nothing that anybody typed

from __future__ import annotations

_PAID = "coalesce((SELECT p.amount FROM store_posting p WHERE p.key = 'term/' || CAST(t.id AS TEXT)), 0)"
_REFUNDED = "coalesce((SELECT p.amount FROM store_posting p WHERE p.key = 'term/' || CAST(t.id AS TEXT) || '/refund'), 0)"
_LEFT = """(t.granted_seconds
    - coalesce((SELECT sum(p.amount) FROM store_posting p WHERE p.debit_id = t.minutes_id), 0)
    + coalesce((SELECT sum(p.amount) FROM store_posting p WHERE p.credit_id = t.minutes_id AND p.kind <> 'minutes_granted'), 0))"""
_THING = (
    "coalesce(t.kind || '/' || CAST(coalesce(t.number_id, t.profile_id) AS TEXT) || '/' || CAST(coalesce(t.product_id, 0) AS TEXT), '')"
)
_OVER = "CASE WHEN t.ended_at < t.ends_at THEN t.ended_at ELSE t.ends_at END"

# Each gives (what, whose, what follows, what is stored) where the last two differ.
CHECKS = {
    "term_channels": """
        SELECT 'profile', s.id, coalesce(t.quantity, 0), s.channels FROM store_profile s
        LEFT JOIN store_term t ON t.profile_id = s.id AND t.kind = 'channels' AND t.ended_at IS NULL
        WHERE s.channels <> coalesce(t.quantity, 0) ORDER BY s.id""",
    "term_bundles": """
        SELECT 'profile', s.id, s.channels, b.bundles FROM store_profile s
        JOIN (SELECT profile_id, sum(quantity) AS bundles FROM store_term WHERE kind = 'bundle' AND ended_at IS NULL GROUP BY profile_id) b
            ON b.profile_id = s.id
        WHERE s.channels > 0 AND b.bundles > s.channels ORDER BY s.id""",
    "term_price": f"""
        SELECT 'term', t.id, {_PAID}, t.price_micros FROM store_term t WHERE t.price_micros <> {_PAID} ORDER BY t.id""",
    "term_refund": f"""
        SELECT 'term', t.id, {_REFUNDED}, t.refunded_micros FROM store_term t WHERE t.refunded_micros <> {_REFUNDED} ORDER BY t.id""",
    "term_minutes": f"""
        SELECT 'term', t.id, {_LEFT}, a.balance FROM store_term t JOIN store_account a ON a.id = t.minutes_id
        WHERE a.balance <> {_LEFT} ORDER BY t.id""",
    "term_overlap": f"""
        SELECT 'term', id, before, id FROM (
            SELECT t.id, t.starts_at, lag(t.id) OVER w AS before, lag({_OVER}) OVER w AS ended FROM store_term t
            WINDOW w AS (PARTITION BY {_THING} ORDER BY t.starts_at, t.id)
        ) periods WHERE starts_at < ended ORDER BY id""",
}
