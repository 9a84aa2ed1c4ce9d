"""`./trunkline prices ...`: what calls cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trunkline.cli.store import AMOUNT, StoreGroup, acting, json_option, show, table
from trunkline.domain.money import decimal_text, for_people

MOST_SHOWN = 10


@click.group(cls=StoreGroup)
def prices() -> None:
    """Price lists. PRICE_LIST is its name or id."""


@prices.command()
@click.argument("name")
@click.argument("currency")
@click.option("--echo", "echo_number", default="", help="Number of the free echo test, such as +17606604690.")
def create(name: str, currency: str, *, echo_number: str) -> None:
    """An empty price list in CURRENCY."""
    from trunkline.usecases.prices import create_price_list

    ident = create_price_list(**acting(), name=name, currency=currency, echo_number=echo_number)
    click.echo(f"Price list {ident} is made. Fill it: ./trunkline prices import {ident} SHEET.csv")


@prices.command("import")
@click.argument("price_list")
@click.argument("sheet", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")
@click.option("--keep-missing", is_flag=True, help="Prefixes that the sheet does not have keep their price.")
@click.option("--effective", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="In force from (UTC); now if not given.")
@json_option
def import_sheet(price_list: str, sheet: Path, *, dry_run: bool, keep_missing: bool, effective: datetime | None, as_json: bool) -> None:
    """A CSV sheet into PRICE_LIST: all of it, or nothing when a line is wrong.

    Columns: prefix (`4420`, `61 38,39`), destination, rate per minute; and if wanted connection fee, increments (`60/60`),
    effective from, effective until, currency.
    """
    from trunkline.store.queries import price_list_named
    from trunkline.usecases.prices import import_price_list

    done = import_price_list(
        **acting(),
        price_list_id=price_list_named(price_list).pk,
        data=sheet.read_bytes(),
        effective_at=effective.replace(tzinfo=UTC) if effective else None,
        keep_missing=keep_missing,
        dry_run=dry_run,
    )
    show(as_json, done, lambda: _imported(done))


@prices.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """All price lists."""
    from trunkline.store.models import PriceList

    columns = ("id", "name", "currency", "echo_number", "version", "prefixes")
    rows = [
        dict(zip(columns, (each.pk, each.name, each.currency, each.echo_number, each.version, _in_force(each).count()), strict=True))
        for each in PriceList.objects.order_by("id")
    ]
    show(as_json, rows, lambda: table(columns, [list(row.values()) for row in rows]))


@prices.command("show")
@click.argument("price_list")
@click.argument("number", required=False)
@json_option
def show_prices(price_list: str, number: str | None, *, as_json: bool) -> None:
    """The prices in force; with NUMBER (international), those that could apply, longest prefix first."""
    from trunkline.store.queries import price_list_named

    found = _in_force(price_list_named(price_list)).order_by("prefix")
    if number is not None:
        digits = number.lstrip("+")
        found = found.filter(prefix__in=[digits[:length] for length in range(1, len(digits) + 1)]).order_by("-prefix")
    rows = [_facts(price) for price in found]
    columns = ("prefix", "destination", "rate_per_minute", "connection_fee", "increments", "from", "until")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


@prices.command()
@click.argument("price_list")
@click.argument("number", default="")
def echo(price_list: str, number: str) -> None:
    """Set the NUMBER of the free echo test; without one there is none."""
    from trunkline.store.queries import price_list_named
    from trunkline.usecases.prices import set_echo_number

    found = price_list_named(price_list)
    set_echo_number(**acting(), price_list_id=found.pk, echo_number=number)
    click.echo(f"{found.name}: the echo test is {number or 'off'}.")


@prices.command("channel")
@click.argument("price_list")
@click.argument("price")
def channel_price(price_list: str, price: str) -> None:
    """Set the PRICE of one calling channel for 30 days, like 6.95; `none`: channels are not sold, nor renewed."""
    from trunkline.store.queries import price_list_named
    from trunkline.usecases.products import set_channel_price

    found = price_list_named(price_list)
    micros = None if price == "none" else AMOUNT.convert(price, None, None)
    set_channel_price(**acting(), price_list_id=found.pk, price_micros=micros)
    click.echo(f"{found.name}: a calling channel costs {price} {found.currency} for 30 days." if micros is not None else "Not sold.")


@prices.command("bundle")
@click.argument("price_list")
@click.argument("code")
@click.option("--name", required=True, help="What customers read, such as `5,000 US minutes`.")
@click.option("--minutes", type=int, required=True)
@click.option("--price", type=AMOUNT, required=True, help="For 30 days, like 95.00.")
@click.option("--country", required=True, help="Whose numbers it is for: two letters.")
@click.option("--without-list", default="", help="A list of prefixes that are not in it.")
@click.option("--without-types", default="", help="Number types that are not in it, divided by commas, such as mobile.")
@click.option("--withdraw", is_flag=True, help="Nobody can buy it any more.")
def bundle(price_list: str, code: str, *, price: int, without_list: str, without_types: str, withdraw: bool, **about: Any) -> None:
    """Make the minute bundle CODE (such as us-5000), or change it."""
    from trunkline.store.queries import price_list_named
    from trunkline.usecases.products import set_bundle_product

    found = price_list_named(price_list)
    types = tuple(filter(None, (each.strip() for each in without_types.split(","))))
    set_bundle_product(
        **acting(), **about, price_list_id=found.pk, code=code, price_micros=price, excluded_prefixes=without_list, excluded_types=types,
        sold=not withdraw,
    )  # fmt: skip
    click.echo(f"{found.name}: {code} costs {for_people(price, found.currency)} for 30 days.")


def _in_force(price_list: Any) -> Any:
    from trunkline.store.clock import now
    from trunkline.store.queries import prices_in_force

    return prices_in_force(price_list.pk, now())


def _imported(done: Any) -> Iterator[str]:
    yield f"{done.price_list}: {done.prefixes} prefixes {'read, nothing changed (dry run)' if done.dry_run else 'imported'}."
    for what in ("new", "increased", "decreased", "changed", "removed"):
        prefixes = getattr(done.difference, what)
        more = f", and {len(prefixes) - MOST_SHOWN} more" if len(prefixes) > MOST_SHOWN else ""
        yield f"  {what:10} {len(prefixes):6}  {', '.join(prefixes[:MOST_SHOWN])}{more}".rstrip()
    yield f"  {'unchanged':10} {done.difference.unchanged:6}"


def _facts(price: Any) -> dict[str, Any]:
    return {
        "prefix": price.prefix,
        "destination": price.destination,
        "rate_per_minute": decimal_text(price.rate_per_minute_micros),
        "connection_fee": decimal_text(price.connection_fee_micros),
        "increments": f"{price.first_increment_seconds}/{price.next_increment_seconds}",
        "from": price.effective_from.isoformat(timespec="minutes"),
        "until": price.effective_until.isoformat(timespec="minutes") if price.effective_until else "",
    }


COMMANDS = (prices,)
