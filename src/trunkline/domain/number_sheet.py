"""Online Numbers as a CSV sheet: stock that the operator imports (SPEC R7.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trunkline.domain import numbers
from trunkline.domain.errors import Invalid
from trunkline.domain.money import check_rate, parse_micros
from trunkline.domain.sheets import LineProblem, Row, SheetProblem, read_sheet

ALIASES = {
    "number": ("e164", "did", "phone number", "online number", "telephone number", "msisdn"),
    "country": ("iso", "country code"),
    "area": ("city", "region", "place", "rate center"),
    "monthly price": ("price", "monthly", "monthly fee", "mrc"),
    "terms": ("conditions",),
    "residency": ("residency rule", "address requirement", "requirement"),
}
REQUIRED = ("number",)
LONGEST_AREA, LONGEST_RESIDENCY = 80, 200


@dataclass(frozen=True, slots=True)
class StockNumber:
    """`e164` digits without +; `country` ISO 3166-1 alpha-2. Without a price nobody can rent it: the operator assigns it."""

    e164: str
    country: str
    area: str = ""
    monthly_price_micros: int = 0
    rental_terms: str = ""
    residency: str = ""


def read_numbers(data: bytes) -> list[StockNumber]:
    found = read_sheet(data, ALIASES, REQUIRED, lambda row: [(row.line, _number_of(row))])
    seen: dict[str, int] = {}
    problems = []
    for line, number in found:
        if number.e164 in seen:
            problems.append(LineProblem(line, f"+{number.e164} is on line {seen[number.e164]} too: keep one."))
        seen.setdefault(number.e164, line)
    if problems:
        raise SheetProblem(problems)
    return [number for _, number in found]


def stock_number(text: str, country: str = "") -> StockNumber:
    """A number of a country. `country` empty: the one that its number says; given: it must be that one."""
    digits = text.strip().lstrip("'+").translate(str.maketrans("", "", " -.()"))
    if not numbers.is_e164(digits):
        raise Invalid("number", f"{text[:30]!r} is not an international number: write it like +12025550100.")
    found = numbers.country_of(digits)
    if country and not numbers.is_country(country.upper()):
        raise Invalid("country", f"{country[:10]!r} is not a country: use its two letters (ISO 3166-1), such as US.")
    if country and found and found != country.upper():
        raise Invalid("country", f"+{digits} is a number of {found}, not of {country.upper()}.")
    if not country and not (found and numbers.is_in_use(digits)):
        raise Invalid("country", f"+{digits} is in no numbering plan that is known: write it with its country code, or give its country.")
    return StockNumber(digits, found or country.upper())


def _number_of(row: Row) -> StockNumber:
    number = stock_number(row["number"], row["country"])
    price = row["monthly price"]
    if row.decimal_comma:
        price = price.replace(",", ".")
    return replace(
        number,
        area=row["area"][:LONGEST_AREA],
        monthly_price_micros=check_rate(parse_micros(price, "monthly price"), "monthly price") if price else 0,
        rental_terms=row["terms"],
        residency=row["residency"][:LONGEST_RESIDENCY],
    )
