"""Purses and the two-phase payment of a call (DESIGN D4): hold, then post or void. No purse ever goes below zero (SPEC R4.4)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Purse:
    """A ledger account as loaded for one transaction. `balance` and `held` in the account's smallest unit."""

    account_id: int
    balance: int
    held: int = 0
    guarded: bool = True

    @property
    def available(self) -> int:
        """What is neither spent nor held."""
        return self.balance - self.held

    def hold(self, amount: int) -> bool:
        """Set `amount` aside. False, and nothing changed, when it is not there."""
        if self.guarded and amount > self.available:
            return False
        self.held += amount
        return True

    def void(self, amount: int) -> None:
        """Give back what was held."""
        self.held -= amount

    def spend_held(self, amount: int) -> None:
        """Second phase: what was held leaves the purse."""
        self.held -= amount
        self.balance -= amount


@dataclass(frozen=True, slots=True)
class Entry:
    """A posting to be written: `amount` leaves `debit` and enters `credit`. `key` makes it happen once."""

    key: str
    debit: int
    credit: int
    amount: int
    kind: str
    call_ref: int
    note: str
    posted_us: int


@dataclass(slots=True)
class Book:
    """The purses of one transaction and the postings made in it."""

    purses: dict[int, Purse] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def post(self, entry: Entry) -> None:
        """Note a posting and move the credit side. The debit side was moved by the purse operation that made it possible."""
        self.entries.append(entry)
        self.purses[entry.credit].balance += entry.amount
