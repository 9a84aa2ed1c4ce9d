"""A purse's movements in the order of booking, a month at a time, and the heads of closed months (ADR 0009).

While a posting is made both its accounts are locked, so the ids of one purse's postings ascend in the order of their commits: who has read
up to an id has missed none below it, without a lock and without a snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from trunkline.domain import statements
from trunkline.domain.statement_words import WORDING
from trunkline.domain.statements import Head, Movement, Row
from trunkline.store.models import Account, Manager, Profile, StatementHead, Term

AT_ONCE = 2_000  # rows in memory
SIDE = "SELECT id, posted_us, kind, note, {other}, {sign}amount, key FROM store_posting WHERE {own} = %s AND id > %s ORDER BY id LIMIT %s"
MOVEMENTS = (
    f"SELECT * FROM (SELECT * FROM ({SIDE.format(own='debit_id', other='credit_id', sign='-')}) paid "  # noqa: S608 - our own names
    f"UNION ALL SELECT * FROM ({SIDE.format(own='credit_id', other='debit_id', sign='')}) came) both_sides ORDER BY 1 LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class Purse:
    """Whose statement, in words, and which time its months are in."""

    account: Account
    words: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a month ended. `last_posting`: the id of the last posting in it or before."""

    month: date | None
    head: Head
    last_posting: int


def purse_of_manager(manager: Manager) -> Purse:
    return Purse(manager.account, f"Credit of Manager {manager.pk}: {manager.company_name}", ZoneInfo(manager.time_zone))


def purse_of_profile(profile: Profile) -> Purse:
    return Purse(profile.account, f"Credit of SIP Profile {profile.pk}: {profile.name}", ZoneInfo(profile.manager.time_zone))


def purse_of_term(term: Term) -> Purse:
    assert term.minutes is not None, "only bundles have minutes"
    return Purse(term.minutes, f"Minutes of bundle term {term.pk}", ZoneInfo(term.manager.time_zone))


def movements(account_id: int, after_posting: int) -> Iterator[Movement]:
    """All of a purse's movements after a posting, in the order of booking; a few thousand in memory at a time."""
    others: dict[int, str] = {}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(MOVEMENTS, [account_id, after_posting, AT_ONCE, account_id, after_posting, AT_ONCE, AT_ONCE])
            rows = cursor.fetchall()
        others |= other_sides({row[4] for row in rows} - others.keys())
        for posting_id, posted_us, kind, note, other_id, amount, key in rows:
            yield Movement(posting_id, posted_us, kind, note, others[other_id], amount, key)
        if len(rows) < AT_ONCE:
            return
        after_posting = rows[-1][0]


def other_sides(account_ids: Collection[int]) -> dict[int, str]:
    """By account, in words that stay true: numbers, not names. Asks the same for many as for one."""
    accounts = Account.objects.filter(pk__in=account_ids)
    numbers: dict[int, int] = {
        **dict(Manager.objects.filter(account__in=account_ids).values_list("account_id", "pk")),
        **dict(Profile.objects.filter(account__in=account_ids).values_list("account_id", "pk")),
        **dict(Term.objects.filter(minutes__in=account_ids).values_list("minutes_id", "pk")),
    }
    return {account.pk: _words(account, numbers.get(account.pk)) for account in accounts}


def _words(account: Account, number: int | None) -> str:
    """`number`: of the Manager, SIP Profile or term whose purse it is."""
    match account.kind:
        case Account.Kind.MANAGER:
            return f"Credit of Manager {number}"
        case Account.Kind.PROFILE:
            return f"Credit of SIP Profile {number}"
        case Account.Kind.BUNDLE:
            return f"Minutes of bundle term {number}"
        case Account.Kind.FUNDING:
            return "Granted" if account.currency == statements.SECONDS else "Money from outside"
        case Account.Kind.REVENUE:
            return "Used" if account.currency == statements.SECONDS else "The operator's income"
    return "The operator's loss"


def last_closed(account: Account, before: date | None = None) -> Mark:
    """The last closed month, or the last one before a month; the purse's opening when there is none."""
    heads = (
        StatementHead.objects.filter(account=account) if before is None else StatementHead.objects.filter(account=account, month__lt=before)
    )
    head = heads.order_by("-month").first()
    return Mark(None, statements.opened(account.pk, account.currency), 0) if head is None else _mark(head)


