"""The one place that takes row locks, in one order for everybody, so that two transactions never wait for each other.

1. ledger accounts, by ascending id
2. channel use, by ascending profile id
3. everything else, in the order of `ORDER`, by ascending id
4. the queue of changes (see `store.work`)

Call control takes 1 and 2 in the same order with SQL of its own, and last the usage buckets that it adds to, by profile, time and
direction, and to those of Managers, by Manager, time and direction. SQLite has no row locks: there a transaction takes the one write lock
when it begins, and all this only checks the order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.db import connection, models

from trunkline.domain.errors import NotFound
from trunkline.store.models import (
    Account,
    BusinessAccount,
    Carrier,
    ChannelUse,
    Incident,
    Landline,
    Manager,
    Number,
    Payment,
    PaymentMethod,
    PriceList,
    Profile,
    ProviderEvent,
    RechargeRule,
    Term,
)

ORDER: tuple[type[models.Model], ...] = (
    Account,
    ChannelUse,
    Manager,
    Profile,
    BusinessAccount,
    Landline,
    PriceList,
    Carrier,
    Number,
    Term,
    RechargeRule,
    PaymentMethod,
    Payment,
    ProviderEvent,
    Incident,
)
CHANGES_ADVISORY_LOCK = 0x7472756E  # any number that nobody else in this database uses
NAMES_ADVISORY_LOCK = 0x6E616D65

Row = TypeVar("Row", bound=models.Model)


class LockOrderError(RuntimeError):
    """A programming error that would be a deadlock on a bad day."""


class Locks:
    """The locks of one transaction."""

    def __init__(self) -> None:
        self._last: tuple[int, int] = (-1, -1)

    def one(self, model: type[Row], ident: int) -> Row:
        return self.many(model, [ident])[ident]

    def many(self, model: type[Row], idents: Iterable[int]) -> dict[int, Row]:
        """The rows as they are now, by id; all of them at once, since each kind is locked only once in a transaction.

        `no_key`: rows that only refer to these (a new call's, a posting's) don't wait.
        """
        wanted = sorted(set(idents))
        self._check_order(ORDER.index(model), wanted)
        rows = model._default_manager.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")  # noqa: SLF001 - Django documents it
        found = {row.pk: row for row in rows}
        if gone := set(wanted) - set(found):
            raise NotFound(f"There is no {model.__name__} {min(gone)} any more.")
        return found

    def every(self, model: type[Row]) -> models.QuerySet[Row]:
        """All rows of a kind, locked as they are read."""
        self._check_order(ORDER.index(model), [0])
        return model._default_manager.select_for_update(no_key=True).order_by("pk")  # noqa: SLF001 - Django documents it

    def _check_order(self, rank: int, idents: list[int]) -> None:
        if not idents:
            return
        if (rank, idents[0]) <= self._last:
            raise LockOrderError(f"{ORDER[rank].__name__} {idents[0]} after {ORDER[self._last[0]].__name__} {self._last[1]}")
        self._last = (rank, idents[-1])


def lock_changes() -> None:
    """Makes the ids of changes grow in the order of their commits: whoever has read up to an id has missed none below it."""
    _lock_advisory(CHANGES_ADVISORY_LOCK)


def lock_names() -> None:
    """After all rows, before the changes: who gives out account names takes turns, since they are in two tables."""
    _lock_advisory(NAMES_ADVISORY_LOCK)


def _lock_advisory(key: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
