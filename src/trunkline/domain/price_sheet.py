"""A price list as a CSV sheet (SPEC R6.2), and how it differs from the prices in force."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from trunkline.domain.errors import Invalid
from trunkline.domain.money import check_rate, parse_micros
from trunkline.domain.names import check_name
from trunkline.domain.sheets import LineProblem, Row, SheetProblem, read_sheet

MOST_INCREMENT_SECONDS = 3600
LONGEST_PREFIX = 15

ALIASES = {
    "prefix": ("prefixes", "code", "codes", "dial code", "dialcode", "dialling code", "dialing code", "area code", "destination code"),
    "destination": ("destination name", "name", "description", "country", "zone"),
    "rate": ("rate per minute", "rate/min", "price", "price per minute", "per minute", "price/min", "rate per min"),
    "fee": ("connection fee", "connect fee", "setup fee", "set up fee", "setup", "connection charge", "connect charge"),
    "increments": ("increment", "billing increment", "billing increments", "billing", "rounding"),
    "first": ("first increment", "initial increment", "minimum", "minimum seconds", "min"),
    "next": ("next increment", "subsequent increment", "interval", "increment seconds"),
    "from": ("effective from", "effective date", "effective", "valid from", "start date"),
    "until": ("effective until", "effective to", "valid until", "valid to", "end date", "expires"),
    "currency": ("cur",),
}
REQUIRED = ("prefix", "destination", "rate")

_INCREMENTS = re.compile(r"([0-9]{1,5})(?:\s*/\s*([0-9]{1,5}))?")
_CODES = re.compile(r"[0-9]+(?:-[0-9]+)?(?:[,;][0-9]+(?:-[0-9]+)?)*")
_LIST_SPACE = re.compile(r"\s*([,;-])\s*")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a prefix costs: the part of a price that is compared."""

    destination: str
    rate_per_minute_micros: int
    connection_fee_micros: int
    first_increment_seconds: int
    next_increment_seconds: int


