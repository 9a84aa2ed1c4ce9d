"""Is a statement what was exported? Balances and chain computed again; the first thing that is wrong is named (SPEC R9.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trunkline.domain.errors import Problem
from trunkline.domain.money import DECIMALS, MICROS
from trunkline.domain.statements import COLUMNS, FORMAT, SECONDS, Head, amount_text, opened, row_digest, seal

OPENING = ("statement", "purse", "account", "currency", "month", "time_zone", "opening_number", "opening_balance", "opening_hash")
CLOSING = ("closing_number", "closing_balance", "closing_hash", "state", "seal")
_HASH = re.compile(r"[0-9a-f]{64}")
_MONEY = re.compile(r"(?P<sign>-?)(?P<units>[0-9]{1,18})[.](?P<decimals>[0-9]{2,6})")
_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Tampered(Problem):
    """It is not what was exported; the text says where it begins to differ, and how."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Everything follows. `digest` is the head to compare with what the operator has."""

    purse: str
    month: str
    rows: int
    opening_balance: str
    closing_balance: str
    currency: str
    state: str
    digest: str


class Check:
    """Of one statement, row by row: `row` for each, then `close`."""

    def __init__(self, opening: Mapping[str, str]) -> None:
        if (missing := set(OPENING) ^ set(opening)) or opening["statement"] != FORMAT:
            raise Tampered(f"The head of the statement is not that of {FORMAT}: {', '.join(sorted(missing)) or opening['statement']}.")
        self.opening = opening
        self.currency = opening["currency"]
        self.head = Head(
            self._count(opening["opening_number"], "opening_number"),
            self._amount(opening["opening_balance"], "The head of the statement: opening_balance"),
            opening["opening_hash"],
        )
        self.rows = 0
        if not _HASH.fullmatch(self.head.digest):
            raise Tampered("The head of the statement: opening_hash is not a hash.")
        if self.head.number == 0 and self.head != opened(self._count(opening["account"], "account"), self.currency):
            raise Tampered("The head of the statement: no purse begins with this opening_balance and opening_hash.")

    def row(self, cells: Sequence[str]) -> None:
        where = f"Row {self.rows + 1} (number {cells[0] if cells else ''})"
        if len(cells) != len(COLUMNS):
            raise Tampered(f"{where} has {len(cells)} cells instead of {len(COLUMNS)}.")
        *content, digest = cells
        self._check_number(where, content[0])
        amount, balance = self._amount(content[5], f"{where}: the amount"), self._amount(content[6], f"{where}: the balance")
        if self.head.balance + amount != balance:
            follows = amount_text(self.head.balance + amount, self.currency)
            raise Tampered(f"{where}: the balance is {content[6]}, but {follows} follows from the balance before and the amount.")
        if row_digest(self.head.digest, content) != digest:
            raise Tampered(f"{where}: its hash does not fit what it says and the row before: something in it was changed, or before it.")
        self.head = Head(self.head.number + 1, balance, digest)
        self.rows += 1

    def close(self, closing: Mapping[str, str]) -> Verified:
        if missing := set(CLOSING) ^ set(closing):
            raise Tampered(f"The end of the statement is not whole: {', '.join(sorted(missing))}.")
        follows = (str(self.head.number), amount_text(self.head.balance, self.currency), self.head.digest)
        for name, value in zip(CLOSING, follows, strict=False):
            if closing[name] != value:
                raise Tampered(
                    f"The end of the statement: {name} is {closing[name]}, but {value} follows from the rows. Rows may be missing."
                )
        if seal({**self.opening, **{name: closing[name] for name in CLOSING[:-1]}}) != closing["seal"]:
            raise Tampered("The seal does not fit: purse, account, currency, month, time zone or state were changed.")
        opening = self.opening
        return Verified(
            opening["purse"],
            opening["month"],
            self.rows,
            opening["opening_balance"],
            follows[1],
            self.currency,
            closing["state"],
            follows[2],
        )

    def _check_number(self, where: str, text: str) -> None:
        wanted = self.head.number + 1
        if text != str(wanted):
            raise Tampered(f"{where}: number {wanted} is expected here: rows were removed, added or moved.")

    def _amount(self, text: str, where: str) -> int:
        amount = _parsed(text, self.currency)
        if amount is None or amount_text(amount, self.currency) != text:
            raise Tampered(f"{where} is {text[:40]!r}: no amount as a statement writes it.")
        return amount

    @staticmethod
    def _count(text: str, name: str) -> int:
        if not text.isascii() or not text.isdecimal() or len(text) > 18 or str(int(text)) != text:
            raise Tampered(f"The head of the statement: {name} is {text[:40]!r}, not a number.")
        return int(text)


def _parsed(text: str, currency: str) -> int | None:
    if currency == SECONDS:
        return int(text) if _WHOLE.fullmatch(text) else None
    if (found := _MONEY.fullmatch(text)) is None:
        return None
    micros = int(found["units"]) * MICROS + int(found["decimals"].ljust(DECIMALS, "0"))
    return -micros if found["sign"] else micros
