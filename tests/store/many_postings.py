"""Many postings, written by SQL, with the balances that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from tests.store.many_calls import NUMBERS
from trunkline.store.models import Account

FILL = """
    INSERT INTO store_posting (key, debit_id, credit_id, amount, kind, call_ref, note, posted_us)
    SELECT '{key}/' || n, {debit_id}, {credit_id}, {amount}, '{kind}', {call_ref}, 'United States', {first_us} + n * {step_us}
    FROM ({numbers}) numbered"""
BALANCE = """
    UPDATE store_account SET balance = (SELECT coalesce(sum(amount), 0) FROM store_posting WHERE credit_id = store_account.id)
        - (SELECT coalesce(sum(amount), 0) FROM store_posting WHERE debit_id = store_account.id)
    WHERE id = %s"""


@dataclass(frozen=True, slots=True)
class Moves:
    """So many postings of a micro-unit each, or of `amount`. `key` begins their keys."""

    key: str
    debit: Account
    credit: Account
    kind: str
    count: int
    amount: int = 1


def move(moves: Moves, since_us: int, until_us: int) -> None:
    """Evenly spread over the time."""
    if not moves.count:
        return
    numbers, step_us = NUMBERS[connection.vendor].format(last=moves.count - 1), (until_us - since_us) // moves.count
    facts = {"kind": moves.kind, "call_ref": "n" if moves.kind == "call" else "NULL", "amount": moves.amount}
    sides = {"key": moves.key, "debit_id": moves.debit.pk, "credit_id": moves.credit.pk}
    sql = FILL.format(**facts, **sides, first_us=since_us, step_us=step_us, numbers=numbers)
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for account in (moves.credit, moves.debit):
            cursor.execute(BALANCE, [account.pk])