@dataclass(frozen=True, slots=True)
class SheetPrice:
    """`starts_at` None: when the sheet is imported."""

    line: int
    prefix: str
    terms: Terms
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Prefixes by what happens to them. `changed`: another name or other increments at the same rate and fee."""

    new: tuple[str, ...]
    increased: tuple[str, ...]
    decreased: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int


def read_prices(data: bytes, currency: str) -> list[SheetPrice]:
    prices = read_sheet(data, ALIASES, REQUIRED, lambda row: _prices_of(row, currency))
    _refuse_twice(prices)
    return prices


def difference(now: Mapping[str, Terms], then: Mapping[str, Terms], *, keep_missing: bool = False) -> Difference:
    """What an import changes. `keep_missing`: prefixes that the sheet does not have stay as they are."""
    both = [prefix for prefix in then if prefix in now and then[prefix] != now[prefix]]
    moves = {prefix: _dearer(now[prefix], then[prefix]) for prefix in both}
    return Difference(
        new=tuple(sorted(prefix for prefix in then if prefix not in now)),
        increased=tuple(sorted(prefix for prefix in both if moves[prefix] > 0)),
        decreased=tuple(sorted(prefix for prefix in both if moves[prefix] < 0)),
        changed=tuple(sorted(prefix for prefix in both if moves[prefix] == 0)),
        removed=() if keep_missing else tuple(sorted(prefix for prefix in now if prefix not in then)),
        unchanged=sum(prefix in now and then[prefix] == now[prefix] for prefix in then),
    )


def expand_prefixes(cell: str) -> list[str]:
    """`61 38,39` → 6138, 6139; `4420-4422` → 4420, 4421, 4422; `+44` → 44."""
    base, codes = _base_and_codes(cell)
    prefixes = [base + code for code in _codes(codes)]
    for prefix in prefixes:
        if prefix.startswith("0") or len(prefix) > LONGEST_PREFIX:
            raise Invalid("prefix", f"prefix {prefix[:20]} is not the beginning of an international number: the country code comes first.")
    return prefixes


def _prices_of(row: Row, currency: str) -> Sequence[SheetPrice]:
    if row["currency"] and row["currency"].upper() != currency:
        raise Invalid(
            "currency", f"the currency is {row['currency'][:10]!r}, the price list's is {currency}: import it into a list of its own."
        )
    starts_at, ends_at = _moment(row, "from"), _moment(row, "until")
    if starts_at and ends_at and ends_at <= starts_at:
        raise Invalid("until", "the price ends before it begins.")
    terms = _terms(row)
    return [SheetPrice(row.line, prefix, terms, starts_at, ends_at) for prefix in expand_prefixes(row["prefix"])]


def _terms(row: Row) -> Terms:
    first, following = _increments(row)
    return Terms(
        check_name(row["destination"], "destination", longest=120),
        _price(row, "rate"),
        _price(row, "fee") if row["fee"] else 0,
        first,
        following,
    )


def _price(row: Row, name: str) -> int:
    text = row[name]
    if row.decimal_comma:
        text = text.replace(",", ".")
    return check_rate(parse_micros(text, name), name)


def _increments(row: Row) -> tuple[int, int]:
    """`60/60`, `30/6`, `1` for both; or two columns of their own."""
    text = row["increments"] or "/".join(filter(None, (row["first"], row["next"]))) or "60/60"
    found = _INCREMENTS.fullmatch(text)
    if found is None:
        raise Invalid("increments", f"increments {text[:20]!r}: write first/next in seconds, such as 60/60 or 30/6.")
    first = int(found[1])
    following = int(found[2] or first)
    if not (1 <= first <= MOST_INCREMENT_SECONDS and 1 <= following <= MOST_INCREMENT_SECONDS):
        raise Invalid("increments", f"increments {text}: each must be from 1 to {MOST_INCREMENT_SECONDS} seconds.")
    return first, following


def _moment(row: Row, name: str) -> datetime | None:
    """ISO 8601; UTC unless it says otherwise."""
    if not row[name]:
        return None
    try:
        moment = datetime.fromisoformat(row[name])
    except ValueError:
        raise Invalid(name, f"{row[name][:40]!r} is not a date: write it like 2027-01-31 or 2027-01-31T08:00Z.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _base_and_codes(cell: str) -> tuple[str, str]:
    text = _LIST_SPACE.sub(r"\1", cell.strip().lstrip("'+"))
    base, *rest = text.split() or [""]
    if len(rest) > 1 or (rest and not base.isdecimal()) or not _CODES.fullmatch(rest[0] if rest else base):
        raise Invalid("prefix", f"prefix {cell[:40]!r}: write digits such as 4420, or a country code and a list such as 61 38,39.")
    return (base, rest[0]) if rest else ("", base)


def _codes(codes: str) -> Iterator[str]:
    for code in re.split("[,;]", codes):
        first, _, last = code.partition("-")
        if not last:
            yield first
            continue
        if len(first) != len(last) or not 0 <= int(last) - int(first) < 1000:
            raise Invalid("prefix", f"the range {code[:40]} must have ends of one length, the smaller first, at most 1000 codes.")
        yield from (f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1))


def _refuse_twice(prices: Sequence[SheetPrice]) -> None:
    seen: dict[str, int] = {}
    problems = []
    for price in prices:
        if price.prefix in seen:
            text = f"prefix {price.prefix} is on line {seen[price.prefix]} too: keep one (a later price comes in a sheet of its own)."
            problems.append(LineProblem(price.line, text))
        seen.setdefault(price.prefix, price.line)
    if problems:
        raise SheetProblem(problems)


def _dearer(now: Terms, then: Terms) -> int:
    """Positive: dearer; by rate, then by fee."""
    return (then.rate_per_minute_micros - now.rate_per_minute_micros) or (then.connection_fee_micros - now.connection_fee_micros)
