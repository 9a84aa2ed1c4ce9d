"""One use case, one transaction: its locks, its audit entries, and the changes that call control must hear of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from trunkline.domain.errors import Conflict
from trunkline.store.locks import Locks, lock_changes
from trunkline.store.models import AuditEntry, Change


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, and from where (an address, or a program's name)."""

    actor: str
    source: str = ""


@dataclass(slots=True)
class Work:
    """A transaction in progress."""

    now: datetime
    by: By
    locks: Locks = field(default_factory=Locks)
    entries: list[AuditEntry] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def audit(
        self,
        action: str,
        target: str,
        *,
        manager_id: int | None = None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        entry = AuditEntry(at=self.now, actor=self.by.actor, source=self.by.source, action=action, target=target)
        entry.manager_id, entry.before, entry.after = manager_id, before or {}, after or {}
        self.entries.append(entry)

    def changed(self, what: Change.What, ident: object = "", *, sip_user: str = "") -> None:
        """Call control and the edge may have this in a cache."""
        self.changes.append(Change(what=what, ident=str(ident), sip_user=sip_user, at=self.now))

    def write_log(self) -> None:
        AuditEntry.objects.bulk_create(self.entries)
        if self.changes:
            lock_changes()
            Change.objects.bulk_create(self.changes)


@contextmanager
def work(*, now: datetime, by: By) -> Iterator[Work]:
    """Everything inside happens, is logged and is announced; or nothing."""
    if now.utcoffset() is None:
        raise ValueError("`now` must be an aware moment")
    doing = Work(now.astimezone(UTC), by)
    try:
        with transaction.atomic(durable=True):
            yield doing
            doing.write_log()
    except IntegrityError as problem:
        raise Conflict(f"Somebody changed the same at this moment: look at it, then do it again. ({problem})") from problem
