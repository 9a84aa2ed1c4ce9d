"""What a month's Credit was spent on beside calls: channels, bundles, numbers, and Credit in and out (SPEC R9.1)."""
# ruff: noqa: S608 - the statements are made of each other; whatever anybody typed is a parameter

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import connection

from trunkline.domain.months import Month
from trunkline.store.models import Account, Profile, StatementHead, Term

MOST_LINES = 10_000

# As in the indexes `posting_debit_beside` and `posting_credit_beside`: the databases compare the words.
BESIDE_CALLS = "NOT (kind IN ('call', 'call_back', 'minutes', 'minutes_back'))"
SUBSCRIPTIONS = "('channels', 'bundle', 'number', 'term_refund')"
SIDE = f"""
    SELECT id, posted_us, kind, note, {{sign}}amount AS moved, {{other}}_id AS other_side, key FROM store_posting
    WHERE {{own}}_id = %s AND id > %s AND {BESIDE_CALLS} AND posted_us >= %s AND posted_us < %s"""
MOVED = f"{SIDE.format(own='debit', other='credit', sign='-')} UNION ALL {SIDE.format(own='credit', other='debit', sign='')}"
OF_PROFILE = """
    other_side = (SELECT account_id FROM store_profile WHERE id = %s) OR key IN (
        SELECT 'term/' || id FROM store_term WHERE profile_id = %s
        UNION ALL SELECT 'term/' || id || '/refund' FROM store_term WHERE profile_id = %s)"""


@dataclass(frozen=True, slots=True)
class Allocation:
    """One movement of a Manager's Credit: `amount_micros` is negative when it left. `profile_id`: the SIP Profile that it was for, if any.

    `kind` is the posting's: channels, bundle, number, term_refund, allocate, take_back, recharge, payment, refund, ...
    """

    posting_id: int
    at_us: int
    kind: str
    note: str
    amount_micros: int
    profile_id: int | None


@dataclass(frozen=True, slots=True)
class KindSum:
    """All of a month's movements of one kind."""

    kind: str
    amount_micros: int
    count: int


def allocations_of_month(account: Account, month: Month, *, profile_id: int | None = None, most: int = MOST_LINES) -> list[Allocation]:
    """Movements of a Manager's account in the order of booking, at most `most`; for one profile: those that were for it."""
    moved, parameters = _moved(account, month, profile_id)
    rows = _all(f"SELECT id, posted_us, kind, note, moved, other_side, key FROM {moved} ORDER BY id LIMIT %s", [*parameters, most])
    profiles = _profiles_of([(ident, other_side, key) for ident, *_, other_side, key in rows])
    return [Allocation(ident, at_us, kind, note, amount, profiles.get(ident)) for ident, at_us, kind, note, amount, _, _ in rows]


def sums_of_month(account: Account, month: Month, *, profile_id: int | None = None) -> list[KindSum]:
    """Of all the movements, in the order of the first of each kind."""
    moved, parameters = _moved(account, month, profile_id)
    rows = _all(f"SELECT kind, sum(moved), count(*) FROM {moved} GROUP BY kind ORDER BY min(id)", parameters)
    return [KindSum(kind, int(amount), count) for kind, amount, count in rows]


def subscriptions_by_profile(account: Account, month: Month) -> dict[int | None, int]:
    """What channels, bundles and numbers cost in a month, less what came back of them, in micro-units; None: those of no SIP Profile."""
    moved, parameters = _moved(account, month, None)
    rows = _all(f"SELECT id, moved, other_side, key FROM {moved} WHERE kind IN {SUBSCRIPTIONS}", parameters)
    profiles = _profiles_of([(ident, other_side, key) for ident, _, other_side, key in rows])
    sums: dict[int | None, int] = defaultdict(int)
    for ident, amount, _, _ in rows:
        sums[profiles.get(ident)] -= amount
    return dict(sums)


def _moved(account: Account, month: Month, profile_id: int | None) -> tuple[str, list[Any]]:
    side = [account.pk, _closed_before(account, month), month.starts_us, month.ends_us]
    if profile_id is None:
        return f"({MOVED}) moved", [*side, *side]
    return f"(SELECT * FROM ({MOVED}) whole WHERE {OF_PROFILE}) moved", [*side, *side, profile_id, profile_id, profile_id]


def _closed_before(account: Account, month: Month) -> int:
    """Postings up to this one belong to closed months."""
    heads = StatementHead.objects.filter(account=account, month__lt=month.first).order_by("-month")
    return heads.values_list("last_posting", flat=True).first() or 0


def _profiles_of(postings: list[tuple[int, int, str]]) -> dict[int, int]:
    """By posting: the profile whose Credit is the other side, or whose term was paid or refunded."""
    by_account = dict(Profile.objects.filter(account__in={other for _, other, _ in postings}).values_list("account_id", "id"))
    terms = {ident: int(parts[1]) for ident, _, key in postings if (parts := key.split("/"))[0] == "term" and parts[1].isdecimal()}
    by_term = dict(Term.objects.filter(id__in=set(terms.values()), profile__isnull=False).values_list("id", "profile_id"))
    found = {ident: by_account.get(other) for ident, other, _ in postings} | {ident: by_term.get(term) for ident, term in terms.items()}
    return {ident: profile_id for ident, profile_id in found.items() if profile_id is not None}


def _all(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