def closed(account: Account, month: date) -> Mark | None:
    """Where a closed month ended. One without a head, but with a closed one after it, has no movements and ended where the one before did."""
    if not StatementHead.objects.filter(account=account, month__gte=month).exists():
        return None
    return last_closed(account, statements.month_after(month))


def rows_after(purse: Purse, mark: Mark) -> Iterator[tuple[date, Row, int]]:
    """Each row with its month and posting id. No month is before that of the row before it, nor one that is closed."""
    account, head = purse.account, mark.head
    month = None if mark.month is None else statements.month_after(mark.month)
    end_us = 0 if month is None else statements.ends_us(month, purse.zone)
    wordings = _older_wordings(account)
    for movement in movements(account.pk, mark.last_posting):
        if movement.posted_us >= end_us:
            month = statements.month_of(movement.posted_us, purse.zone)
            end_us = statements.ends_us(month, purse.zone)
        assert month is not None
        row = statements.add(head, movement, account.currency, wordings.get(month, WORDING))
        head = row.head
        yield month, row, movement.posting_id


def marks_until(purse: Purse, last: date, *, always: bool) -> list[Mark]:
    """The ends of all months up to `last` that are not closed and in which something was booked; `always`: of `last` itself, too."""
    mark = last_closed(purse.account)
    found: dict[date, Mark] = {}
    for month, row, posting_id in rows_after(purse, mark):
        if month > last:
            break
        mark = found[month] = Mark(month, row.head, posting_id)
    if always and (mark.month is None or mark.month < last):
        found[last] = Mark(last, mark.head, mark.last_posting)
    return list(found.values())


def save(account: Account, marks: list[Mark], now: datetime) -> None:
    """Whoever was first has closed the month."""
    StatementHead.objects.bulk_create([_head(account, mark, now) for mark in marks], ignore_conflicts=True)


def to_close(zone_names: list[str], last: date, since: datetime) -> QuerySet[Account]:
    """Purses of these time zones whose month `last` is not closed yet. Not those of bundles that ended before `since`: nothing happens there.

    It asks no posting: whether there are any after the last head, PostgreSQL would look up by reading the whole table for each purse.
    """
    heads = StatementHead.objects.filter(account=OuterRef("pk"), month__gte=last)
    return Account.objects.filter(_owned_in(zone_names, since), ~Exists(heads), guarded=True).order_by("pk")


def purse_of(account: Account) -> Purse:
    """Whose it is."""
    match account.kind:
        case Account.Kind.MANAGER:
            return purse_of_manager(Manager.objects.select_related("account").get(account=account))
        case Account.Kind.PROFILE:
            return purse_of_profile(Profile.objects.select_related("account", "manager").get(account=account))
    return purse_of_term(Term.objects.select_related("minutes", "manager").get(minutes=account))


def _owned_in(zone_names: list[str], since: datetime) -> Q:
    owned = Manager.objects.filter(time_zone__in=zone_names)
    bundles = Term.objects.filter(Q(ended_at=None) | Q(ended_at__gte=since))
    return (
        Q(pk__in=owned.values("account"))
        | Q(pk__in=Profile.objects.filter(manager__in=owned).values("account"))
        | Q(pk__in=bundles.filter(manager__in=owned, minutes__isnull=False).values("minutes"))
    )


def _older_wordings(account: Account) -> dict[date, int]:
    """Of months that were closed in other words than those of today."""
    return dict(StatementHead.objects.filter(account=account, wording__lt=WORDING).values_list("month", "wording"))


def _mark(head: StatementHead) -> Mark:
    return Mark(head.month, Head(head.postings, head.balance, head.head), head.last_posting)


def _head(account: Account, mark: Mark, now: datetime) -> StatementHead:
    assert mark.month is not None
    return StatementHead(
        account=account, month=mark.month, postings=mark.head.number, balance=mark.head.balance, head=mark.head.digest,
        last_posting=mark.last_posting, wording=WORDING, closed_at=now,
    )  # fmt: skip
