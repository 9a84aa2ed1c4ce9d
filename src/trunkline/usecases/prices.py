"""Price lists: made, and filled from sheets with a preview (SPEC R6.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from trunkline.domain.errors import Conflict, Invalid, NotFound
from trunkline.domain.money import check_currency
from trunkline.domain.names import check_name
from trunkline.domain.numbers import is_e164
from trunkline.domain.price_sheet import Difference, SheetPrice, Terms, difference, read_prices
from trunkline.store import ledger, price_rows
from trunkline.store.models import Account, Change, Price, PriceList
from trunkline.store.work import By, Work, work

KINDS = ("new", "increased", "decreased", "changed", "removed")
"""Of a `Difference`."""
EXAMPLES = 8
"""Of each kind."""


@dataclass(frozen=True, slots=True)
class Example:
    """`what`: one of `KINDS`. Rates per minute, None where the prefix has no price. `destination`: the later name."""

    what: str
    prefix: str
    destination: str
    before_micros: int | None
    after_micros: int | None


@dataclass(frozen=True, slots=True)
class Imported:
    """`dry_run`: nothing was written. `version` counts the imports of the list. `begin_later`: prices that begin after the others."""

    price_list: str
    version: int
    prefixes: int
    difference: Difference
    dry_run: bool
    begin_later: int
    examples: tuple[Example, ...]


@dataclass(slots=True)
class _Plan:
    """What an import that is in force from `start` does to the rows of a list: some end, some never come into force, some are new."""

    price_list: PriceList
    start: datetime
    ended: list[Price] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    added: list[Price] = field(default_factory=list)
    before: dict[str, Terms] = field(default_factory=dict)

    def take(self, price: SheetPrice, current: Price | None) -> None:
        """One line of the sheet: the price in force goes on if it is the same, else it ends where the new one begins."""
        begins = max(price.starts_at or self.start, self.start)
        if price.ends_at is not None and price.ends_at <= begins:
            raise Invalid("until", f"line {price.line}: the price of {price.prefix} ends before it would begin.")
        if current is not None and _terms(current) == price.terms:
            self.end(current, price.ends_at)
            return
        if current is not None:
            self.end(current, begins)
        self.added.append(_price(self.price_list, price, begins))

    def end(self, row: Price, moment: datetime | None) -> None:
        """A price that would end where it began never was."""
        if moment == row.effective_from:
            self.superseded.append(row.pk)
        elif moment != row.effective_until:
            row.effective_until = moment
            self.ended.append(row)


def create_price_list(*, now: datetime, by: By, name: str, currency: str, echo_number: str = "") -> int:
    """An empty list. `echo_number`: E.164 digits that are answered by the echo test, free."""
    name = check_name(name, "name", longest=80)
    check_currency(currency)
    echo_number = _echo_number(echo_number)
    with work(now=now, by=by) as doing:
        if PriceList.objects.filter(name=name).exists():
            raise Conflict(f"There is a price list {name} already.")
        ledger.outside(Account.Kind.REVENUE, currency)
        price_list = PriceList.objects.create(name=name, currency=currency, echo_number=echo_number)
        after = {"name": name, "currency": currency, "echo_number": echo_number}
        doing.audit("price_list.create", f"price list {price_list.id}", after=after)
        doing.changed(Change.What.PRICES)
    return price_list.pk


def set_echo_number(*, now: datetime, by: By, price_list_id: int, echo_number: str) -> None:
    """Empty: no echo test."""
    echo_number = _echo_number(echo_number)
    with work(now=now, by=by) as doing:
        price_list = doing.locks.one(PriceList, price_list_id)
        before, price_list.echo_number = {"echo_number": price_list.echo_number}, echo_number
        price_list.save(update_fields=["echo_number"])
        doing.audit("price_list.echo_number", f"price list {price_list_id}", before=before, after={"echo_number": echo_number})
        doing.changed(Change.What.PRICES)


def import_price_list(
    *,
    now: datetime,
    by: By,
    price_list_id: int,
    data: bytes,
    effective_at: datetime | None = None,
    keep_missing: bool = False,
    dry_run: bool = False,
) -> Imported:
    """From `effective_at` (now) on, the list is what the sheet says; lines may begin later. Calls in progress keep their rate.

    Prefixes that the sheet does not have end then, unless `keep_missing`. Nothing is imported when a line is wrong (`SheetProblem`).
    The sheet is read and compared before the transaction begins, so that calls don't wait for it.
    """
    start = max(effective_at or now, now)
    price_list = PriceList.objects.filter(pk=price_list_id).first()
    if price_list is None:
        raise NotFound(f"There is no price list {price_list_id}.")
    sheet = read_prices(data, price_list.currency)
    plan, found = _plan(price_list, sheet, start, keep_missing=keep_missing)
    examples = _examples(found, plan.before, {price.prefix: price.terms for price in sheet})
    begin_later = sum(price.starts_at is not None and price.starts_at > start for price in sheet)
    if not dry_run:
        with work(now=now, by=by) as doing:
            _carry_out(doing, price_list, plan, found)
    return Imported(price_list.name, price_list.version, len(sheet), found, dry_run, begin_later, examples)


def _plan(price_list: PriceList, sheet: Sequence[SheetPrice], start: datetime, *, keep_missing: bool) -> tuple[_Plan, Difference]:
    rows = list(price_list.prices.filter(Q(effective_until=None) | Q(effective_until__gt=start)).order_by("effective_from"))
    current = {row.prefix: row for row in rows if row.effective_from <= start}
    terms_then = {price.prefix: price.terms for price in sheet}
    plan = _Plan(price_list, start, before={prefix: _terms(row) for prefix, row in current.items()})
    planned = (row for row in rows if row.effective_from > start)
    plan.superseded += [row.pk for row in planned if row.prefix in terms_then or not keep_missing]
    for price in sheet:
        plan.take(price, current.pop(price.prefix, None))
    for row in () if keep_missing else current.values():
        plan.end(row, start)
    return plan, difference(plan.before, terms_then, keep_missing=keep_missing)


def _carry_out(doing: Work, price_list: PriceList, plan: _Plan, found: Difference) -> None:
    locked = doing.locks.one(PriceList, price_list.pk)
    if locked.version != price_list.version:
        raise Conflict(f"Somebody else imported into {price_list.name} at this moment: look at its prices, then import again.")
    price_rows.replace(superseded=plan.superseded, ended=plan.ended, added=plan.added)
    price_list.version += 1
    price_list.save(update_fields=["version"])
    doing.audit("price_list.import", f"price list {price_list.pk}", after=_counts(found) | {"version": price_list.version})
    doing.changed(Change.What.PRICES)


def _counts(found: Difference) -> dict[str, int]:
    return {name: len(getattr(found, name)) for name in KINDS} | {"unchanged": found.unchanged}


def _examples(found: Difference, before: Mapping[str, Terms], after: Mapping[str, Terms]) -> tuple[Example, ...]:
    return tuple(_example(what, prefix, before, after) for what in KINDS for prefix in getattr(found, what)[:EXAMPLES])


def _example(what: str, prefix: str, before: Mapping[str, Terms], after: Mapping[str, Terms]) -> Example:
    old, new = before.get(prefix), after.get(prefix)
    rates = [terms.rate_per_minute_micros if terms else None for terms in (old, new)]
    return Example(what, prefix, (new or before[prefix]).destination, *rates)


def _terms(row: Price) -> Terms:
    return Terms(
        row.destination,
        row.rate_per_minute_micros,
        row.connection_fee_micros,
        row.first_increment_seconds,
        row.next_increment_seconds,
    )


def _price(price_list: PriceList, price: SheetPrice, begins: datetime) -> Price:
    terms = price.terms
    return Price(
        price_list=price_list,
        prefix=price.prefix,
        destination=terms.destination,
        rate_per_minute_micros=terms.rate_per_minute_micros,
        connection_fee_micros=terms.connection_fee_micros,
        first_increment_seconds=terms.first_increment_seconds,
        next_increment_seconds=terms.next_increment_seconds,
        effective_from=begins,
        effective_until=price.ends_at,
    )


def _echo_number(text: str) -> str:
    digits = text.lstrip("+")
    if digits and not is_e164(digits):
        raise Invalid("echo_number", f"{text[:20]!r} is not an international number: write it like +17606604690.")
    return digits
